// From item ids to what the catalog knows of them, and the result that holds them.
import { inspect } from 'node:util';
import type { Catalog, CatalogItem } from '../../store/catalog.js';
import type { Hit, Item, SearchResult, Timings } from '../types.js';
import type { Ranked } from './answers.js';

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

/** `ranked` without the ids in `excluded` and scores below `minScore`. */
export function exclude(ranked: Ranked, excluded: ReadonlySet<number>, minScore: number): Ranked {
  let end = ranked.ids.length;
  while (end > 0 && (ranked.scores[end - 1] as number) < minScore) end--;
  const passing = slice(ranked, 0, end);
  if (excluded.size === 0) return passing;
  const kept = (_: number, i: number) => !excluded.has(passing.ids[i] as number);
  return { ids: passing.ids.filter(kept), scores: passing.scores.filter(kept) };
}

/** The same object where that is all of it: a view costs more than most other steps of a query. */
export function slice(ranked: Ranked, start: number, end: number): Ranked {
  if (start === 0 && end >= ranked.ids.length) return ranked;
  return { ids: ranked.ids.subarray(start, end), scores: ranked.scores.subarray(start, end) };
}

/** Hits of items, joined with the catalog, without those that a commit has removed since. */
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

/** What results of one plan that were found together share. */
export type SharedDetails = Pick<
  SearchResult,
  'expectedRecall' | 'rows' | 'matchingRows' | 'lists' | 'levels' | 'rescored' | 'timings'
>;

/** What a result reports of its search alone. */
export type SearchDetails = Pick<
  SearchResult,
  'exact' | 'scannedRows' | 'probedLists' | 'shortlist'
>;

/**
 * A result whose hits, if they are of bare vectors, are made when they are first asked for: a batch
 * of thousands makes no objects that nobody reads. They are accessors of the class, since an object
 * with a getter defined on itself costs ten times as much.
 */
export class QueryResult implements SearchResult {
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
  constructor(ranked: Ranked, hits: Hit[] | null, details: SearchDetails, shared: SharedDetails) {
    this.exact = details.exact;
    this.expectedRecall = shared.expectedRecall;
    this.rows = shared.rows;
    this.matchingRows = shared.matchingRows;
    this.scannedRows = details.scannedRows;
    this.lists = shared.lists;
    this.probedLists = details.probedLists;
    this.shortlist = details.shortlist;
    this.levels = shared.levels;
    this.rescored = shared.rescored;
    this.timings = shared.timings;
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
  toJSON(): SearchDetails & SharedDetails & { hits: Hit[] } {
    return { hits: this.hits, ...(this as SearchDetails & SharedDetails) };
  }
  [inspect.custom](): unknown {
    return this.toJSON();
  }
}
