// Measures the recall card of an index.
//
// Queries are some vectors of the collection, held back from training; the truth is the exact
// float32 search of the whole collection while it was encoded.
import { throwIfAborted } from '../../errors.js';
import type { SearchAnswers } from '../../native/search.js';
import type { CalibrationRecord } from '../../store/catalog.js';
import type { HandlesSource } from '../execute/handles.js';
import type { WorkerPool } from '../execute/pool.js';
import type { Filter } from '../plan/filter.js';
import { type IndexShape, makePlan, type Plan, type Request } from '../plan/plan.js';
import type { Recall, RecallCard, RecallStep } from './recall-card.js';

export const CALIBRATION_DEPTH = 100;
/** Efforts on the card. */
const EFFORTS = [0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1];

/** Queries with their true neighbours, kept in the catalog so that recall can be measured again. */
export interface Calibration {
  /** count x dims, unit rows. */
  queries: Float32Array;
  /** Id of the row that is the query itself, which is no hit. */
  selves: Float64Array;
  /** Ids of the true neighbours, best first, at most CALIBRATION_DEPTH of each query. */
  neighbours: Float64Array[];
}

/** Where a calibration is answered: the files of an index, live or not yet. */
export interface Measured {
  pool: WorkerPool;
  source: HandlesSource;
  shape: IndexShape;
  /** Keeps what is removed out of the answers. */
  filter: Filter | null;
  signal: AbortSignal | undefined;
}

/** Measures every effort with every last step that the index allows. */
export async function measureRecall(
  measured: Measured,
  calibration: Calibration,
): Promise<RecallCard> {
  const { shape, filter, signal } = measured;
  const keepShare = filter === null ? 1 : filter.rows / Math.max(1, shape.rows);
  const lasts = [...shape.levels.map(String), ...(shape.vectors ? ['vectors'] : [])];
  const steps: RecallStep[] = [];
  for (const effort of EFFORTS) {
    const step: RecallStep = { effort, probedLists: 0, scannedRows: 0, recall: {} };
    for (const last of lasts) {
      const levels =
        last === 'vectors' ? null : shape.levels.filter((bits) => bits <= Number(last));
      const request: Request = {
        limit: CALIBRATION_DEPTH,
        offset: 0,
        minScore: Number.NEGATIVE_INFINITY,
        where: null,
        effort,
        exact: false,
        levels,
        scoring: 'asymmetric',
      };
      // One more hit than is counted: the query itself is in the index.
      const plan = makePlan(request, shape, 'image', keepShare, 1);
      throwIfAborted(signal);
      const answers = await answerAll(measured, calibration, plan);
      step.recall[last] = recallOf(answers, calibration);
      step.probedLists = mean(answers.probedLists);
      step.scannedRows = mean(answers.scannedRows);
    }
    steps.push(step);
  }
  return { rows: shape.rows, queries: calibration.selves.length, steps };
}

type Measurement = Pick<SearchAnswers, 'counts' | 'ids' | 'probedLists' | 'scannedRows'>;

/** Answers all queries, a part of them on each thread of the pool. */
async function answerAll(
  { pool, source, filter }: Measured,
  { queries, selves }: Calibration,
  plan: Plan,
): Promise<Measurement> {
  const dims = queries.length / selves.length;
  const bound = (part: number) => Math.floor((selves.length * part) / pool.threads) * dims;
  const filters = filter?.handles ?? null;
  const found = await Promise.all(
    Array.from({ length: pool.threads }, (_, part) => {
      const some = queries.slice(bound(part), bound(part + 1));
      const task = { kind: 'answer', queries: some, plan, filters } as const;
      return pool.run(source, { ...task, routed: null, cancel: null });
    }),
  );
  const parts = found as SearchAnswers[];
  return {
    counts: Uint32Array.from(parts.flatMap(({ counts }) => [...counts])),
    ids: Float64Array.from(parts.flatMap(({ ids }) => [...ids])),
    probedLists: Uint32Array.from(parts.flatMap(({ probedLists }) => [...probedLists])),
    scannedRows: Float64Array.from(parts.flatMap(({ scannedRows }) => [...scannedRows])),
  };
}

function recallOf({ counts, ids }: Measurement, calibration: Calibration): Recall {
  const sums = { at10: 0, at100: 0 };
  let first = 0;
  counts.forEach((count, query) => {
    const self = calibration.selves[query];
    const hits = ids.subarray(first, first + count).filter((id) => id !== self);
    first += count;
    const truth = calibration.neighbours[query] as Float64Array;
    sums.at10 += sharedShare(hits, truth, 10);
    sums.at100 += sharedShare(hits, truth, 100);
  });
  return { at10: sums.at10 / counts.length, at100: sums.at100 / counts.length };
}

/** Share of the first `count` of `truth` among the first `count` of `hits`. */
function sharedShare(hits: Float64Array, truth: Float64Array, count: number): number {
  const wanted = truth.subarray(0, count);
  const given = new Set(hits.subarray(0, count));
  return wanted.length === 0 ? 1 : wanted.filter((id) => given.has(id)).length / wanted.length;
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** The calibration as the catalog keeps it. */
export function toRecords({ queries, selves, neighbours }: Calibration): CalibrationRecord[] {
  const dims = queries.length / selves.length;
  return neighbours.map((ids, i) => ({
    self: selves[i] as number,
    vector: queries.subarray(i * dims, (i + 1) * dims),
    neighbours: ids,
  }));
}

/** The same back again, without neighbours that were removed since. */
export function fromRecords(
  records: readonly CalibrationRecord[],
  removed: ReadonlySet<number>,
): Calibration {
  const dims = records[0]?.vector.length ?? 0;
  const queries = new Float32Array(records.length * dims);
  records.forEach(({ vector }, i) => {
    queries.set(vector, i * dims);
  });
  return {
    queries,
    selves: Float64Array.from(records, ({ self }) => self),
    neighbours: records.map(({ neighbours }) => neighbours.filter((id) => !removed.has(id))),
  };
}
