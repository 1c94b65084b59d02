// The rows of a live segment that is rewritten: as vectors for another codec, or code by code for
// the same one, which loses nothing.
//
// Rows of removed items are skipped. Their items are in the catalog already. The segment and its
// codec stay as they are.

import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../errors.js';
import {
  type EncodedBatch,
  type NativeCodec,
  type NativeSegment,
  native,
} from '../../native/addon.js';
import type { EmbeddingBatch, RowSource } from './row-source.js';

export class SegmentRows implements RowSource {
  readonly hasItems = false;
  readonly identity: string;
  readonly rows: number;
  readonly dims: number;
  readonly #segment: NativeSegment;
  /** Rows of items that were not removed, ascending; null: all. */
  readonly #live: Float64Array | null = null;

  /** @param removed item ids whose rows are skipped */
  constructor(
    readonly path: string,
    codec: NativeCodec,
    removed: ReadonlySet<number>,
  ) {
    this.#segment = native.openSegment(path, codec);
    const { uuid, rows } = this.#segment.info();
    const hash = createHash('sha256').update(uuid);
    if (removed.size > 0) {
      const all = new Float64Array(rows).map((_, row) => row);
      const ids = this.#segment.itemIds(all);
      this.#live = all.filter((row) => !removed.has(ids[row] as number));
      hash.update(this.#live);
    }
    this.rows = this.#live?.length ?? rows;
    this.dims = codec.info().dims;
    this.identity = hash.digest('hex');
  }

  async *read(
    start: number,
    batchRows: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<EmbeddingBatch> {
    for (let firstRow = start; firstRow < this.rows; firstRow += batchRows) {
      throwIfAborted(signal);
      const rowIndexes = this.#liveRows(firstRow, batchRows);
      yield {
        firstRow,
        vectors: this.#segment.reconstruct(rowIndexes),
        ids: this.#segment.itemIds(rowIndexes),
        items: null,
      };
    }
  }

  /** The rows from `start` on as they are, for a writer with the same codec. */
  async *copy(
    start: number,
    batchRows: number,
    vectors: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ batch: EncodedBatch; ids: Float64Array }> {
    for (let firstRow = start; firstRow < this.rows; firstRow += batchRows) {
      throwIfAborted(signal);
      const rowIndexes = this.#liveRows(firstRow, batchRows);
      const batch = this.#segment.copyRows(rowIndexes, vectors);
      yield { batch, ids: this.#segment.itemIds(rowIndexes) };
    }
  }

  async *pick(picks: Float64Array, signal: AbortSignal | undefined) {
    const batchRows = 1024;
    for (let start = 0; start < picks.length; start += batchRows) {
      throwIfAborted(signal);
      const some = picks.slice(start, start + batchRows);
      yield this.#segment.reconstruct(some.map((pick) => this.#live?.[pick] ?? pick));
    }
  }

  #liveRows(first: number, count: number): Float64Array {
    if (this.#live !== null) return this.#live.slice(first, first + count);
    return new Float64Array(Math.min(count, this.rows - first)).map((_, i) => first + i);
  }

  close(): void {
    this.#segment.close();
  }
}
