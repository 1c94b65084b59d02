// Many queries at once: dealt to the workers in runs, so that a hop is paid once for many.
import { throwIfAborted } from '../../errors.js';
import type { NativeAnswers } from '../../native/addon.js';
import type { Filter } from '../plan/filter.js';
import type { Plan } from '../plan/plan.js';
import { answersOf, type ExecuteContext, type Executed, execute } from './execute.js';
import { answerRequest } from './native-request.js';

/** Queries in one run: enough to pay for the hop, few enough to share the work evenly. */
const RUN_MIN = 8;
const RUN_MAX = 256;
const RUNS_PER_THREAD = 4;

/** Queries of one plan. */
interface Alike {
  plan: Plan;
  /** Their positions in the batch. */
  positions: number[];
}

/**
 * @param vectors plans.length x dims, unit rows; where it is shared memory, workers read it in place
 * @param plans of each query; queries of one kind share one object
 * @returns answers in the order of the queries, each equal to what `execute` gives, but where that is
 *   routed by the graph, which may miss a list: batches are routed exactly, for less.
 */
export async function executeBatch(
  context: ExecuteContext,
  vectors: Float32Array,
  plans: readonly Plan[],
  filter: Filter | null,
): Promise<Executed[]> {
  const groups = new Map<Plan, Alike>();
  plans.forEach((plan, i) => {
    const known = groups.get(plan);
    if (known === undefined) groups.set(plan, { plan, positions: [i] });
    else known.positions.push(i);
  });
  const answers = new Array<Executed>(plans.length);
  for (const group of groups.values()) {
    const { plan, positions } = group;
    const rows = groups.size === 1 ? vectors : gather(vectors, positions, context.snapshot.dims);
    const single = plan.exact || filter?.fewRows != null || positions.length < RUN_MIN;
    const found = await (single ? executeEach : executeRuns)(context, rows, group, filter);
    found.forEach((answer, i) => {
      answers[positions[i] as number] = answer;
    });
  }
  return answers;
}

type Execute = (
  context: ExecuteContext,
  vectors: Float32Array,
  group: Alike,
  filter: Filter | null,
) => Promise<Executed[]>;

const executeEach: Execute = (context, vectors, { plan, positions }, filter) => {
  const { dims } = context.snapshot;
  const several = positions.length > 1;
  const own = { ...context, busy: several, crowded: several };
  return Promise.all(
    positions.map((_, i) => {
      // A copy, for a view would take the whole batch's vectors along to a worker.
      return execute(own, vectors.slice(i * dims, (i + 1) * dims), plan, filter);
    }),
  );
};

const executeRuns: Execute = async (context, vectors, { plan, positions }, filter) => {
  const { pool, snapshot, signal } = context;
  const { dims, shape } = snapshot;
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const stop = () => Atomics.store(cancel, 0, 1);
  signal?.addEventListener('abort', stop, { once: true });
  const fair = Math.ceil(positions.length / (pool.threads * RUNS_PER_THREAD));
  const size = Math.min(RUN_MAX, Math.max(RUN_MIN, fair));
  try {
    const runs: Promise<NativeAnswers | null>[] = [];
    for (let first = 0; first < positions.length; first += size) {
      const last = Math.min(positions.length, first + size);
      const own = vectors.subarray(first * dims, last * dims);
      const job = answerRequest(shape, plan, filter, own);
      runs.push(pool.run(snapshot.source, { kind: 'answer', job, cancel }));
    }
    const found = await Promise.all(runs);
    throwIfAborted(signal);
    return found.flatMap((own) => answersOf(own as NativeAnswers, snapshot, plan, filter));
  } finally {
    signal?.removeEventListener('abort', stop);
  }
};

/** Rows that lie apart, in memory that workers share. */
function gather(
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
