// Rows on their way into a segment: vectors with the item ids that they get.
//
// Whatever a build has to encode comes through this one interface: files of vectors, the journal
// of embedded images, and segments that are written anew. All of it can be read more than once and
// in the same order each time, so that a build that was killed gives the same index.
import type { ItemFields, RawVectors, VectorSource } from '../../formats/vector-source.js';

export interface RowBatch {
  /** Row, counted over this supply, of the first vector. */
  firstRow: number;
  /** ids.length x dims, as the source has them. */
  vectors: RawVectors;
  ids: Float64Array;
}

export interface Rows {
  /** Where the rows come from, for messages. */
  readonly path: string;
  /** A text that is another one when the rows are others. */
  readonly identity: string;
  readonly rows: number;
  readonly dims: number;
  /** All rows from `firstRow` on in order, at most `batchRows` at a time. */
  read(
    firstRow: number,
    batchRows: number,
    signal: AbortSignal | undefined,
  ): AsyncIterable<RowBatch>;
  /**
   * The vectors of some rows, in batches of any size, in order.
   * @param picks ascending row numbers without repeats
   */
  pick(picks: Float64Array, signal: AbortSignal | undefined): AsyncIterable<RawVectors>;
}

/** Rows closer than this are read in one go when rows are picked by position. */
const MAX_GAP_ROWS = 16;
const MAX_RUN_ROWS = 512;
/** Picking by position pays below this share of all rows; above it, all are read. */
const MAX_PICKED_SHARE = 1 / 8;
const PICK_BATCH_ROWS = 1024;
const READS_IN_FLIGHT = 16;

/** The rows of a source, with consecutive ids from `firstId`. */
export class SourceRows implements Rows {
  readonly path: string;
  readonly identity: string;
  readonly rows: number;
  readonly dims: number;

  /** @param onItems is given the items of each batch that is read, where the source has any */
  constructor(
    private readonly source: VectorSource,
    private readonly firstId: number,
    private readonly onItems: (firstId: number, items: readonly ItemFields[]) => void,
  ) {
    const { path, rows, bytes, modifiedMs } = source;
    this.path = path;
    this.identity = JSON.stringify([path, rows, bytes, modifiedMs, firstId]);
    this.rows = source.rows;
    this.dims = source.dims;
  }

  async *read(
    firstRow: number,
    batchRows: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<RowBatch> {
    // Items are not kept by an interrupted build: they are read again, from the first on.
    const start = this.source.hasItems ? 0 : firstRow;
    for await (const chunk of this.source.read({ firstRow: start, batchRows, signal })) {
      const firstId = this.firstId + chunk.firstRow;
      if (chunk.items !== null) this.onItems(firstId, chunk.items);
      const ids = new Float64Array(chunk.rows).map((_, i) => firstId + i);
      const { vectors } = chunk;
      const batch = rowsFrom(firstRow, { firstRow: chunk.firstRow, vectors, ids }, this.dims);
      if (batch !== null) yield batch;
    }
  }

  pick(picks: Float64Array, signal: AbortSignal | undefined): AsyncIterable<RawVectors> {
    const byPosition = this.source.readAt !== undefined;
    return byPosition && picks.length < this.rows * MAX_PICKED_SHARE
      ? this.pickByPosition(picks)
      : this.pickWhileReading(picks, signal);
  }

  private async *pickWhileReading(picks: Float64Array, signal: AbortSignal | undefined) {
    let next = 0;
    for await (const chunk of this.source.read({ batchRows: PICK_BATCH_ROWS, signal })) {
      const first = next;
      while (next < picks.length && (picks[next] as number) < chunk.firstRow + chunk.rows) next++;
      if (next > first) {
        const rows = picks.subarray(first, next).map((row) => row - chunk.firstRow);
        yield gather(chunk.vectors, this.dims, rows);
      }
      if (next === picks.length) return;
    }
  }

  private async *pickByPosition(picks: Float64Array) {
    const runs = splitRuns(picks);
    try {
      for (let start = 0; start < runs.length; start += READS_IN_FLIGHT) {
        const some = runs.slice(start, start + READS_IN_FLIGHT);
        yield* await Promise.all(some.map((run) => this.pickRun(run)));
      }
    } finally {
      await this.source.close();
    }
  }

  private async pickRun(run: Float64Array): Promise<RawVectors> {
    const first = run[0] as number;
    const rows = (run.at(-1) as number) - first + 1;
    const vectors = (await this.source.readAt?.(first, rows)) as RawVectors;
    const offsets = run.map((row) => row - first);
    return gather(vectors, this.dims, offsets);
  }
}

/** A batch without the rows before `firstRow`; null if none are left. */
export function rowsFrom<Batch extends RowBatch>(
  firstRow: number,
  batch: Batch,
  dims: number,
): Batch | null {
  const skipped = firstRow - batch.firstRow;
  if (skipped <= 0) return batch;
  if (skipped >= batch.ids.length) return null;
  const vectors = batch.vectors.subarray(skipped * dims);
  return { ...batch, firstRow, vectors, ids: batch.ids.subarray(skipped) };
}

/** Cuts ascending rows where reading what lies between would cost more than a read of its own. */
function splitRuns(picks: Float64Array): Float64Array[] {
  const runs: Float64Array[] = [];
  let start = 0;
  for (let i = 1; i <= picks.length; i++) {
    const next = picks[i] ?? Number.POSITIVE_INFINITY;
    const gap = next - (picks[i - 1] as number);
    if (gap > MAX_GAP_ROWS || next - (picks[start] as number) >= MAX_RUN_ROWS) {
      runs.push(picks.subarray(start, i));
      start = i;
    }
  }
  return runs;
}

/** Copies some rows of `vectors` (rows x dims) out, in the given order. */
export function gather(vectors: RawVectors, dims: number, rows: Float64Array): RawVectors {
  const length = rows.length * dims;
  const out =
    vectors instanceof Float32Array
      ? new Float32Array(length)
      : vectors instanceof Uint16Array
        ? new Uint16Array(length)
        : new Int8Array(length);
  rows.forEach((row, i) => {
    out.set(vectors.subarray(row * dims, (row + 1) * dims), i * dims);
  });
  return out;
}
