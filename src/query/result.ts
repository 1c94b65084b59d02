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

/** @param hasItems false for an index of bare vectors, whose catalog need not be asked */
export function toHits(
  catalog: Catalog,
  hasItems: boolean,
  ranked: readonly { id: number; score: number }[],
): Hit[] {
  const known = hasItems ? catalog.itemsByIds(ranked.map(({ id }) => id)) : [];
  return ranked.map(({ id, score }, i) => ({ ...toItem(id, known[i] ?? null), score }));
}
