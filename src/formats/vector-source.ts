// The interface of a source of ready-made vectors, and the fields of its items.
//
// A source is a sequence of rows of one length. It has a path, a size and a time, so that a later
// build can tell whether it has changed, and it can be read more than once: training samples it
// before encoding reads all of it. No source holds all of its rows in memory.

import type { RawVectors } from '../native/addon.js';

export type { RawVectors };

/** Fields of an item besides its vector, all of them optional. */
export interface ItemFields {
  /** The caller's name for the item. */
  key?: string;
  /** The file or address that the vector was made from; never read. */
  path?: string;
  caption?: string;
  /** Any further fields, stored as JSON. */
  metadata?: Record<string, unknown>;
}

/** Consecutive rows of a source. */
export interface VectorChunk {
  /** Row in the source of the first vector. */
  firstRow: number;
  rows: number;
  /** rows x dims; owned by the receiver. */
  vectors: RawVectors;
  /** rows entries, or null where the source has no items. */
  items: ItemFields[] | null;
}

export interface ReadOptions {
  /** Rows before this one are skipped. */
  firstRow?: number;
  /** At most this many rows a chunk. */
  batchRows: number;
  signal?: AbortSignal | undefined;
}

export interface VectorSource {
  /** Absolute path of the file, or the name of a stream. */
  readonly path: string;
  readonly rows: number;
  readonly dims: number;
  /** Size and time of modification (milliseconds since 1970), summed and latest over its files. */
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Whether chunks carry items. */
  readonly hasItems: boolean;
  /** All rows in order. Throws ERR_SOURCE_INVALID where the file turns out to be damaged. */
  read(options: ReadOptions): AsyncIterable<VectorChunk>;
  /** `rows` rows from `firstRow`, by position, where the format allows it cheaply. */
  readAt?(firstRow: number, rows: number): Promise<RawVectors>;
  /** Frees what the source holds open. */
  close(): Promise<void>;
}

/** The least and the greatest number of dimensions that corvid indexes. */
export const MIN_DIMS = 8;
export const MAX_DIMS = 16_384;
