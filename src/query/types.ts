// The public types of searching: what a caller asks, and what comes back.
//
// Flat objects and typed arrays only; no class of another library appears here. A number that has a
// unit carries it in its name.
import type { Embedder, EncoderFingerprint, ImageInput } from '../embed/embedder.js';
import type { CodecInfo, Scoring } from '../native/addon.js';
import type { RecallCard } from './recall/recall-card.js';

/** An item: its numeric id, or the caller's string key (for images, the path below the source). */
export type ItemRef = number | string;

interface Weighted {
  /** Default 1. Negative: less like this. Zero is refused. */
  weight?: number;
}
/** A part of a query: a text. */
export interface TextPart extends Weighted {
  text: string;
}
/** A part of a query: an image file, or its encoded bytes. */
export interface ImagePart extends Weighted {
  /** A path, or encoded bytes (JPEG, PNG, WebP, GIF, AVIF, TIFF). */
  image: ImageInput;
}
/** A part of a query: an embedding of the caller. */
export interface VectorPart extends Weighted {
  /** dims numbers of any length but zero; scaled to unit length. */
  vector: Float32Array;
}
/** A part of a query: an item of the index. */
export interface ItemPart extends Weighted {
  /** An item of the index. Items named in a query are excluded from its hits. */
  item: ItemRef;
}

/** One part of a query: a text, an image, a vector, or an item of the index. */
export type QueryPart = TextPart | ImagePart | VectorPart | ItemPart;

/**
 * A text, taken as it stands (no operators: see `parseQuery`); a vector; or parts. Several parts
 * are summed, each unit vector times its weight, and the sum scaled to unit length.
 */
export type QueryInput = string | Float32Array | QueryPart | readonly QueryPart[];

/** Options of one search. */
export interface SearchOptions {
  /** Hits to return. Default 10. */
  limit?: number | undefined;
  /** Hits to skip at the front. Default 0. */
  offset?: number | undefined;
  /** Excludes hits with a lower score. */
  minScore?: number | undefined;
  /** An SQL condition over the catalog's view `items`, e.g. `taken >= '2022' and path like '%lake%'`. */
  where?: string | undefined;
  /** 0 (fastest) … 1 (scans all lists). Default 0.5. Not together with `targetRecall`. */
  effort?: number | undefined;
  /** Share of the true nearest to aim at, above 0 and below 1: picks the least effort that finds it
   * by the index's recall card. Look at the result's `expectedRecall`. */
  targetRecall?: number | undefined;
  /** Scores every image by the finest level that `levels` allows. */
  exact?: boolean | undefined;
  /** Code lengths to use, e.g. [64] or [64, 512]: the scan is by the first 64 bits always, the hits'
   * scores by the longest. Default: all there are, or the stored vectors where they are kept. */
  levels?: readonly number[] | undefined;
  /** `hamming` compares bits with bits: coarse, for comparison. Default `asymmetric`. */
  scoring?: Scoring | undefined;
  signal?: AbortSignal | undefined;
}

/** What the catalog knows of an item. Null where nothing is known. */
export interface Item {
  id: number;
  key: string | null;
  /** Path of the image file. */
  path: string | null;
  width: number | null;
  height: number | null;
  /** Local time of capture, 'YYYY-MM-DD HH:MM:SS'. */
  takenAt: string | null;
  /** Degrees, north and east positive. */
  latitude: number | null;
  longitude: number | null;
  caption: string | null;
  /** The caller's data. */
  metadata: unknown;
  /** True if the file was damaged, yet could be shown in part. */
  damaged: boolean;
}

export interface Hit extends Item {
  /** Estimated cosine of the query and the image; `hamming`: 1 - 2 x distance / 64. */
  score: number;
}

/** Milliseconds of each step; 0 for a step that was not needed. */
export interface Timings {
  embedMs: number;
  filterMs: number;
  routeMs: number;
  scanMs: number;
  refineMs: number;
  rescoreMs: number;
  joinMs: number;
  totalMs: number;
}

/** `hits`, `ids` and `scores` are accessors (hits of bare vectors are made when first asked for): JSON
 * and `console.log` show the hits, but `{ ...result }` and `postMessage(result)` leave all three out;
 * take `result.toJSON()` there. */
export interface SearchResult {
  /** By score descending, then id ascending. */
  hits: Hit[];
  /** Ids and scores of the same hits as flat arrays: all that is needed where many results are. (An
   * item that a commit removed while the search ran is here still, and not among `hits`.) */
  ids: Float64Array;
  scores: Float32Array;
  /** True if every image (that `where` keeps) was scored by the finest level used. */
  exact: boolean;
  /** Share of the true nearest that such a search finds, by the index's recall card: below
   * `targetRecall` where no effort reaches it. Null where the card does not hold: for texts, with
   * `where`, and where there is none. */
  expectedRecall: number | null;
  /** Images in the index. */
  rows: number;
  /** Images that `where` keeps; `rows` without one. */
  matchingRows: number;
  /** Rows whose 64-bit codes were read. */
  scannedRows: number;
  lists: number;
  probedLists: number;
  /** Rows that were scored again by longer codes or vectors. */
  shortlist: number;
  /** Code lengths used, ascending. */
  levels: number[];
  /** True if the scores come from stored vectors. */
  rescored: boolean;
  /** One object for all results of a batch that were found together. */
  timings: Timings;
  /** The result as a plain object with its hits, without `ids` and `scores`. */
  toJSON(): Omit<SearchResult, 'ids' | 'scores' | 'toJSON'>;
}

/** Bytes of one structure, over all segments. */
export interface LedgerEntry {
  name: string;
  residentBytes: number;
  diskBytes: number;
}

/** What is in an index, and the bytes of each of its structures. */
export interface IndexInfo {
  path: string;
  /** Counts commits: a rebuilt or extended index has another. */
  generation: number;
  images: number;
  segments: number;
  dims: number;
  /** Code lengths present, ascending. */
  levels: number[];
  /** Code lengths of the codec that cannot be used: a file of theirs, or of a shorter one, is gone. */
  missingLevels: number[];
  /** True if int8 vectors were kept, and a file of theirs is gone. */
  missingVectors: boolean;
  /** True if int8 vectors are kept in every segment. */
  vectors: boolean;
  encoder: EncoderFingerprint | null;
  codec: CodecInfo;
  /** Version of corvid that made the last commit. */
  writtenBy: string;
  /** Choices of the build that later builds keep. */
  settings: unknown;
  /** What each effort costs and finds; null if the build did not measure it. */
  recallCard: RecallCard | null;
  ledger: LedgerEntry[];
  /** Totals of the ledger, per image. */
  residentBytesPerImage: number;
  diskBytesPerImage: number;
}

/** What a verification read without finding a fault. */
export interface VerifyReport {
  files: number;
  bytes: number;
}

/** Options of `openIndex`. */
export interface OpenOptions {
  /** Model for texts and images: a folder or a hub id. Default: the one the index was made with.
   * Loaded when a query first needs it. */
  model?: string | undefined;
  /** An encoder of the caller, instead of `model`; the caller closes it. */
  embedder?: Embedder | undefined;
  /** Worker threads for large scans. Default: the machine's cores, at most 16. */
  threads?: number | undefined;
}

/**
 * An open index. All calls may overlap. A search sees the last commit before it began, also of a
 * build in another process. Every method throws ERR_CLOSED after `close`.
 */
export interface CorvidIndex {
  /** @throws ERR_USAGE, ERR_QUERY, ERR_WHERE, ERR_NO_ENCODER, ERR_ENCODER_MISMATCH, ERR_DIMENSION,
   * ERR_VECTOR_INVALID, ERR_ITEM_NOT_FOUND, ERR_ABORTED. */
  search(query: QueryInput, options?: SearchOptions): Promise<SearchResult>;
  /** The same for many queries at once: results in the order of the queries. */
  searchBatch(queries: readonly QueryInput[], options?: SearchOptions): Promise<SearchResult[]>;
  /** Hits one by one, best first, without end but the index's; `limit` is the size of the pages
   * that are fetched ahead. Nothing comes twice. */
  iterate(query: QueryInput, options?: SearchOptions): AsyncIterableIterator<Hit>;
  /** What is known of an item, or null if there is none such. */
  get(item: ItemRef): Promise<Item | null>;
  /** What is in the index, and the size of each of its structures. */
  info(): Promise<IndexInfo>;
  /** Measures the recall card again, with the queries that the build kept; null if it kept none.
   * Rows added since count as misses where they are nearer than what was there. */
  measureRecall(options?: { signal?: AbortSignal }): Promise<RecallCard | null>;
  /** Checks every checksum and cross-reference. @throws ERR_FORMAT_CORRUPT. */
  verify(options?: { signal?: AbortSignal }): Promise<VerifyReport>;
  /** Waits for running calls, then frees files, threads and the encoder. */
  close(): Promise<void>;
  /** Closes the index at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void>;
}
