// Builds or extends an index of images: compare → embed into the journal → commit.
//
// Item ids are assigned at the commit, in the order of the listing, so that a build that was killed
// and run again gives the same index as one that was not.
import type { Embedder } from '../../embed/embedder.js';
import { CorvidError } from '../../errors.js';
import type { Catalog } from '../../store/catalog.js';
import { SKIPPED_NAME } from '../../store/index-folder.js';
import { commitChange } from '../commit/commit.js';
import { checkFits } from '../plan/estimate.js';
import { forecast, readState } from '../plan/forecast.js';
import { type BuildContext, liveCatalog } from '../settings/context.js';
import type { BuildCounts, SkippedFile } from '../settings/options.js';
import type { ImageSources } from '../sources/open.js';
import { belowAny } from '../sources/roots.js';
import { compareImages, type ImageComparison } from './compare.js';
import { embedImages } from './embed.js';
import { type ItemUpdate, updatedItems } from './items.js';
import { Journal } from './journal.js';
import { JournalRows } from './journal-rows.js';
import { isJournaled, outcomeOf } from './outcome.js';
import { readSkipped, writeSkipped } from './skipped.js';

/** Compares the sources with the images of a catalog (null: a new index). */
export function compareWithCatalog(
  sources: ImageSources,
  catalog: Catalog | null,
  { settings, progress }: Pick<BuildContext, 'settings' | 'progress'>,
): Promise<ImageComparison> {
  return progress.during('list', sources.files.length, async () => {
    const skipped = await readSkipped(settings.out);
    return compareImages(sources, catalog?.files() ?? [], skipped, {
      signal: settings.signal,
      onFile: (done) => progress.update(done),
    });
  });
}

/**
 * Embeds the pending images and commits.
 * @param openEmbedder called only if an image has to be embedded
 */
export async function buildImages(
  sources: ImageSources,
  comparison: ImageComparison,
  openEmbedder: () => Promise<Embedder>,
  context: BuildContext,
): Promise<BuildCounts> {
  const { pending } = comparison;
  let journal: Journal | null = null;
  let touched: ItemUpdate[] = [];
  let embedder: Embedder | null = null;
  try {
    if (pending.length > 0) {
      embedder = await openEmbedder();
      const { id, dims } = embedder.fingerprint;
      await checkFitsEarly(comparison, dims, context);
      journal = await Journal.open(`${context.writer.staging}/journal.bin`, { encoder: id, dims });
      touched = await embedPending(sources, comparison, embedder, journal, context);
    }
    return await commitImages(sources, comparison, { embedder, journal, touched }, context);
  } finally {
    await journal?.close();
  }
}

/** Embedding takes hours, so an index that would not fit is refused before it. */
async function checkFitsEarly(
  { pending, vanished }: ImageComparison,
  dims: number,
  { settings, writer }: BuildContext,
): Promise<void> {
  const state = readState(writer.path, liveCatalog(writer));
  const addedRows = pending.length;
  const removedRows = vanished.length + pending.filter(({ previous }) => previous !== null).length;
  const work = { dims, addedRows, removedRows, hasItems: true, journaled: addedRows };
  const { estimate } = forecast(state, work, settings);
  await checkFits(estimate, writer.path, settings.memoryBytes);
}

async function embedPending(
  { captions }: ImageSources,
  { pending, vanished }: ImageComparison,
  embedder: Embedder,
  journal: Journal,
  { settings, progress }: BuildContext,
): Promise<ItemUpdate[]> {
  const { maxPixels, maxFileBytes, signal } = settings;
  const todo = pending.filter((file) => !isJournaled(journal, file));
  const before = pending.length - todo.length;
  const skippedBefore = progress.skipped;
  return progress.during('embed', pending.length, () =>
    embedImages(todo, {
      embedder,
      journal,
      limits: { maxPixels, maxFileBytes },
      vanished,
      captions,
      signal,
      onImages: (done, skipped) => {
        progress.skipped = skippedBefore + skipped;
        progress.update(before + done);
      },
    }),
  );
}

interface Embedded {
  embedder: Embedder | null;
  journal: Journal | null;
  touched: ItemUpdate[];
}

async function commitImages(
  sources: ImageSources,
  comparison: ImageComparison,
  { embedder, journal, touched }: Embedded,
  context: BuildContext,
): Promise<BuildCounts> {
  const { writer } = context;
  const { recaptioned, unchanged } = comparison;
  const { images, replacedIds, goneIds, skipped } = outcomeOf(comparison, touched, journal);
  const catalog = liveCatalog(writer);
  if (catalog === null && images.length === 0) {
    await writeSkipped(writer.path, skipped);
    throw nothingIndexed(sources, skipped);
  }
  const firstId = catalog?.settings().nextId ?? 0;
  const dims = embedder?.fingerprint.dims ?? writer.catalog.settings().dims;
  const added =
    journal === null ? [] : [new JournalRows(journal, images, sources.captions, dims, firstId)];
  const { trained } = await commitChange(
    {
      kind: 'images',
      dims,
      encoder: embedder?.fingerprint ?? null,
      hasItems: true,
      added,
      nextId: firstId + images.length,
      removeIds: [...goneIds, ...replacedIds],
      updateItems: updatedItems([...touched, ...recaptioned], catalog),
      putSources: [],
      dropSources: [],
    },
    context,
  );
  await updateSkipped(sources, skipped, context);
  return {
    added: images.length - replacedIds.length,
    changed: replacedIds.length,
    touched: touched.length + recaptioned.length,
    removed: goneIds.length,
    unchanged: unchanged - recaptioned.length,
    skippedFiles: skipped,
    trained,
  };
}

/** Replaces the entries of the given sources in skipped.jsonl; others are kept. */
async function updateSkipped(
  { roots }: ImageSources,
  skipped: readonly SkippedFile[],
  { writer }: BuildContext,
): Promise<void> {
  const inRoots = belowAny(roots);
  const before = await readSkipped(writer.path);
  const others = [...before.values()].filter(({ path }) => !inRoots(path));
  if (before.size === 0 && skipped.length === 0) return;
  await writeSkipped(writer.path, [...others, ...skipped]);
}

function nothingIndexed({ roots }: ImageSources, skipped: readonly SkippedFile[]): CorvidError {
  const first = skipped[0];
  return new CorvidError('ERR_SOURCE_EMPTY', 'none of the images can be indexed', {
    path: roots.join(', '),
    ...(first === undefined ? {} : { actual: `${skipped.length} skipped, such as ${first.path}` }),
    hint: `the reasons are in ${SKIPPED_NAME} of the index folder`,
  });
}
