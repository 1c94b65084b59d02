// Measures what each effort finds in the segment that was just written, before it goes live.
//
// Some rows are held back from training and serve as queries; while all rows are encoded they are
// compared with them by float32 products, which gives the truth.
import { type NativeGroundTruth, native } from '../../native/addon.js';
import { WorkerPool } from '../../query/execute/pool.js';
import {
  CALIBRATION_DEPTH,
  type Calibration,
  measureRecall,
} from '../../query/recall/measure-recall.js';
import type { RecallCard } from '../../query/recall/recall-card.js';
import type { BuildContext } from '../context.js';
import type { Rows } from './rows.js';
import { chooseRows, sampleRows } from './sample.js';

/** Queries, where there are enough rows. The standard error of a recall of .9 is then .006. */
const QUERIES = 256;
/** Queries are at most this share of the rows, which training then does without. */
const QUERY_SHARE = 1 / 16;
/** Below, every search is nearly exact; above, comparing all rows would slow the build down by a
 * third: `effort` then has no card. */
const MIN_ROWS = 1_000;
const MAX_ROWS = 20_000_000;
/** Another stream of random numbers than training draws from. */
const SEED_OFFSET = 0x9e3779b9;

/** Rows of all supplies, counted through, that are held back from training; none if the collection
 * is not to be calibrated. */
export function heldBackRows(supplies: readonly Rows[], seed: number): Float64Array {
  const total = supplies.reduce((sum, { rows }) => sum + rows, 0);
  if (total < MIN_ROWS || total > MAX_ROWS) return new Float64Array(0);
  const count = Math.min(QUERIES, Math.floor(total * QUERY_SHARE));
  return chooseRows(total, count, seed + SEED_OFFSET);
}

/** The nearest rows to the held-back ones: give it every row that is encoded. */
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
    supplies: readonly Rows[],
    heldBack: Float64Array,
    { settings: { signal, threads } }: BuildContext,
  ): Promise<GroundTruth | null> {
    const dims = supplies[0]?.dims ?? 0;
    if (heldBack.length === 0) return null;
    const queries = await sampleRows(supplies, heldBack, { signal, onRow: () => {} });
    return new GroundTruth(queries, dims, threads);
  }

  /** @param rows ids.length x dims, unit rows. One call at a time. */
  add(rows: Float32Array, ids: Float64Array): Promise<void> {
    return this.#truth.add(rows, ids, this.#threads);
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
