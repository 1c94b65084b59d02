// The rows of a source of ready-made vectors, with consecutive item ids.
import type { ItemFields, RawVectors, VectorSource } from '../../formats/vector-source.js';
import type { NewItem } from '../../store/catalog-writer.js';
import type { EmbeddingBatch, RowSource } from '../rows/row-source.js';
import { copyRows, picksByPosition } from './picks.js';

/** Picking by position pays below this share of all rows; above it, all are read. */
const MAX_PICKED_SHARE = 1 / 8;
const PICK_BATCH_ROWS = 1024;

export class SourceRows implements RowSource {
  readonly path: string;
  readonly identity: string;
  readonly rows: number;
  readonly dims: number;
  readonly hasItems: boolean;

  /**
   * @param number of the source in the catalog
   * @param firstId item id of row 0
   */
  constructor(
    private readonly source: VectorSource,
    private readonly number: number,
    private readonly firstId: number,
  ) {
    const { path, rows, dims, bytes, modifiedMs, hasItems } = source;
    this.path = path;
    this.identity = JSON.stringify([path, rows, bytes, modifiedMs, firstId]);
    this.rows = rows;
    this.dims = dims;
    this.hasItems = hasItems;
  }

  async *read(
    start: number,
    batchRows: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<EmbeddingBatch> {
    const chunks = this.source.read({ firstRow: start, batchRows, signal });
    for await (const { firstRow, rows, vectors, items } of chunks) {
      const firstId = this.firstId + firstRow;
      yield {
        firstRow,
        vectors,
        ids: new Float64Array(rows).map((_, i) => firstId + i),
        items: items?.map((fields, i) => newItem(firstId + i, this.number, fields)) ?? null,
      };
    }
  }

  pick(picks: Float64Array, signal: AbortSignal | undefined): AsyncIterable<RawVectors> {
    const byPosition = this.source.readAt !== undefined;
    return byPosition && picks.length < this.rows * MAX_PICKED_SHARE
      ? picksByPosition(this.source, picks)
      : this.#pickWhileReading(picks, signal);
  }

  async *#pickWhileReading(picks: Float64Array, signal: AbortSignal | undefined) {
    let next = 0;
    for await (const chunk of this.source.read({ batchRows: PICK_BATCH_ROWS, signal })) {
      const first = next;
      while (next < picks.length && (picks[next] as number) < chunk.firstRow + chunk.rows) next++;
      if (next > first) {
        const offsets = picks.subarray(first, next).map((row) => row - chunk.firstRow);
        yield copyRows(chunk.vectors, this.dims, offsets);
      }
      if (next === picks.length) return;
    }
  }
}

function newItem(id: number, source: number, fields: ItemFields): NewItem {
  const { key, path, caption, metadata } = fields;
  return {
    id,
    source,
    key: key ?? String(id),
    path: path ?? null,
    caption: caption ?? null,
    metadata: metadata ?? null,
  };
}
