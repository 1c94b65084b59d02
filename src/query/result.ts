// From item ids to what the catalog knows of them.
import type { Catalog, CatalogItem } from '../store/catalog.js';
import type { Hit, Item } from './types.js';

/** An item as the caller sees it; an index of bare vectors has nothing to say but the id. */
export function toItem(id: number, known: CatalogItem | null): Item {
  return {
    id,
    key: known?.key ?? null,
    path: known?.path ?? null,
    width: known?.width ?? null,
    height: known?.height ?? null,
    takenAt: known?.taken ?? null,
    latitude: known?.latitude ?? null,
    longitude: known?.longitude ?? null,
    caption: known?.caption ?? null,
    metadata: known?.metadata ?? null,
    damaged: known?.damaged ?? false,
  };
}

/**
 * Hits in the order of `ranked`. An item that a commit took out of the catalog since is left out.
 * @param hasItems false for an index of bare vectors, whose catalog need not be asked
 */
export function toHits(
  catalog: Catalog,
  hasItems: boolean,
  ranked: readonly { id: number; score: number }[],
): Hit[] {
  if (!hasItems) return ranked.map(({ id, score }) => ({ ...toItem(id, null), score }));
  const known = catalog.itemsByIds(ranked.map(({ id }) => id));
  return ranked.flatMap(({ id, score }, i) => {
    const item = known[i];
    return item == null ? [] : { ...toItem(id, item), score };
  });
}
