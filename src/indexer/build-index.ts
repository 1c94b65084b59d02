// buildIndex: from sources to a committed index.
//
// Sources are opened, and all that can be refused is refused, before the index folder is touched.
// From the moment the lock is held, whatever happens, the last commit stays whole.
import { CorvidError, throwIfAborted } from '../errors.js';
import { IndexWriter } from '../store/index-folder.js';
import { checkAgainst } from './check.js';
import { type BuildContext, liveCatalog } from './context.js';
import { buildImages, compareWithCatalog } from './images/build-images.js';
import { LazyEncoder } from './images/lazy-encoder.js';
import { type BuildOptions, type BuildSummary, type Settings, settle } from './options.js';
import { dryRun } from './plan/dry-run.js';
import { Progress } from './progress.js';
import { checkRemovals, noSources, withRemovals } from './removal.js';
import { type ImageSources, openSources, type VectorSources } from './sources/open.js';
import { spoolStream } from './sources/spool.js';
import { TableSource } from './sources/table.js';
import { type Counts, summarise } from './summary.js';
import { checkDims, commitVectors, compareSources, countVectors } from './vectors/build-vectors.js';

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

async function openAll(settings: Settings): Promise<ImageSources | VectorSources> {
  const { paths, streams, tables } = settings;
  const own = tables.map((table) => new TableSource(table));
  if (paths.length + streams.length + tables.length === 0) return noSources(settings.out);
  if (paths.length === 0) return { kind: 'vectors', sources: own, roots: [] };
  const opened = await openSources(paths, settings);
  if (opened.kind === 'vectors') return { ...opened, sources: [...opened.sources, ...own] };
  if (streams.length + tables.length > 0) {
    throw new CorvidError('ERR_USAGE', 'images and ready-made vectors in one build', {
      actual: [...paths, ...[...streams, ...tables].map(({ name }) => name)].join(', '),
      hint: 'build one index of the images and another of the vectors',
    });
  }
  return opened;
}

async function run(
  sources: ImageSources | VectorSources,
  settings: Settings,
  progress: Progress,
): Promise<BuildSummary> {
  const writer = IndexWriter.open(settings.out);
  const context: BuildContext = { settings, progress, writer };
  const catalog = liveCatalog(writer);
  const encoder = new LazyEncoder(settings, catalog);
  try {
    if (catalog !== null) checkAgainst(catalog, sources.kind, settings);
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
): Promise<Counts> {
  const { writer } = context;
  const comparison = await compareWithCatalog(sources, liveCatalog(writer), context);
  return buildImages(sources, comparison, () => encoder.open(), context);
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
  const catalog = liveCatalog(writer);
  const fingerprint = encoder.isNamed ? (await encoder.open()).fingerprint : null;
  const indexDims = catalog?.settings().dims ?? fingerprint?.dims ?? null;
  const dims = checkDims(sources.sources, indexDims);
  const comparison = compareSources(sources, catalog);
  const { trained } = await commitVectors(comparison, dims, fingerprint, context);
  return { ...countVectors(comparison), trained };
}
