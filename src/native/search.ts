// Typed surface of native searching: scans of one segment, whole queries over all segments of an
// index, and exact neighbours to compare them with.

/** `asymmetric`: the query stays float; `hamming`: both sides are bits. */
export type Scoring = 'asymmetric' | 'hamming';

export interface ScanRequest {
  /** dims numbers, unit length. */
  query: Float32Array;
  /** Lists to scan, in any order, without repeats; null scans all rows. */
  lists: Uint32Array | null;
  scoring: Scoring;
  /** Weight of the folded norm: theta / sqrt(n). See `estimateNormWeight`. */
  normWeight: number;
  /** At most this many rows are returned. */
  limit: number;
  /** Handle of a RowFilter, or 0. */
  filter: number;
  /** For `lists: null`: scan only rows in [firstRow, lastRow). */
  firstRow?: number;
  lastRow?: number;
}

export interface ScanResult {
  /** Row indexes, best first: by score descending, then row ascending. */
  rows: Float64Array;
  /** Folded scores (asymmetric), or 64 - distance (hamming); comparable between lists and segments
   * of one codec for one normWeight. */
  scores: Float32Array;
  scannedRows: number;
}

/**
 * What the searcher is asked of a query: how far to look, and how to score what it finds. Made by
 * query/plan/plan.ts and read by native code as it is; plain data, so that it can go to a worker.
 */
export interface SearchPlan {
  scoring: Scoring;
  /** Items to return. */
  wanted: number;
  /** Lists scanned at most, unless all are. */
  probes: number;
  /** Scan all rows, not only those of the nearest lists. */
  scanAll: boolean;
  /** Rows of the shortlist. */
  shortlist: number;
  /** A scan of lists does not end early before it has met so many rows. */
  minRows: number;
  /** A scan of lists ends where the log odds of finding more fall below this; -Infinity: never. */
  stopLogOdds: number;
  /** The weight of the norm is estimated from the score at this rank within the nearest
   * `normLists` lists. */
  normRank: number;
  normLists: number;
  /** Score the shortlist by the first so many bits of the code; 0: keep the scan's scores. */
  refineBits: number;
  /** Score the shortlist by the stored vectors. */
  rescore: boolean;
}

/** A RowFilter handle for each segment: 0 keeps all rows, -1 none. Null: no filter. */
export type FilterHandles = Float64Array | null;

/** The plan's lists for each query, most similar first: queries x probes. */
export interface RoutedLists {
  lists: Uint32Array;
  /** Inner products with the normalised centroids. */
  similarities: Float32Array;
}

/** Answers of several queries, one after another. */
export interface SearchAnswers {
  /** Items of each query. */
  counts: Uint32Array;
  /** By score descending, then id ascending; query after query. */
  ids: Float64Array;
  scores: Float32Array;
  /** Of each query: rows read by the scan, lists scanned, rows of the shortlist. */
  scannedRows: Float64Array;
  probedLists: Uint32Array;
  shortlists: Float64Array;
  /** Times of all queries together. */
  routeMs: number;
  scanMs: number;
  refineMs: number;
  rescoreMs: number;
}

/** The best of some rows, in no order, which other parts are merged with. */
export interface ScoredRows {
  /** Global rows. */
  rows: Float64Array;
  scores: Float32Array;
  scannedRows: number;
  /** The scores are those of the plan's last step: nothing scores the rows again. */
  final: boolean;
}

/**
 * One codec and its segments, as one thread searches them: all scanning, scoring, merging and
 * ranking of corvid. Rows are global: those of segment after segment. Queries are unit rows of
 * `dims` numbers. Where `cancel` is given, a call that finds its number set returns null soon.
 */
export interface NativeSearcher {
  /**
   * Routes, scans, refines, rescores. Scans further lists for a query whose lists hold too little.
   * @param routed null: routed here, by brute force
   */
  answer(
    queries: Float32Array,
    plan: SearchPlan,
    filters: FilterHandles,
    routed: RoutedLists | null,
    cancel: Int32Array | null,
  ): SearchAnswers | null;
  /** Scans rows [firstRow, lastRow) of a plan with `scanAll`: the best `shortlist` of them. */
  scanPart(
    query: Float32Array,
    plan: SearchPlan,
    filters: FilterHandles,
    firstRow: number,
    lastRow: number,
  ): ScoredRows;
  /** Scores every row of [firstRow, lastRow) by the plan's last step: the best `wanted` of them. */
  sweepPart(
    query: Float32Array,
    plan: SearchPlan,
    filters: FilterHandles,
    firstRow: number,
    lastRow: number,
    cancel: Int32Array | null,
  ): ScoredRows | null;
  /** Merges parts over disjoint rows, all of them final or none, and turns them into items. */
  finish(query: Float32Array, plan: SearchPlan, parts: readonly ScoredRows[]): SearchAnswers;
  /** Global row of each item id, or -1. One pass over the ids of all rows. */
  findRows(ids: Float64Array): Float64Array;
  /** rows x dims embeddings, unit length: from stored vectors, else decoded from all planes. */
  reconstruct(rows: Float64Array): Float32Array;
  /** Whether a segment is so large that parts of it may not lie in memory. */
  mayBeOnDisk(): boolean;
  close(): void;
}

/** The true nearest rows to some queries, found while the rows of a collection pass by. */
export interface NativeGroundTruth {
  /** rows: ids.length x dims, unit rows, not to be changed meanwhile. One call at a time. */
  add(rows: Float32Array, ids: Float64Array, threads: number): Promise<void>;
  /** `counts` neighbours of each query, best first (cosine descending, then id), query after query;
   * `selves`: the id of the row that is the query itself, and so no neighbour, or -1. */
  result(): { counts: Uint32Array; ids: Float64Array; selves: Float64Array };
}
