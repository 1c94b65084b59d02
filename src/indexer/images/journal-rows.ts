// The images of the journal as rows to encode: in the order given, with consecutive item ids.
import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../errors.js';
import type { RowBatch, Rows } from '../commit/rows.js';
import type { Journal, JournaledImage } from './journal.js';

const PICK_BATCH_ROWS = 1024;

export class JournalRows implements Rows {
  readonly path: string;
  readonly identity: string;
  readonly rows: number;

  constructor(
    private readonly journal: Journal,
    private readonly images: readonly JournaledImage[],
    readonly dims: number,
    private readonly firstId: number,
  ) {
    this.path = journal.path;
    this.rows = images.length;
    const hash = createHash('sha256').update(`${firstId}\n`);
    for (const { path, sha256 } of images) hash.update(JSON.stringify([path, sha256]));
    this.identity = hash.digest('hex');
  }

  async *read(
    start: number,
    batchRows: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RowBatch> {
    for (let firstRow = start; firstRow < this.rows; firstRow += batchRows) {
      throwIfAborted(signal);
      const images = this.images.slice(firstRow, firstRow + batchRows);
      const ids = Float64Array.from(images, (_, i) => this.firstId + firstRow + i);
      yield { firstRow, vectors: await this.journal.readEmbeddings(images), ids };
    }
  }

  async *pick(picks: Float64Array, signal: AbortSignal | undefined) {
    for (let start = 0; start < picks.length; start += PICK_BATCH_ROWS) {
      throwIfAborted(signal);
      const rows = Array.from(picks.subarray(start, start + PICK_BATCH_ROWS));
      yield await this.journal.readEmbeddings(
        rows.map((row) => this.images[row] as JournaledImage),
      );
    }
  }
}
