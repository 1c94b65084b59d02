// Many queries at once: dealt to the workers in runs, so that a hop is paid once for many.
import { throwIfAborted } from '../../errors.js';
import type { SearchAnswers } from '../../native/search.js';
import type { Filter } from '../plan/filter.js';
import type { Plan } from '../plan/plan.js';
import { type QueryAnswer, splitAnswers } from './answers.js';
import { withCancel } from './cancel.js';
import { answerQuery, type RunContext } from './run.js';

/** Queries in one run: enough to pay for the hop, few enough to share the work evenly. */
const RUN_MIN = 8;
const RUN_MAX = 256;
const RUNS_PER_THREAD = 4;

/**
 * @param vectors plans.length x dims, unit rows; where it is shared memory, workers read it in place
 * @param plans of each query; queries of one kind share one object
 * @returns answers in the order of the queries, each equal to what `answerQuery` gives, but where
 *   that is routed by the graph, which may miss a list: batches are routed exactly, for less.
 */
export async function answerBatch(
  context: RunContext,
  vectors: Float32Array,
  plans: readonly Plan[],
  filter: Filter | null,
): Promise<QueryAnswer[]> {
  /** Positions in the batch of the queries of each plan. */
  const byPlan = new Map<Plan, number[]>();
  plans.forEach((plan, position) => {
    const known = byPlan.get(plan);
    if (known === undefined) byPlan.set(plan, [position]);
    else known.push(position);
  });
  const answers = new Array<QueryAnswer>(plans.length);
  for (const [plan, positions] of byPlan) {
    const { dims } = context.snapshot;
    const queries = byPlan.size === 1 ? vectors : copyRows(vectors, positions, dims);
    const alone = plan.exact || filter?.fewRows != null || positions.length < RUN_MIN;
    const found = await (alone ? answerEach : answerRuns)(context, queries, plan, filter);
    found.forEach((answer, i) => {
      answers[positions[i] as number] = answer;
    });
  }
  return answers;
}

type AnswerAll = (
  context: RunContext,
  queries: Float32Array,
  plan: Plan,
  filter: Filter | null,
) => Promise<QueryAnswer[]>;

const answerEach: AnswerAll = (context, queries, plan, filter) => {
  const { dims } = context.snapshot;
  const count = queries.length / dims;
  const several = count > 1;
  const loaded = { ...context, busy: several, crowded: several };
  return Promise.all(
    Array.from({ length: count }, (_, i) => {
      // A copy, for a view would take the whole batch's vectors along to a worker.
      return answerQuery(loaded, queries.slice(i * dims, (i + 1) * dims), plan, filter);
    }),
  );
};

const answerRuns: AnswerAll = (context, queries, plan, filter) => {
  const { pool, snapshot, signal } = context;
  const { dims, shape, source } = snapshot;
  const count = queries.length / dims;
  const fair = Math.ceil(count / (pool.threads * RUNS_PER_THREAD));
  const size = Math.min(RUN_MAX, Math.max(RUN_MIN, fair));
  const filters = filter?.handles ?? null;
  return withCancel(signal, async (cancel) => {
    const runs: Promise<SearchAnswers | null>[] = [];
    for (let first = 0; first < count; first += size) {
      const run = queries.subarray(first * dims, Math.min(count, first + size) * dims);
      const task = { kind: 'answer', queries: run, plan, filters, routed: null, cancel } as const;
      runs.push(pool.run(source, task));
    }
    const found = await Promise.all(runs);
    throwIfAborted(signal);
    const matching = filter?.rows ?? shape.rows;
    return found.flatMap((run) => splitAnswers(run as SearchAnswers, shape, plan, matching));
  });
};

/** Rows that lie apart, in memory that workers share. */
function copyRows(
  vectors: Float32Array,
  positions: readonly number[],
  dims: number,
): Float32Array<SharedArrayBuffer> {
  const bytes = positions.length * dims * Float32Array.BYTES_PER_ELEMENT;
  const rows = new Float32Array(new SharedArrayBuffer(bytes));
  positions.forEach((position, i) => {
    rows.set(vectors.subarray(position * dims, (position + 1) * dims), i * dims);
  });
  return rows;
}
