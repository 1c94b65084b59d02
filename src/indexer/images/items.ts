// Images as items of the catalog: new ones from the journal, and what is new of old ones.
import type { Catalog } from '../../store/catalog.js';
import type { NewItem } from '../../store/catalog-writer.js';
import type { ImageSources } from '../sources/open.js';
import { type IndexedImage, type NewWords, newWords, wordsOf } from './compare.js';
import type { TouchedImage } from './embed.js';
import type { JournaledImage } from './journal.js';

/** All images of a catalog, as `compareImages` wants them. */
export function* indexedImages(catalog: Catalog): Generator<IndexedImage> {
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

/** New items with consecutive ids from `firstId`. */
export function newItems(
  images: readonly JournaledImage[],
  firstId: number,
  sources: ImageSources,
): NewItem[] {
  return images.map(({ offset: _, modifiedMs, ...image }, i) => ({
    ...image,
    id: firstId + i,
    modified: isoTime(modifiedMs),
    ...parsedWords({ id: firstId + i, ...wordsOf(image.path, sources) }),
  }));
}

/** Items whose picture is the same and of which something else is new, whole. */
export function updatedItems(
  touched: readonly TouchedImage[],
  words: readonly NewWords[],
  sources: ImageSources,
  catalog: Catalog | null,
): NewItem[] {
  const changes = new Map<number, Partial<NewItem>>();
  for (const { item, file } of touched) {
    const { path, key, modifiedMs } = file;
    const moved = path === item.path ? {} : { path, key };
    const spoken = parsedWords(newWords(item, sources, path));
    changes.set(item.id, { ...moved, ...spoken, modified: isoTime(modifiedMs) });
  }
  for (const entry of words) changes.set(entry.id, parsedWords(entry));
  const items = catalog?.itemsByIds(changes.keys()) ?? [];
  return items
    .filter((item) => item !== null)
    .map((item) => ({ ...item, ...changes.get(item.id), id: item.id }));
}

function parsedWords(words: NewWords | null): Pick<NewItem, 'caption' | 'metadata'> {
  if (words === null) return {};
  const { caption, metadata } = words;
  return { caption, metadata: metadata === null ? null : JSON.parse(metadata) };
}

/** A time as the catalog keeps it. */
export function isoTime(ms: number): string {
  return new Date(Math.trunc(ms)).toISOString();
}
