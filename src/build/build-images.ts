// Builds or extends an index of images: compare, embed into the journal, commit.
//
// Item ids are given at the commit, in the order of the listing, so that a build that was killed
// and went on gives the same index as one that was not.
import type { Embedder } from '../embed/embedder.js';
import { CorvidError } from '../errors.js';
import type { Catalog, CatalogItem } from '../store/catalog.js';
import type { NewItem } from '../store/catalog-writer.js';
import { SKIPPED_NAME } from '../store/index-folder.js';
import { isoTime } from './build-vectors.js';
import { type Committed, commitChange } from './commit.js';
import { type BuildContext, liveCatalog } from './context.js';
import { refuseWhatDoesNotFit } from './estimate.js';
import { forecast, readState } from './forecast.js';
import {
  type Comparison,
  compareImages,
  type IndexedImage,
  type NewWords,
  newWords,
  type PendingImage,
  wordsOf,
} from './images/compare.js';
import { embedImages, type TouchedImage } from './images/embed.js';
import { Journal, type JournaledImage } from './images/journal.js';
import { JournalRows } from './images/journal-rows.js';
import { readSkipped, writeSkipped } from './images/skipped.js';
import type { SkippedFile } from './options.js';
import type { ImageSources } from './sources/open.js';
import { belowAny } from './sources/roots.js';

/** Reasons that say nothing about a file's content: an item keeps its place for these. */
const NOT_ABOUT_CONTENT = new Set(['ERR_PERMISSION', 'ERR_IO', 'ERR_NOT_FOUND']);

export interface ImageOutcome extends Committed {
  added: number;
  changed: number;
  touched: number;
  removed: number;
  skipped: SkippedFile[];
}

/** All images of a catalog, as `compareImages` wants them. */
function* indexedImages(catalog: Catalog): Generator<IndexedImage> {
  for (const { id, path, bytes, modified, sha256, caption, metadata } of catalog.items()) {
    if (path === null) continue;
    yield {
      id,
      path,
      bytes: bytes ?? -1,
      modifiedMs: modified === null ? -1 : Date.parse(modified),
      sha256: sha256 ?? '',
      caption,
      metadata: metadata === null ? null : JSON.stringify(metadata),
    };
  }
}

/** Compares the sources with the images of a catalog (null: a new index). */
export function compareWithCatalog(
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

/**
 * Embeds what must be and commits.
 * @param openEmbedder called only if an image has to be embedded
 */
export async function buildImages(
  sources: ImageSources,
  comparison: Comparison,
  openEmbedder: () => Promise<Embedder>,
  context: BuildContext,
): Promise<ImageOutcome> {
  const { pending } = comparison;
  let journal: Journal | null = null;
  let touched: TouchedImage[] = [];
  let embedder: Embedder | null = null;
  try {
    if (pending.length > 0) {
      embedder = await openEmbedder();
      const { id, dims } = embedder.fingerprint;
      await refuseEarly(comparison, dims, context);
      journal = await Journal.open(`${context.writer.staging}/journal.bin`, { encoder: id, dims });
      touched = await embedPending(pending, embedder, journal, context);
    }
    return await commitImages(sources, comparison, { embedder, journal, touched }, context);
  } finally {
    await journal?.close();
  }
}

/** Embedding takes hours: what would not fit afterwards is refused before. */
async function refuseEarly(
  { pending, vanished }: Comparison,
  dims: number,
  { settings, writer }: BuildContext,
): Promise<void> {
  const state = readState(writer.path, liveCatalog(writer));
  const addedRows = pending.length;
  const removedRows = vanished.length + pending.filter(({ previous }) => previous !== null).length;
  const work = { dims, addedRows, removedRows, hasItems: true, journaled: addedRows };
  const { estimate } = forecast(state, work, settings);
  await refuseWhatDoesNotFit(estimate, writer.path, settings.memoryBytes);
}

async function embedPending(
  pending: readonly PendingImage[],
  embedder: Embedder,
  journal: Journal,
  { settings, progress }: BuildContext,
): Promise<TouchedImage[]> {
  const { maxPixels, maxFileBytes, signal } = settings;
  const todo = pending.filter((file) => !isJournaled(journal, file));
  const before = pending.length - todo.length;
  const skippedBefore = progress.skipped;
  return progress.during('embed', pending.length, () =>
    embedImages(todo, {
      embedder,
      journal,
      limits: { maxPixels, maxFileBytes },
      signal,
      onImages: (done, skipped) => {
        progress.skipped = skippedBefore + skipped;
        progress.update(before + done);
      },
    }),
  );
}

function isJournaled(journal: Journal, { path, bytes, modifiedMs }: PendingImage): boolean {
  const entry = journal.images.get(path) ?? journal.skipped.get(path);
  return entry?.bytes === bytes && entry.modifiedMs === modifiedMs;
}

interface Embedded {
  embedder: Embedder | null;
  journal: Journal | null;
  touched: TouchedImage[];
}

async function commitImages(
  sources: ImageSources,
  comparison: Comparison,
  { embedder, journal, touched }: Embedded,
  context: BuildContext,
): Promise<ImageOutcome> {
  const { writer } = context;
  const files = comparison.pending.filter((file) => journal?.images.has(file.path) === true);
  const images = files.map(({ path }) => journal?.images.get(path) as JournaledImage);
  const newlySkipped = comparison.pending.flatMap(({ path }) => journal?.skipped.get(path) ?? []);
  const replaced = files.flatMap(({ previous }) => previous?.id ?? []);
  const spoiled = comparison.pending.flatMap(({ path, previous }) => {
    const skip = journal?.skipped.get(path);
    return previous !== null && skip !== undefined && !NOT_ABOUT_CONTENT.has(skip.code)
      ? [previous.id]
      : [];
  });
  const skipped = [...comparison.unreadable, ...comparison.stillSkipped, ...newlySkipped];
  const catalog = liveCatalog(writer);
  if (catalog === null && images.length === 0) {
    await writeSkipped(writer.path, skipped);
    throw nothingIndexed(sources, skipped);
  }

  const removeIds = [...comparison.vanished.map(({ id }) => id), ...replaced, ...spoiled];
  const firstId = catalog?.settings().nextId ?? 0;
  const dims = embedder?.fingerprint.dims ?? writer.catalog.settings().dims;
  const rows = journal === null ? [] : [new JournalRows(journal, images, dims, firstId)];
  const committed = await commitChange(
    {
      kind: 'images',
      dims,
      encoder: embedder?.fingerprint ?? null,
      hasItems: true,
      added: rows,
      addItems: () => addItems(images, firstId, sources, context),
      nextId: firstId + images.length,
      removeIds,
      updateItems: updates(comparison, touched, sources, context),
      putSources: [],
      dropSources: [],
    },
    context,
  );
  await updateSkipped(sources, skipped, context);
  return {
    ...committed,
    added: images.length - replaced.length,
    changed: replaced.length,
    touched: touched.length + comparison.words.length,
    removed: comparison.vanished.length + spoiled.length,
    skipped,
  };
}

/** Replaces what the list says of the given sources; of others it is kept. */
async function updateSkipped(
  { roots }: ImageSources,
  skipped: readonly SkippedFile[],
  { writer }: BuildContext,
): Promise<void> {
  const inRoots = belowAny(roots);
  const before = await readSkipped(writer.path);
  const others = [...before.values()].filter(({ path }) => !inRoots(path));
  if (before.size > 0 || skipped.length > 0)
    await writeSkipped(writer.path, [...others, ...skipped]);
}

const ITEMS_PER_TRANSACTION = 4096;

function addItems(
  images: readonly JournaledImage[],
  firstId: number,
  sources: ImageSources,
  { writer }: BuildContext,
): void {
  for (let start = 0; start < images.length; start += ITEMS_PER_TRANSACTION) {
    const some = images.slice(start, start + ITEMS_PER_TRANSACTION);
    writer.catalog.addItems(
      some.map(({ offset: _, modifiedMs, ...image }, i) => ({
        ...image,
        id: firstId + start + i,
        modified: isoTime(modifiedMs),
        ...parsedWords(wordsOf(image.path, sources)),
      })),
    );
  }
}

/** Items whose picture is the same and of which something else is new. */
function updates(
  { pending, words }: Comparison,
  touched: readonly TouchedImage[],
  sources: ImageSources,
  { writer }: BuildContext,
): NewItem[] {
  const modified = new Map(touched.map(({ id, modifiedMs }) => [id, isoTime(modifiedMs)]));
  const allWords = new Map(words.map((entry) => [entry.id, entry]));
  for (const { previous } of pending) {
    if (previous === null || !modified.has(previous.id)) continue;
    const entry = newWords(previous, sources);
    if (entry !== null) allWords.set(entry.id, entry);
  }
  const ids = [...new Set([...modified.keys(), ...allWords.keys()])];
  if (ids.length === 0) return [];
  const items = writer.catalog.itemsByIds(ids).filter((item) => item !== null);
  return items.map((item: CatalogItem) => ({
    ...item,
    modified: modified.get(item.id) ?? item.modified,
    ...parsedWords(allWords.get(item.id)),
  }));
}

function parsedWords(words: Pick<NewWords, 'caption' | 'metadata'> | undefined) {
  if (words === undefined) return {};
  const { caption, metadata } = words;
  return { caption, metadata: metadata === null ? null : JSON.parse(metadata) };
}

function nothingIndexed({ roots }: ImageSources, skipped: readonly SkippedFile[]): CorvidError {
  const first = skipped[0];
  return new CorvidError('ERR_SOURCE_EMPTY', 'none of the images can be indexed', {
    path: roots.join(', '),
    ...(first === undefined ? {} : { actual: `${skipped.length} skipped, such as ${first.path}` }),
    hint: `the reasons are in ${SKIPPED_NAME} of the index folder`,
  });
}
