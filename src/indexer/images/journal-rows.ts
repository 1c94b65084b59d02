// The images of the journal as rows to encode: in the order given, with consecutive item ids.
import { createHash } from 'node:crypto';
import { throwIfAborted } from '../../errors.js';
import type { EmbeddingBatch, RowSource } from '../rows/row-source.js';
import type { Captions } from '../sources/captions.js';
import { newItems } from './items.js';
import type { Journal, JournaledImage } from './journal.js';

const PICK_BATCH_ROWS = 1024;

export class JournalRows implements RowSource {
  readonly path: string;
  readonly identity: string;
  readonly rows: number;
  readonly hasItems = true;

  constructor(
    private readonly journal: Journal,
    private readonly images: readonly JournaledImage[],
    private readonly captions: Captions,
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
  ): AsyncGenerator<EmbeddingBatch> {
    for (let firstRow = start; firstRow < this.rows; firstRow += batchRows) {
      throwIfAborted(signal);
      const images = this.images.slice(firstRow, firstRow + batchRows);
      const firstId = this.firstId + firstRow;
      yield {
        firstRow,
        vectors: await this.journal.readEmbeddings(images),
        ids: Float64Array.from(images, (_, i) => firstId + i),
        items: newItems(images, firstId, this.captions),
      };
    }
  }

  async *pick(picks: Float64Array, signal: AbortSignal | undefined) {
    for (let start = 0; start < picks.length; start += PICK_BATCH_ROWS) {
      throwIfAborted(signal);
      const some = Array.from(picks.subarray(start, start + PICK_BATCH_ROWS));
      yield await this.journal.readEmbeddings(
        some.map((row) => this.images[row] as JournaledImage),
      );
    }
  }
}
