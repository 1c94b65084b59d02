// Measures what each effort finds in the segment that was just written, before it goes live.
//
// Some rows are held back from training and serve as queries. While the rows are encoded, each is
// compared with the queries by float32 products, which gives the ground truth.
import { type NativeGroundTruth, native } from '../../native/addon.js';
import { WorkerPool } from '../../query/execute/pool.js';
import {
  CALIBRATION_DEPTH,
  type Calibration,
  measureRecall,
} from '../../query/recall/measure-recall.js';
import type { RecallCard } from '../../query/recall/recall-card.js';
import { type RowSource, totalRows } from '../rows/row-source.js';
import { chooseRows, sampleRows } from '../rows/sample.js';
import type { BuildContext } from '../settings/context.js';

/** Queries, where there are enough rows. The standard error of a recall of .9 is then .006. */
const QUERIES = 256;
/** Queries are at most this share of the rows, because training does without them. */
const QUERY_SHARE = 1 / 16;
/** Below, every search is nearly exact; above, comparing all rows would slow the build down by a
 * third: `effort` then has no card. */
const MIN_ROWS = 1_000;
const MAX_ROWS = 20_000_000;
/** Makes the random numbers differ from those of training. */
const SEED_OFFSET = 0x9e3779b9;

/** Rows, counted over all sources, that are held back from training; none if the collection is not
 * to be calibrated. */
export function heldBackRows(sources: readonly RowSource[], seed: number): Float64Array {
  const total = totalRows(sources);
  if (total < MIN_ROWS || total > MAX_ROWS) return new Float64Array(0);
  const count = Math.min(QUERIES, Math.floor(total * QUERY_SHARE));
  return chooseRows(total, count, seed + SEED_OFFSET);
}

/** The nearest rows to every held-back row, found while the rows pass by: give it every row. */
export class GroundTruth {
  readonly #queries: Float32Array;
  readonly #truth: NativeGroundTruth;
  readonly #threads: number;

  private constructor(queries: Float32Array, dims: number, threads: number) {
    this.#queries = queries;
    this.#truth = new native.GroundTruth(queries, dims, CALIBRATION_DEPTH);
    this.#threads = threads;
  }

  /** Reads the held-back rows. @returns null if there are none */
  static async of(
    sources: readonly RowSource[],
    heldBack: Float64Array,
    { settings: { signal, threads } }: BuildContext,
  ): Promise<GroundTruth | null> {
    const dims = sources[0]?.dims ?? 0;
    if (heldBack.length === 0) return null;
    const queries = await sampleRows(sources, heldBack, { signal, onRow: () => {} });
    return new GroundTruth(queries, dims, threads);
  }

  /** @param embeddings ids.length x dims, unit rows. One call at a time. */
  add(embeddings: Float32Array, ids: Float64Array): Promise<void> {
    return this.#truth.add(embeddings, ids, this.#threads);
  }

  calibration(): Calibration {
    const { counts, ids, selves } = this.#truth.result();
    let first = 0;
    const neighbours = Array.from(counts, (count) => {
      first += count;
      return ids.slice(first - count, first);
    });
    return { queries: this.#queries, selves, neighbours };
  }
}

export interface Written {
  codec: { path: string; uuid: string };
  segment: { dir: string; uuid: string };
  rows: number;
  lists: number;
  levels: readonly number[];
  vectors: boolean;
}

/** Answers the calibration's queries from the files just written, on all threads. */
export async function calibrate(
  calibration: Calibration,
  written: Written,
  { settings: { threads, signal } }: BuildContext,
): Promise<RecallCard> {
  const { codec, segment, ...shape } = written;
  const pool = new WorkerPool(threads);
  const source = { generation: 0, codec, segments: [segment] };
  try {
    return await measureRecall({ pool, source, shape, filter: null, signal }, calibration);
  } finally {
    await pool.close();
  }
}
