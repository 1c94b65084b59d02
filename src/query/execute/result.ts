// From item ids to what the catalog knows of them, and the result that holds them.
import { inspect } from 'node:util';
import type { Catalog, CatalogItem } from '../../store/catalog.js';
import type { Hit, Item, SearchResult, Timings } from '../types.js';

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

/** What is left of `ranked` without the ids in `left` and scores below `minScore`. */
export function leaveOut(ranked: Ranked, left: ReadonlySet<number>, minScore: number): Ranked {
  let end = ranked.ids.length;
  while (end > 0 && (ranked.scores[end - 1] as number) < minScore) end -= 1;
  const enough = slice(ranked, 0, end);
  if (left.size === 0) return enough;
  const kept = (_: number, i: number) => !left.has(enough.ids[i] as number);
  return { ids: enough.ids.filter(kept), scores: enough.scores.filter(kept) };
}

/** The same object where that is all of it: a view costs more than most other steps of a query. */
export function slice(ranked: Ranked, start: number, end: number): Ranked {
  if (start === 0 && end >= ranked.ids.length) return ranked;
  return { ids: ranked.ids.subarray(start, end), scores: ranked.scores.subarray(start, end) };
}

/** Hits of items, joined with the catalog. One that a commit took out of it since is left out. */
export function joinHits(catalog: Catalog, { ids, scores }: Ranked): Hit[] {
  const known = catalog.itemsByIds(Array.from(ids));
  return known.flatMap((item, i) =>
    item == null ? [] : toHit(ids[i] as number, item, scores[i] as number),
  );
}

/** Hits of bare vectors, of which nothing but the id is known. */
export function bareHits({ ids, scores }: Ranked): Hit[] {
  return Array.from(ids, (id, i) => toHit(id, null, scores[i] as number));
}

/** An item with its score put in: a copy of it would cost ten times as much, for every hit. */
function toHit(id: number, known: CatalogItem | null, score: number): Hit {
  const hit = toItem(id, known) as Hit;
  hit.score = score;
  return hit;
}

/** What results of one plan that were found together have in common. */
export type Common = Pick<
  SearchResult,
  'expectedRecall' | 'rows' | 'matchingRows' | 'lists' | 'levels' | 'rescored' | 'timings'
>;

/** What a result says of its own search. */
export type Own = Pick<SearchResult, 'exact' | 'scannedRows' | 'probedLists' | 'shortlist'>;

/**
 * A result whose hits, if they are of bare vectors, are made when they are first asked for: a batch of
 * thousands makes no objects that nobody wants. They are accessors of the class, for with a getter of its own an object costs
 * ten times as much.
 */
export class Found implements SearchResult {
  readonly exact: boolean;
  readonly expectedRecall: number | null;
  readonly rows: number;
  readonly matchingRows: number;
  readonly scannedRows: number;
  readonly lists: number;
  readonly probedLists: number;
  readonly shortlist: number;
  readonly levels: number[];
  readonly rescored: boolean;
  readonly timings: Timings;
  readonly #ranked: Ranked;
  #hits: Hit[] | null;

  /** @param hits null: those of bare vectors */
  constructor(ranked: Ranked, hits: Hit[] | null, own: Own, common: Common) {
    this.exact = own.exact;
    this.expectedRecall = common.expectedRecall;
    this.rows = common.rows;
    this.matchingRows = common.matchingRows;
    this.scannedRows = own.scannedRows;
    this.lists = common.lists;
    this.probedLists = own.probedLists;
    this.shortlist = own.shortlist;
    this.levels = common.levels;
    this.rescored = common.rescored;
    this.timings = common.timings;
    this.#ranked = ranked;
    this.#hits = hits;
  }

  get hits(): Hit[] {
    this.#hits ??= bareHits(this.#ranked);
    return this.#hits;
  }
  get ids(): Float64Array {
    return this.#ranked.ids;
  }
  get scores(): Float32Array {
    return this.#ranked.scores;
  }

  /** As JSON, and where it is printed, a result holds its hits, and not the same again as arrays. */
  toJSON(): Own & Common & { hits: Hit[] } {
    return { hits: this.hits, ...(this as Own & Common) };
  }
  [inspect.custom](): unknown {
    return this.toJSON();
  }
}
