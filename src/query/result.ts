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

/** Ids with scores, best first; equal lengths. */
export interface Ranked {
  ids: Float64Array;
  scores: Float32Array;
}

/** What is left of `ranked` without the ids in `leaveOut` and scores below `minScore`. */
export function leaveOut(
  { ids, scores }: Ranked,
  left: ReadonlySet<number>,
  minScore: number,
): Ranked {
  let end = ids.length;
  while (end > 0 && (scores[end - 1] as number) < minScore) end -= 1;
  const enough = slice({ ids, scores }, 0, end);
  if (left.size === 0) return enough;
  const kept = (_: number, i: number) => !left.has(enough.ids[i] as number);
  return { ids: enough.ids.filter(kept), scores: enough.scores.filter(kept) };
}

/** The same arrays where that is all of them: a view costs more than most other steps of a query. */
export function slice({ ids, scores }: Ranked, start: number, end: number): Ranked {
  if (start === 0 && end >= ids.length) return { ids, scores };
  return { ids: ids.subarray(start, end), scores: scores.subarray(start, end) };
}

/** Hits of items, joined with the catalog. One that a commit took out of it since is left out. */
export function joinHits(catalog: Catalog, { ids, scores }: Ranked): Hit[] {
  const known = catalog.itemsByIds(Array.from(ids));
  return known.flatMap((item, i) =>
    item == null ? [] : { ...toItem(ids[i] as number, item), score: scores[i] as number },
  );
}

/** Hits of bare vectors, of which nothing but the id is known. */
export function bareHits({ ids, scores }: Ranked): Hit[] {
  return Array.from(ids, (id, i) => ({ ...toItem(id, null), score: scores[i] as number }));
}
