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

/** How a shortlist becomes items. */
export interface FinishRequest {
  scoring: Scoring;
  /** Pairs: score by the first so many bits, then keep the best so many rows. */
  refine: Uint32Array;
  /** Score what is left by the stored vectors. */
  rescore: boolean;
  /** Items to return. */
  wanted: number;
}

/** Whole queries of one plan; plain data, so that it can go to a worker. */
export interface AnswerRequest extends FinishRequest {
  /** count x dims, unit rows. */
  queries: Float32Array;
  /** Lists each query is routed to. */
  probes: number;
  /** Those lists and their similarities, most similar first, count x probes each; null: routed here,
   * by brute force. */
  lists: Uint32Array | null;
  similarities: Float32Array | null;
  /** Scan all rows, and not only the lists. */
  everywhere: boolean;
  /** End a query's scan where the log odds of finding more fall below this; -Infinity: never. */
  stop: number;
  /** Rows of the shortlist. */
  shortlist: number;
  /** A scan of lists does not end early before it has met so many rows. */
  enough: number;
  /** The weight of the norm is estimated from the score at this rank within the first `nearest`
   * lists. */
  normRank: number;
  nearest: number;
  /** RowFilter handle for each segment: 0 keeps all rows, -1 none. Null: no filter. */
  filters: Float64Array | null;
}

/** Answers of several queries, one after another. */
export interface NativeAnswers {
  /** Items of each query. */
  counts: Uint32Array;
  /** By score descending, then id ascending; query after query. */
  ids: Float64Array;
  scores: Float32Array;
  /** Of each query: rows read by the scan, lists scanned, rows of the shortlist. */
  scannedRows: Float64Array;
  probedLists: Uint32Array;
  shortlists: Uint32Array;
  /** Times of all queries together. */
  routeMs: number;
  scanMs: number;
  refineMs: number;
  rescoreMs: number;
}

/** One codec and its segments, as one thread searches them. Rows are global: those of segment after
 * segment. */
export interface NativeSearcher {
  /** Routes, scans, refines, rescores. Scans further lists for a query whose lists hold too little. */
  answer(request: AnswerRequest): NativeAnswers;
  /** From a shortlist that was scanned elsewhere to items: `counts`, `ids`, `scores` and times. */
  finish(
    request: FinishRequest & { query: Float32Array; rows: Float64Array; scores: Float32Array },
  ): NativeAnswers;
  close(): void;
}

/** The true nearest rows to some queries, found while the rows of a collection pass by. */
export interface NativeExactNeighbours {
  /** rows: ids.length x dims, unit rows, not to be changed meanwhile. One call at a time. */
  add(rows: Float32Array, ids: Float64Array, threads: number): Promise<void>;
  /** `counts` neighbours of each query, best first (cosine descending, then id), query after query;
   * `selves`: the id of the first row that equals the query, which is no neighbour, or -1. */
  result(): { counts: Uint32Array; ids: Float64Array; selves: Float64Array };
}
