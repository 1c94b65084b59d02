// Many queries at once: dealt to the workers in runs, so that a hop is paid once for many.
import { throwIfAborted } from '../errors.js';
import type { NativeAnswers } from '../native.js';
import { answersOf, type ExecuteContext, type Executed, execute } from './execute.js';
import type { Filter } from './filter.js';
import type { Plan } from './plan.js';
import { answerRequest } from './route.js';

/** A query of a batch with its plan; queries of one kind share one plan object. */
export interface PlannedQuery {
  /** May be a view of the vectors of the whole batch. */
  vector: Float32Array;
  plan: Plan;
}

/** Queries in one run: enough to pay for the hop, few enough to share the work evenly. */
const RUN_MIN = 8;
const RUN_MAX = 256;
const RUNS_PER_THREAD = 4;

/**
 * @returns answers in the order of `queries`, each equal to what `execute` gives, but where that is
 *   routed by the graph, which may miss a list: batches are routed exactly, for less.
 */
export async function executeBatch(
  context: ExecuteContext,
  queries: readonly PlannedQuery[],
  filter: Filter | null,
): Promise<Executed[]> {
  const answers = new Array<Executed>(queries.length);
  const positions = new Map<Plan, number[]>();
  queries.forEach(({ plan }, i) => {
    const known = positions.get(plan);
    if (known === undefined) positions.set(plan, [i]);
    else known.push(i);
  });
  for (const [plan, own] of positions) {
    const single = plan.exact || filter?.fewRows != null || own.length < RUN_MIN;
    const use = single ? executeEach : executeRuns;
    await use(context, queries, plan, own, filter, answers);
  }
  return answers;
}

type Use = (
  context: ExecuteContext,
  queries: readonly PlannedQuery[],
  plan: Plan,
  positions: readonly number[],
  filter: Filter | null,
  answers: Executed[],
) => Promise<void>;

const executeEach: Use = async (context, queries, plan, positions, filter, answers) => {
  const busy = { ...context, busy: positions.length > 1 };
  await Promise.all(
    positions.map(async (i) => {
      // A copy, for a view would take the whole batch's vectors along to a worker.
      const vector = (queries[i] as PlannedQuery).vector.slice();
      answers[i] = await execute(busy, vector, plan, filter);
    }),
  );
};

const executeRuns: Use = async (context, queries, plan, positions, filter, answers) => {
  const { pool, snapshot, signal } = context;
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const stop = () => Atomics.store(cancel, 0, 1);
  signal?.addEventListener('abort', stop, { once: true });
  const fair = Math.ceil(positions.length / (pool.threads * RUNS_PER_THREAD));
  const size = Math.min(RUN_MAX, Math.max(RUN_MIN, fair));
  const shared = answerRequest(snapshot.shape, plan, filter);
  try {
    const runs: Promise<void>[] = [];
    for (let first = 0; first < positions.length; first += size) {
      const run = positions.slice(first, first + size);
      const vectors = concatenate(run.map((i) => (queries[i] as PlannedQuery).vector));
      const job = { ...shared, queries: vectors };
      const keep = (found: NativeAnswers | null) => {
        if (found === null) return;
        answersOf(found, snapshot, plan, filter).forEach((answer, i) => {
          answers[run[i] as number] = answer;
        });
      };
      const task = { kind: 'answer', job, cancel } as const;
      runs.push(pool.run(snapshot.source, task, [vectors.buffer]).then(keep));
    }
    await Promise.all(runs);
    throwIfAborted(signal);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
};

function concatenate(vectors: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const dims = (vectors[0] as Float32Array).length;
  const all = new Float32Array(vectors.length * dims);
  vectors.forEach((vector, i) => {
    all.set(vector, i * dims);
  });
  return all;
}
