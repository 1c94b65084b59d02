// The rows of a live segment, to be written anew: as vectors for another codec, or code by code for
// the same one, which loses nothing.
//
// Rows of removed items are left out. The segment and its codec stay as they are.

import { throwIfAborted } from '../errors.js';
import { type EncodedBatch, type NativeCodec, type NativeSegment, native } from '../native.js';
import type { RowBatch, Rows } from './rows.js';

export class SegmentRows implements Rows {
  readonly identity: string;
  readonly rows: number;
  readonly dims: number;
  private readonly segment: NativeSegment;
  /** Rows of items that were not removed, ascending. */
  private readonly live: Float64Array;

  /** @param removed item ids to leave out */
  constructor(
    readonly path: string,
    codec: NativeCodec,
    removed: ReadonlySet<number>,
  ) {
    this.segment = native.openSegment(path, codec);
    const { uuid, rows } = this.segment.info();
    const all = Float64Array.from({ length: rows }, (_, row) => row);
    if (removed.size === 0) this.live = all;
    else {
      const ids = this.segment.itemIds(all);
      this.live = all.filter((row) => !removed.has(ids[row] as number));
    }
    this.rows = this.live.length;
    this.dims = codec.info().dims;
    this.identity = JSON.stringify([uuid, this.rows]);
  }

  async *read(batchRows: number, signal: AbortSignal | undefined): AsyncGenerator<RowBatch> {
    for (let firstRow = 0; firstRow < this.rows; firstRow += batchRows) {
      throwIfAborted(signal);
      const rows = this.live.slice(firstRow, firstRow + batchRows);
      yield {
        firstRow,
        vectors: this.segment.reconstruct(rows),
        ids: this.segment.itemIds(rows),
      };
    }
  }

  /** The rows as they are, for a writer with the same codec. */
  async *copy(
    batchRows: number,
    vectors: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ batch: EncodedBatch; ids: Float64Array }> {
    for (let firstRow = 0; firstRow < this.rows; firstRow += batchRows) {
      throwIfAborted(signal);
      const rows = this.live.slice(firstRow, firstRow + batchRows);
      yield { batch: this.segment.copyRows(rows, vectors), ids: this.segment.itemIds(rows) };
    }
  }

  async *pick(picks: Float64Array, signal: AbortSignal | undefined) {
    const batchRows = 1024;
    for (let start = 0; start < picks.length; start += batchRows) {
      throwIfAborted(signal);
      const rows = picks.slice(start, start + batchRows).map((pick) => this.live[pick] as number);
      yield this.segment.reconstruct(rows);
    }
  }

  close(): void {
    this.segment.close();
  }
}
