// What the build asks of a source of ready-made vectors, and what its items may carry.
//
// A source is a numbered run of rows of one length. It says what it is (path, size, time), so that
// a later build can tell that it has not changed, and it can be read more than once: training
// samples it before encoding passes over it. No source ever holds all of its rows in memory.

import type { RawVectors } from '../native/addon.js';

export type { RawVectors };

/** What an item says besides its vector; all of it optional. */
export interface ItemFields {
  /** The caller's own name for the item. */
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
  /** Rows before this one are left out. */
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

/** Limits of a vector's length that the formats are held to. */
export const MIN_DIMS = 8;
export const MAX_DIMS = 16_384;
