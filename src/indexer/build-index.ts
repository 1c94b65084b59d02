// buildIndex: from sources to a committed index.
//
//   sources → compare → embed → train → encode and add items → calibrate → commit
//
// The folders follow that order, and each imports only from those before it:
//   settings (options, progress) → sources (what the caller named) → plan (what a build will do and
//   take) → rows (what is encoded) → commit (train, encode, publish) → images, vectors → this folder
//
// Sources are opened, and all that can be refused is refused, before the index folder is touched.
// While the lock is held, whatever happens, the last commit stays intact.
import { throwIfAborted } from '../errors.js';
import { IndexWriter } from '../store/index-folder.js';
import { checkAgainstIndex } from './check.js';
import { dryRun } from './dry-run.js';
import { buildImages, compareWithCatalog } from './images/build-images.js';
import { LazyEncoder } from './images/lazy-encoder.js';
import { checkRemovals, noSources, withRemovals } from './removal.js';
import { type BuildContext, liveCatalog } from './settings/context.js';
import type { BuildCounts, BuildOptions, BuildSummary } from './settings/options.js';
import { ProgressReporter } from './settings/progress.js';
import { type BuildSettings, resolveOptions } from './settings/settings.js';
import {
  type ImageSources,
  mixedSources,
  openSources,
  type VectorSources,
} from './sources/open.js';
import { TableSource } from './sources/table.js';
import { summarise } from './summary.js';
import { commitVectors } from './vectors/build-vectors.js';
import { checkDims, compareSources, countVectors } from './vectors/compare.js';
import { spoolStream } from './vectors/spool.js';

/**
 * Builds an index of images or vectors, or brings an existing one up to date.
 *
 * Only what is new or changed is embedded. A build that was interrupted, even by a kill, resumes where
 * it was when it is run again; readers see the last committed state until this one commits.
 * @throws CorvidError ERR_USAGE, ERR_NOT_FOUND, ERR_SOURCE_*, ERR_DIMENSION, ERR_VECTOR_INVALID,
 *   ERR_MODEL_*, ERR_ENCODER_MISMATCH, ERR_INDEX_EXISTS, ERR_NOT_AN_INDEX, ERR_LOCKED,
 *   ERR_DISK_FULL, ERR_MEMORY, ERR_ABORTED, ERR_FORMAT_*
 */
export async function buildIndex(options: BuildOptions): Promise<BuildSummary> {
  const startMs = performance.now();
  const settings = resolveOptions(options);
  const progress = new ProgressReporter(settings.onProgress);
  throwIfAborted(settings.signal);
  const sources = await progress.during('list', 0, async () =>
    withRemovals(await openAll(settings), settings),
  );
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

async function openAll(settings: BuildSettings): Promise<ImageSources | VectorSources> {
  const { paths, streams, tables } = settings;
  const tableSources = tables.map((table) => new TableSource(table));
  if (paths.length + streams.length + tables.length === 0) return noSources(settings.out);
  if (paths.length === 0) return { kind: 'vectors', sources: tableSources, roots: [] };
  const opened = await openSources(paths, settings);
  if (opened.kind === 'vectors')
    return { ...opened, sources: [...opened.sources, ...tableSources] };
  if (streams.length + tables.length > 0) {
    throw mixedSources([...paths, ...[...streams, ...tables].map(({ name }) => name)]);
  }
  return opened;
}

async function run(
  sources: ImageSources | VectorSources,
  settings: BuildSettings,
  progress: ProgressReporter,
): Promise<BuildSummary> {
  const writer = IndexWriter.open(settings.out);
  const context: BuildContext = { settings, progress, writer };
  const catalog = liveCatalog(writer);
  const encoder = new LazyEncoder(settings, catalog);
  try {
    if (catalog !== null) checkAgainstIndex(catalog, sources.kind, settings);
    checkRemovals(settings.remove, sources.kind, catalog);
    const counts =
      sources.kind === 'images'
        ? await runImages(sources, encoder, context)
        : await runVectors(sources, encoder, context);
    writer.clearStaging();
    return await summarise(settings.out, writer.catalog, sources.kind, counts);
  } finally {
    await encoder.close();
    writer.close();
  }
}

async function runImages(
  sources: ImageSources,
  encoder: LazyEncoder,
  context: BuildContext,
): Promise<BuildCounts> {
  const { writer } = context;
  const comparison = await compareWithCatalog(sources, liveCatalog(writer), context);
  return buildImages(sources, comparison, () => encoder.open(), context);
}

async function runVectors(
  sources: VectorSources,
  encoder: LazyEncoder,
  context: BuildContext,
): Promise<BuildCounts> {
  const { writer, settings, progress } = context;
  const { signal } = settings;
  for (const [i, stream] of settings.streams.entries()) {
    const onRows = (rows: number) => progress.update(rows);
    const spooled = await progress.during('read', 0, () =>
      spoolStream(stream, writer.staging, i, { signal, onRows }),
    );
    sources.sources.push(spooled);
  }
  const catalog = liveCatalog(writer);
  const fingerprint = encoder.isNamed ? (await encoder.open()).fingerprint : null;
  const indexDims = catalog?.settings().dims ?? fingerprint?.dims ?? null;
  const dims = checkDims(sources.sources, indexDims);
  const comparison = compareSources(sources, catalog);
  const { trained } = await commitVectors(comparison, dims, fingerprint, context);
  return { ...countVectors(comparison), trained };
}
