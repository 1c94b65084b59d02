// buildIndex: from sources to a committed index.
//
// Sources are opened, and all that can be refused is refused, before the index folder is touched.
// From the moment the lock is held, whatever happens, the last commit stays whole.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCodec } from '../codec/codec.js';
import { openClip } from '../embed/clip.js';
import type { Embedder, EncoderFingerprint } from '../embed/embedder.js';
import { assertSameEncoder } from '../embed/fingerprint.js';
import { CorvidError, throwIfAborted } from '../errors.js';
import { native } from '../native.js';
import type { Catalog } from '../store/catalog.js';
import { CATALOG_NAME, IndexWriter, openCatalog, segmentFolder } from '../store/index-folder.js';
import { buildImages, indexedImages } from './build-images.js';
import {
  checkDims,
  commitVectors,
  compareSources,
  type VectorComparison,
} from './build-vectors.js';
import type { BuildContext, BuildRecord } from './context.js';
import { type Comparison, compareImages } from './images/compare.js';
import { readSkipped } from './images/skipped.js';
import { type BuildOptions, type BuildSummary, type Settings, settle } from './options.js';
import { Progress } from './progress.js';
import { type ImageSources, openSources, type VectorSources } from './sources/open.js';
import { spoolStream } from './sources/spool.js';

const MAX_SKIPPED_IN_SUMMARY = 1000;

type Counts = Pick<BuildSummary, 'added' | 'changed' | 'touched' | 'removed' | 'unchanged'> &
  Pick<BuildSummary, 'skippedFiles' | 'trained'>;

/**
 * Builds an index of images or vectors, or brings an existing one up to date.
 *
 * Only what is new or changed is embedded. A build that was interrupted, also by a kill, goes on
 * where it was when it is run again; readers see the last committed state until this one commits.
 * @throws CorvidError ERR_USAGE, ERR_NOT_FOUND, ERR_SOURCE_*, ERR_DIMENSION, ERR_VECTOR_INVALID,
 *   ERR_MODEL_*, ERR_ENCODER_MISMATCH, ERR_INDEX_EXISTS, ERR_NOT_AN_INDEX, ERR_LOCKED,
 *   ERR_DISK_FULL, ERR_MEMORY, ERR_ABORTED, ERR_FORMAT_*
 */
export async function buildIndex(options: BuildOptions): Promise<BuildSummary> {
  const startMs = performance.now();
  const settings = settle(options);
  const progress = new Progress(settings.onProgress);
  throwIfAborted(settings.signal);
  const sources = await progress.during('list', 0, () => openAll(settings));
  try {
    const build = settings.dryRun ? dryRun : run;
    const summary = await build(sources, settings, progress);
    summary.seconds = (performance.now() - startMs) / 1000;
    summary.phases = progress.phases;
    return summary;
  } finally {
    if (sources.kind === 'vectors') {
      await Promise.all(sources.sources.map((source) => source.close()));
    }
  }
}

async function openAll(settings: Settings): Promise<ImageSources | VectorSources> {
  const { paths, streams } = settings;
  if (paths.length === 0) return { kind: 'vectors', sources: [], roots: [] };
  const sources = await openSources(paths, settings);
  if (sources.kind === 'images' && streams.length > 0) {
    throw new CorvidError('ERR_USAGE', 'images and ready-made vectors in one build', {
      actual: [...paths, ...streams.map(({ name }) => name)].join(', '),
      hint: 'build one index of the images and another of the vectors',
    });
  }
  return sources;
}

async function run(
  sources: ImageSources | VectorSources,
  settings: Settings,
  progress: Progress,
): Promise<BuildSummary> {
  const writer = IndexWriter.open(settings.out);
  const context: BuildContext = { settings, progress, writer };
  const encoder = new LazyEncoder(settings, writer.isNew ? null : writer.catalog);
  try {
    if (!writer.isNew) checkAgainst(writer.catalog, sources.kind, settings);
    const counts =
      sources.kind === 'images'
        ? await runImages(sources, encoder, context)
        : await runVectors(sources, encoder, context);
    writer.clearStaging();
    const { skippedFiles } = counts;
    return {
      ...(await describeIndex(settings.out, writer.catalog, sources.kind)),
      ...counts,
      skipped: skippedFiles.length,
      skippedFiles: skippedFiles.slice(0, MAX_SKIPPED_IN_SUMMARY),
    };
  } finally {
    await encoder.close();
    writer.close();
  }
}

async function runImages(
  sources: ImageSources,
  encoder: LazyEncoder,
  context: BuildContext,
): Promise<Counts> {
  const { writer } = context;
  const comparison = await compare(sources, writer.isNew ? null : writer.catalog, context);
  const outcome = await buildImages(sources, comparison, () => encoder.open(), context);
  const { added, changed, touched, removed, trained, skipped } = outcome;
  const unchanged = comparison.unchanged - comparison.words.length;
  return { added, changed, touched, removed, unchanged, trained, skippedFiles: skipped };
}

async function runVectors(
  sources: VectorSources,
  encoder: LazyEncoder,
  context: BuildContext,
): Promise<Counts> {
  const { writer, settings, progress } = context;
  const { signal } = settings;
  for (const [i, stream] of settings.streams.entries()) {
    const onRows = (rows: number) => progress.update(rows);
    const spooled = await progress.during('read', 0, () =>
      spoolStream(stream, writer.staging, i, { signal, onRows }),
    );
    sources.sources.push(spooled);
  }
  const catalog = writer.isNew ? null : writer.catalog;
  const fingerprint = encoder.isNamed ? (await encoder.open()).fingerprint : null;
  const indexDims = catalog?.settings().dims ?? fingerprint?.dims ?? null;
  const dims = checkDims(sources.sources, indexDims);
  const comparison = compareSources(sources, catalog);
  const { trained } = await commitVectors(comparison, dims, fingerprint, context);
  return { ...vectorCounts(comparison), trained };
}

function vectorCounts(comparison: VectorComparison): Omit<Counts, 'trained'> {
  const rowsOf = (some: readonly { rows: number }[]) =>
    some.reduce((sum, { rows }) => sum + rows, 0);
  return {
    added: rowsOf(comparison.added),
    changed: rowsOf(comparison.changed.map(({ source }) => source)),
    touched: 0,
    removed: rowsOf(comparison.vanished),
    unchanged: rowsOf(comparison.unchanged),
    skippedFiles: [],
  };
}

function compare(
  sources: ImageSources,
  catalog: Catalog | null,
  { settings, progress }: Pick<BuildContext, 'settings' | 'progress'>,
): Promise<Comparison> {
  return progress.during('list', sources.files.length, async () => {
    const skipped = await readSkipped(settings.out);
    return compareImages(sources, catalog === null ? [] : indexedImages(catalog), skipped, {
      signal: settings.signal,
      onFile: (done) => progress.update(done),
    });
  });
}

/** What a build would do, from the files' sizes and times alone. */
async function dryRun(
  sources: ImageSources | VectorSources,
  settings: Settings,
  progress: Progress,
): Promise<BuildSummary> {
  const exists = await stat(join(settings.out, CATALOG_NAME)).catch(() => null);
  const catalog = exists === null ? null : openCatalog(settings.out);
  try {
    if (catalog !== null) checkAgainst(catalog, sources.kind, settings);
    let counts: Omit<Counts, 'trained'>;
    if (sources.kind === 'vectors') {
      checkDims(sources.sources, catalog?.settings().dims ?? null);
      counts = vectorCounts(compareSources(sources, catalog));
    } else {
      const comparison = await compare(sources, catalog, { settings, progress });
      const { pending, vanished, words, unchanged, stillSkipped, unreadable } = comparison;
      counts = {
        added: pending.filter(({ previous }) => previous === null).length,
        changed: pending.filter(({ previous }) => previous !== null).length,
        touched: words.length,
        removed: vanished.length,
        unchanged: unchanged - words.length,
        skippedFiles: [...unreadable, ...stillSkipped],
      };
    }
    const { skippedFiles } = counts;
    return {
      ...(await describeIndex(settings.out, catalog, sources.kind)),
      ...counts,
      dryRun: true,
      trained: false,
      skipped: skippedFiles.length,
      skippedFiles: skippedFiles.slice(0, MAX_SKIPPED_IN_SUMMARY),
    };
  } finally {
    catalog?.close();
  }
}

/** The part of a summary that says what the index is now. `catalog` null: there is none. */
async function describeIndex(
  path: string,
  catalog: Catalog | null,
  kind: BuildSummary['kind'],
): Promise<Omit<BuildSummary, keyof Counts | 'skipped'>> {
  const base = { path, dryRun: false, kind, seconds: 0, phases: {} };
  const file = catalog?.settings().codec ?? null;
  if (catalog === null || file === null) {
    const none = { rows: 0, codec: null, vectors: false, segments: 0 };
    return { ...base, ...none, diskBytes: 0, residentBytes: 0 };
  }
  const codec = openCodec(join(path, file.name));
  const { fileBytes, residentBytes: codecBytes } = codec.info();
  const segments = catalog.segments();
  let residentBytes = codecBytes;
  for (const { number } of segments) {
    const segment = native.openSegment(segmentFolder(path, number), codec);
    residentBytes += segment.info().files.reduce((sum, file) => sum + file.residentBytes, 0);
    segment.close();
  }
  const catalogBytes = (await stat(join(path, CATALOG_NAME))).size;
  const segmentBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    ...base,
    rows: segments.reduce((sum, { rows }) => sum + rows, 0) - catalog.removedCount(),
    codec: codec.info(),
    vectors: catalog.settings().vectors,
    segments: segments.length,
    diskBytes: segmentBytes + catalogBytes + fileBytes,
    residentBytes,
  };
}

/** Throws ERR_INDEX_EXISTS if the options contradict what the index is. */
function checkAgainst(catalog: Catalog, kind: BuildRecord['kind'], settings: Settings): void {
  const { build, vectors, codec } = catalog.settings();
  if (codec === null) return;
  const contradiction = (what: string, expected: string, actual: string) =>
    new CorvidError('ERR_INDEX_EXISTS', what, {
      path: settings.out,
      expected,
      actual,
      hint: 'build another index, or leave the option out',
    });
  const { kind: indexKind } = build as BuildRecord;
  if (indexKind !== kind) {
    throw contradiction('this index is of another kind', indexKind, kind);
  }
  const wanted = settings.vectors;
  if (wanted !== 'auto' && (wanted === 'int8') !== vectors) {
    throw contradiction(
      'vectors are kept or not for all images',
      vectors ? 'int8' : 'none',
      wanted,
    );
  }
  if (settings.levels === undefined) return;
  const { levels } = openCodec(join(settings.out, codec.name)).info();
  if (levels.join() !== settings.levels.join()) {
    throw contradiction('this index has other levels', levels.join(), settings.levels.join());
  }
}

/** The encoder, opened when the first image needs it and checked against the index. */
class LazyEncoder {
  private opened: Promise<Embedder> | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly catalog: Catalog | null,
  ) {}

  /** Whether the caller named one. */
  get isNamed(): boolean {
    return this.settings.embedder !== undefined || this.settings.model !== undefined;
  }

  open(): Promise<Embedder> {
    this.opened ??= this.openAndCheck();
    return this.opened;
  }

  private async openAndCheck(): Promise<Embedder> {
    const { embedder, model, maxPixels, maxFileBytes } = this.settings;
    const limits = { maxPixels, maxFileBytes };
    const stored = this.catalog?.settings().encoder as EncoderFingerprint | null | undefined;
    const opened =
      embedder ??
      // Only a model that the caller names may be downloaded.
      (await openClip(model ?? stored?.model, { allowDownload: model !== undefined, limits }));
    assertSameEncoder(stored ?? null, opened.fingerprint);
    return opened;
  }

  /** Closes an encoder that was opened here; the caller's own stays open. */
  async close(): Promise<void> {
    if (this.settings.embedder !== undefined) return;
    // One that could not be opened has thrown already, where it was asked for.
    await this.opened?.then(
      (embedder) => embedder.close(),
      () => {},
    );
  }
}
