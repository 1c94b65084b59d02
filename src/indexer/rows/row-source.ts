// Rows on their way into a segment: vectors with their item ids, and the items themselves.
//
// Whatever a build encodes comes through this one interface: files of vectors, the journal of
// embedded images, and segments that are rewritten. Reading changes nothing, here or in the
// catalog. All rows can be read more than once and in the same order each time, so a build that was
// killed and run again gives the same index.
import type { RawVectors } from '../../native/addon.js';
import type { NewItem } from '../../store/catalog-writer.js';

/** Consecutive rows before they are encoded; afterwards they are an EncodedBatch of the codec. */
export interface EmbeddingBatch {
  /** Row, counted over this source, of the first vector. */
  firstRow: number;
  /** ids.length x dims, of any length but zero, as the source has them. */
  vectors: RawVectors;
  ids: Float64Array;
  /** ids.length items to be added to the catalog; null where there are none. */
  items: readonly NewItem[] | null;
}

export interface RowSource {
  /** Where the rows come from, for messages. */
  readonly path: string;
  /** A text that differs when the rows differ. */
  readonly identity: string;
  readonly rows: number;
  readonly dims: number;
  /** Whether batches carry items. */
  readonly hasItems: boolean;
  /** All rows from `firstRow` on in order, at most `batchRows` at a time. */
  read(
    firstRow: number,
    batchRows: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<EmbeddingBatch>;
  /**
   * The vectors of some rows, in batches of any size, in order.
   * @param picks ascending row numbers without repeats
   */
  pick(picks: Float64Array, signal: AbortSignal | undefined): AsyncIterable<RawVectors>;
}

export function totalRows(sources: readonly RowSource[]): number {
  return sources.reduce((sum, { rows }) => sum + rows, 0);
}

/** The vectors and ids of a batch from `firstRow` on; null if it ends before. */
export function batchFrom(
  firstRow: number,
  batch: EmbeddingBatch,
  dims: number,
): Omit<EmbeddingBatch, 'items'> | null {
  const skipped = firstRow - batch.firstRow;
  if (skipped <= 0) return batch;
  if (skipped >= batch.ids.length) return null;
  const vectors = batch.vectors.subarray(skipped * dims);
  return { firstRow, vectors, ids: batch.ids.subarray(skipped) };
}
