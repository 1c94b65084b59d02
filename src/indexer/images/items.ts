// Images as items of the catalog: new ones from the journal, and updates of known ones.
//
// Captions that the sources do not mention change nothing.
import type { Catalog, KnownFile } from '../../store/catalog.js';
import { catalogTime, type NewItem } from '../../store/catalog-writer.js';
import type { Captions } from '../sources/captions.js';
import type { ImageFile } from '../sources/open.js';
import type { FileState } from './file-state.js';
import type { JournaledImage } from './journal.js';

/** New values of an item whose content is the same; what is absent stays as it is. */
export type ItemUpdate = Pick<NewItem, 'id'> & Partial<NewItem>;

/** New items with consecutive ids from `firstId`. */
export function newItems(
  images: readonly JournaledImage[],
  firstId: number,
  captions: Captions,
): NewItem[] {
  return images.map(({ offset: _, modifiedMs, ...image }, i) => ({
    ...image,
    id: firstId + i,
    modified: catalogTime(modifiedMs),
    ...captionFields(image.path, captions),
  }));
}

/**
 * What the captions say now of a known image, if it differs from its item.
 * @param path where the image is now
 */
export function captionUpdate(
  known: KnownFile,
  captions: Captions,
  path: string | null = known.path,
): ItemUpdate | null {
  if (path === null || !captions.has(path)) return null;
  const { caption, metadata } = captionFields(path, captions);
  const metadataText = metadata === null ? null : JSON.stringify(metadata);
  const isSame = caption === known.caption && metadataText === known.metadata;
  return isSame ? null : { id: known.id, caption, metadata };
}

/** The update of an item whose content is in a file with a new time, or in another place. */
export function fileUpdate(
  known: KnownFile,
  file: ImageFile & FileState,
  captions: Captions,
): ItemUpdate {
  const { path, key, modifiedMs } = file;
  return {
    ...captionUpdate(known, captions, path),
    ...(path === known.path ? {} : { path, key }),
    id: known.id,
    modified: catalogTime(modifiedMs),
  };
}

/** Whole items with `updates` applied. */
export function updatedItems(updates: readonly ItemUpdate[], catalog: Catalog | null): NewItem[] {
  const byId = new Map(updates.map((update) => [update.id, update]));
  const items = catalog?.itemsByIds(byId.keys()) ?? [];
  return items.filter((item) => item !== null).map((item) => ({ ...item, ...byId.get(item.id) }));
}

/** Caption and metadata of a path, null where the sources have none. */
function captionFields(path: string, captions: Captions) {
  const { caption = null, metadata = null } = captions.get(path) ?? {};
  return { caption, metadata };
}
