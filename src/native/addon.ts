// Loads the native addon, and gives its surface a type. The only file that knows where it lies.
//
// Arguments are validated by the callers in TypeScript, with helpful messages; native code checks
// bounds again. Native objects that map files (codec, segment, filter) are shared by the whole
// process: a second `open` of the same file, from any worker thread, returns a face of the same
// mapping. No typed array handed out aliases native memory.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CorvidError, type ErrorCode } from '../errors.js';

/** `asymmetric`: the query stays float; `hamming`: both sides are bits. */
export type Scoring = 'asymmetric' | 'hamming';

/** What a codec is and costs. Sizes in bytes; `dims` as the caller's embeddings have it. */
export interface CodecInfo {
  method: 'trained' | 'rotation';
  uuid: string;
  dims: number;
  /** Code lengths in bits, ascending, nested: e.g. [64, 128, 256, 512]. */
  levels: number[];
  lists: number;
  /** Groups of lists with directions and corners of their own: at level 64, at longer levels. */
  groups: number;
  outerGroups: number;
  seed: number;
  trainingRows: number;
  /** Dimensions of routing vectors (`routingCentroids`, `routingQuery`). */
  routingDims: number;
  residentBytes: number;
  fileBytes: number;
}

export interface TrainingOptions {
  dims: number;
  /** `rotation`: one list, a random rotation, no k-means; for collections too small to train. */
  method: 'trained' | 'rotation';
  /** The first one to four of 64, 128, 256, 512, none above max(64, dims). */
  levels: readonly number[];
  /** At most the sample's rows, unless they are given; 1 for `rotation`. */
  lists: number;
  /** Groups of lists that share directions and corners at level 64; at most `lists`. */
  groups: number;
  /** Groups of those groups that do at longer levels; at most `groups`. */
  outerGroups: number;
  seed: number;
  threads: number;
}

export interface NativeTraining<Result = NativeCodec> {
  /** Where training stands; `done` of `total` in units of the phase. Callable at any time. */
  progress(): { phase: string; done: number; total: number };
  /** Makes `result` reject with ERR_ABORTED soon. */
  cancel(): void;
  result: Promise<Result>;
}

/** Embeddings to find lists among, a byte a number. */
export interface NativeByteSample {
  /** embeddings: unit rows. */
  add(embeddings: Float32Array): void;
  /** Gives the memory back; nothing else can be called afterwards. */
  free(): void;
}

/** Centers of lists. Training with them uses them up. */
export type NativeLists = object & { readonly __lists: never };

/** Vectors one after another as a file or an app has them, of any length. Uint16Array holds IEEE half
 * floats. */
export type RawVectors = Float32Array | Uint16Array | Int8Array;

/** `rows` embeddings as codes: what the codec hands to the segment writer. */
export interface EncodedBatch {
  rows: number;
  /** rows list numbers. */
  lists: Uint32Array;
  /** rows x codeBytes: each row's records in the planes of all levels, one after another (FORMAT.md,
   * section 3). */
  codes: Uint8Array;
  /** rows x dims scalar-quantised vectors, present when asked for. */
  vectors?: Int8Array;
}

export interface NativeCodec {
  info(): CodecInfo;
  /** Writes the codec to `path` (not renamed, fsynced). */
  save(path: string): Promise<void>;
  /** Assigns lists and encodes. `vectors`: rows x dims, of any length but zero; read until the promise
   * settles, so do not touch them before. */
  encode(
    vectors: RawVectors,
    options: { vectors: boolean; threads: number },
  ): Promise<EncodedBatch>;
  /** lists x routingDims, unit length: what the routing graph is built over. */
  routingCentroids(): Float32Array;
  /** routingDims numbers: the query as the routing graph wants it. */
  routingQuery(query: Float32Array): Float32Array;
  /** The `probes` lists whose normalised centroids are most similar to each query, best first:
   * queries x probes. By brute force. */
  nearestLists(queries: Float32Array, probes: number): Uint32Array;
}

export interface SegmentWriterOptions {
  /** Made by the writer; must not exist unless `resumable`, the folder above must. */
  dir: string;
  uuid: string;
  codec: NativeCodec;
  vectors: boolean;
  /** Expected rows, to size the spill buckets; may be exceeded. */
  rowsHint: number;
  /** Bytes that buffers may take. */
  memoryBytes: number;
  /** Makes checkpoints, and goes on from the last one of a writer that was to write the same segment
   * there: same uuid, same rows in the same order. Default: false. */
  resumable?: boolean;
}

export interface NativeSegmentWriter {
  /** Spills a batch into buckets of lists. `ids`: item ids, safe integers >= 0, one per row.
   * One call at a time: await each. */
  append(batch: EncodedBatch, ids: Float64Array): Promise<void>;
  /** Places all rows in list order into the segment's files, fsyncs them, removes the spill. */
  finish(): Promise<SegmentInfo>;
  progress(): { phase: string; done: number; total: number };
  /** Rows, the first of all, that an earlier writer has added: they must not be added again. */
  resumedRows(): number;
  /** Removes everything written, but what can be resumed. */
  abort(): void;
}

export interface SegmentInfo {
  uuid: string;
  rows: number;
  lists: number;
  /** Levels whose planes are present, ascending. */
  levels: number[];
  /** Levels the codec has whose plane files are missing. */
  missingLevels: number[];
  vectors: boolean;
  /** Vectors were written, and their file is gone. */
  missingVectors: boolean;
  /** Every file with its size, and the bytes that want memory while searching. */
  files: { name: string; bytes: number; residentBytes: number }[];
}

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

export interface NativeRowFilter {
  /** Number that other threads may use in ScanRequest.filter while this object is not freed. */
  readonly handle: number;
  /** Rows that pass. */
  readonly rows: number;
  free(): void;
}

export interface NativeSegment {
  info(): SegmentInfo;
  close(): void;
  /** normWeight for a shortlist of `limit`: scans `lists` (the nearest few) until it settles. */
  estimateNormWeight(query: Float32Array, lists: Uint32Array, limit: number): number;
  scan(request: ScanRequest): ScanResult;
  /** Rows in the given lists. */
  countRows(lists: Uint32Array): number;
  /** Estimated cosines of `rows` by the code's first `bits`. */
  refine(query: Float32Array, rows: Float64Array, bits: number): Float32Array;
  /** Cosines of `rows` by the stored int8 vectors. */
  rescore(query: Float32Array, rows: Float64Array): Float32Array;
  /** rows x dims embeddings, unit length: from stored vectors, else decoded from all planes. */
  reconstruct(rows: Float64Array): Float32Array;
  /** Rows as a writer with the same codec takes them: nothing is lost by writing them anew.
   * Throws ERR_NOT_FOUND if a plane, or vectors that are wanted, are missing. */
  copyRows(rows: Float64Array, vectors: boolean): EncodedBatch;
  itemIds(rows: Float64Array): Float64Array;
  /** Row of each item id, or -1. One pass over rows.bin. */
  findRows(ids: Float64Array): Float64Array;
  /** Filter of the rows whose item id is in `include` (null: all) and not in `exclude`.
   * One pass over rows.bin. */
  createFilter(include: Float64Array | null, exclude: Float64Array | null): NativeRowFilter;
  /** Checks every block checksum and cross-reference; throws ERR_FORMAT_CORRUPT. */
  verify(): Promise<{ files: number; bytes: number }>;
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
export interface NativeGroundTruth {
  /** rows: ids.length x dims, unit rows, not to be changed meanwhile. One call at a time. */
  add(rows: Float32Array, ids: Float64Array, threads: number): Promise<void>;
  /** `counts` neighbours of each query, best first (cosine descending, then id), query after query;
   * `selves`: the id of the row that is the query itself, and so no neighbour, or -1. */
  result(): { counts: Uint32Array; ids: Float64Array; selves: Float64Array };
}

/** A file of the caller's own packed codes, mapped: rows x strideBytes from an offset on. */
export interface NativePackedCodes {
  /** Best `limit` of rows [firstRow, lastRow) by exact Hamming distance to `query` (strideBytes),
   * then row. */
  scan(
    query: Uint8Array,
    firstRow: number,
    lastRow: number,
    limit: number,
  ): { rows: Float64Array; distances: Uint16Array };
  close(): void;
}

export interface FileLock {
  release(): void;
}

export interface NativeAddon {
  simdLevel(): 'scalar' | 'avx2' | 'avx512' | 'amx' | 'neon';
  /** Instruction sets that this build has and this machine can run. */
  simdLevels(): string[];
  crc32c(data: Uint8Array, initial?: number): number;
  /** Exclusive advisory lock on a file (made if absent), or null if another holder has it.
   * Released by the operating system when the process dies. */
  lockFile(path: string): FileLock | null;
  /** Float32 rows of unit length from f32, f16 (as Uint16Array), or int8 rows.
   * Written to `into`, which may be `vectors` itself, or to a new array.
   * Throws ERR_VECTOR_INVALID with the row number for NaN, infinity or length zero. */
  toUnit(vectors: RawVectors, dims: number, into?: Float32Array): Float32Array;
  ByteSample: new (capacity: number, dims: number) => NativeByteSample;
  /** Finds lists by k-means in two levels; `lists` is at most the sample's rows. */
  startLists(
    sample: NativeByteSample,
    options: { lists: number; seed: number; threads: number },
  ): NativeTraining<NativeLists>;
  /** `lists`: those of the codec, found among other rows; left out, they are found among the
   * sample's. */
  startTraining(
    sample: Float32Array,
    options: TrainingOptions,
    lists?: NativeLists | null,
  ): NativeTraining;
  /** `uuid`: if a codec of this path and UUID is open in the process, that one, even where its file is
   * gone by now. */
  openCodec(path: string, uuid?: string): NativeCodec;
  createSegmentWriter(options: SegmentWriterOptions): NativeSegmentWriter;
  /** `uuid`: as for openCodec. */
  openSegment(dir: string, codec: NativeCodec, uuid?: string): NativeSegment;
  /** Checks header, length and every checksum of one binary file of ours. @returns its bytes. */
  verifyFile(path: string): Promise<number>;
  /** The segments must be open, and may be closed before the searcher. */
  openSearcher(codec: NativeCodec, segments: readonly NativeSegment[]): NativeSearcher;
  /** queries: count x dims, unit rows. `kept`: neighbours kept of each. `selves`: the id of each
   * query, or -1 if it is no row; left out, the first row that equals a query is taken for it. */
  GroundTruth: new (
    queries: Float32Array,
    dims: number,
    kept: number,
    selves?: Float64Array,
  ) => NativeGroundTruth;
  /** strideBytes: a multiple of 8 from 8 to 128. The file must hold all rows, and keep its length. */
  PackedCodes: new (
    path: string,
    offset: number,
    rows: number,
    strideBytes: number,
  ) => NativePackedCodes;
}

/** Properties that native errors carry beside their message. */
interface NativeErrorShape {
  code?: string;
  path?: string;
  expected?: string;
  actual?: string;
  hint?: string;
}

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

function load(): NativeAddon {
  const root = join(here, '..', '..', '..', 'native-bindings');
  try {
    const build = require('node-gyp-build') as (dir: string) => NativeAddon;
    return build(root);
  } catch (cause) {
    throw new CorvidError('ERR_NATIVE', 'the native addon could not be loaded', {
      path: root,
      hint: 'run "npm rebuild corvid" with a C++17 compiler and Python installed',
      cause,
    });
  }
}

/** The addon. One per thread; what it maps is shared by the process. */
export const native: NativeAddon = load();

/** Gives an error thrown by native code the one public class. Anything else passes unchanged. */
export function fromNative(error: unknown): unknown {
  if (error instanceof CorvidError || !(error instanceof Error)) return error;
  const shape = error as Error & NativeErrorShape;
  if (typeof shape.code !== 'string' || !shape.code.startsWith('ERR_')) return error;
  const { path, expected, actual, hint } = shape;
  return new CorvidError(shape.code as ErrorCode, shape.message, {
    ...(path === undefined ? {} : { path }),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
