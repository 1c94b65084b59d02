// Typed surface of native segments: written once by one writer, then read by any number of threads.

import type { EncodedBatch, NativeCodec } from './codec.js';
import type { ScanRequest, ScanResult } from './search.js';

export interface SegmentWriterOptions {
  /** Made by the writer. Must not exist unless `resumable`; its parent folder must. */
  dir: string;
  uuid: string;
  codec: NativeCodec;
  vectors: boolean;
  /** Expected rows, to size the spill buckets; may be exceeded. */
  rowsHint: number;
  /** Bytes that buffers may use. */
  memoryBytes: number;
  /** Makes checkpoints, and resumes from the last one of an earlier writer of the same segment: same
   * uuid, same rows in the same order. Default: false. */
  resumable?: boolean;
}

export interface NativeSegmentWriter {
  /** Spills a batch into buckets of lists. `ids`: item ids, safe integers >= 0, one per row.
   * One call at a time: await each. */
  append(batch: EncodedBatch, ids: Float64Array): Promise<void>;
  /** Places all rows in list order into the segment's files, fsyncs them, removes the spill. */
  finish(): Promise<SegmentInfo>;
  progress(): { phase: string; done: number; total: number };
  /** How many of the first rows an earlier writer has added: they must not be added again. */
  resumedRows(): number;
  /** Removes everything written, except what can be resumed. */
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
  /** Every file with its size, and its bytes that stay in memory while searching. */
  files: { name: string; bytes: number; residentBytes: number }[];
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
  /** Estimated cosines of rows by the code's first `bits`. */
  refine(query: Float32Array, rowIndexes: Float64Array, bits: number): Float32Array;
  /** Cosines of rows by the stored int8 vectors. */
  rescore(query: Float32Array, rowIndexes: Float64Array): Float32Array;
  /** rowIndexes.length x dims, unit length: from stored vectors, else decoded from all planes. */
  reconstruct(rowIndexes: Float64Array): Float32Array;
  /** Rows for a writer with the same codec: rewriting them loses nothing.
   * Throws ERR_NOT_FOUND if a plane, or the vectors asked for, are missing. */
  copyRows(rowIndexes: Float64Array, vectors: boolean): EncodedBatch;
  itemIds(rowIndexes: Float64Array): Float64Array;
  /** Row of each item id, or -1. One pass over rows.bin. */
  findRows(ids: Float64Array): Float64Array;
  /** Filter of the rows whose item id is in `include` (null: all) and not in `exclude`.
   * One pass over rows.bin. */
  createFilter(include: Float64Array | null, exclude: Float64Array | null): NativeRowFilter;
  /** Checks every block checksum and cross-reference; throws ERR_FORMAT_CORRUPT. */
  verify(): Promise<{ files: number; bytes: number }>;
}
