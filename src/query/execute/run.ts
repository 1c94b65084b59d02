// Answers one planned query: carries out the strategy that strategy.ts chose.
import { throwIfAborted } from '../../errors.js';
import type { ScoredRows, SearchAnswers } from '../../native/search.js';
import type { Filter } from '../plan/filter.js';
import type { Plan } from '../plan/plan.js';
import { type QueryAnswer, splitAnswers } from './answers.js';
import { withCancel } from './cancel.js';
import type { Coalescer } from './coalescer.js';
import type { WorkerPool } from './pool.js';
import type { Snapshot } from './snapshot.js';
import { chooseStrategy, type Strategy, type Thread } from './strategy.js';
import { type Results, runTask, type Task } from './tasks.js';
import { yieldToEventLoop } from './yield-to-event-loop.js';

/** What else is going on. */
export interface Load {
  /** Other queries wait for the same threads: none should take several. */
  busy: boolean;
  /** So many that the calling thread cannot take even the small ones. */
  crowded: boolean;
}

export interface RunContext extends Load {
  snapshot: Snapshot;
  pool: WorkerPool;
  coalescer: Coalescer;
  signal: AbortSignal | undefined;
}

/** A strategy that has the parts of one query merged. */
type InParts = Extract<Strategy, { kind: 'filtered' | 'exhaustive' | 'split' }>;

/** @throws ERR_ABORTED soon after the signal, though a worker may still be busy for a moment. */
export async function answerQuery(
  context: RunContext,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
): Promise<QueryAnswer> {
  const { snapshot, pool, coalescer, busy, crowded, signal } = context;
  const strategy = chooseStrategy(plan, filter, {
    shape: snapshot.shape,
    mayBeOnDisk: snapshot.mayBeOnDisk,
    threads: pool.threads,
    idleThreads: pool.idle,
    busy,
    crowded,
    usesGraph: !plan.scanAll && snapshot.router.usesGraph(plan.probes),
  });
  switch (strategy.kind) {
    case 'coalesced':
      return coalescer.answer(snapshot, query, plan, filter, signal);
    case 'inline':
      return answerWhole(context, query, plan, filter, 'caller');
    case 'worker':
      return answerWhole(context, query, plan, filter, 'worker');
    default:
      return answerInParts(context, query, plan, filter, strategy);
  }
}

async function answerWhole(
  context: RunContext,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
  thread: Thread,
): Promise<QueryAnswer> {
  const { snapshot, signal } = context;
  const start = performance.now();
  const routed = plan.scanAll ? null : await snapshot.router.route(query, plan.probes);
  const graphMs = performance.now() - start;
  throwIfAborted(signal);
  const filters = filter?.handles ?? null;
  const task = { kind: 'answer', queries: query, plan, filters, routed, cancel: null } as const;
  const found = (await runOn(context, thread, task)) as SearchAnswers;
  if (routed !== null) found.routeMs += graphMs;
  return only(context, found, plan, filter);
}

async function answerInParts(
  context: RunContext,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
  strategy: InParts,
): Promise<QueryAnswer> {
  const start = performance.now();
  const parts = await findParts(context, query, plan, filter, strategy);
  throwIfAborted(context.signal);
  const partsMs = performance.now() - start;
  const finishing = strategy.kind === 'filtered' ? strategy.thread : strategy.finish;
  // Of the rows that a filter keeps, none may fall out of the shortlist.
  const last = strategy.kind === 'filtered' ? { ...plan, shortlist: strategy.rows.length } : plan;
  const found = await runOn(context, finishing, { kind: 'finish', query, plan: last, parts });
  if (strategy.kind === 'split') found.scanMs += partsMs;
  if (strategy.kind === 'exhaustive') found[plan.rescore ? 'rescoreMs' : 'refineMs'] += partsMs;
  const answer = only(context, found, plan, filter);
  // Nothing was scanned, but all rows that the filter keeps were scored.
  return strategy.kind === 'filtered' ? { ...answer, exact: true } : answer;
}

/** Parts over disjoint rows, which together are all that the query may return. */
async function findParts(
  context: RunContext,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
  strategy: InParts,
): Promise<ScoredRows[]> {
  if (strategy.kind === 'filtered') {
    const { rows } = strategy;
    return [{ rows, scores: new Float32Array(rows.length), scannedRows: 0, final: false }];
  }
  const { rows } = context.snapshot.shape;
  const { parts } = strategy;
  const filters = filter?.handles ?? null;
  const bound = (part: number) => Math.floor((rows * part) / parts);
  const ranges = Array.from({ length: parts }, (_, part) => {
    return { query, plan, filters, firstRow: bound(part), lastRow: bound(part + 1) };
  });
  if (strategy.kind === 'split') {
    return Promise.all(
      ranges.map((range) => runOn(context, 'worker', { kind: 'scanPart', ...range })),
    );
  }
  return withCancel(context.signal, async (cancel) => {
    const found = await Promise.all(
      ranges.map((range) =>
        runOn(context, strategy.thread, { kind: 'sweepPart', ...range, cancel }),
      ),
    );
    return found.filter((part) => part !== null);
  });
}

/** The answer of the one query that was asked. */
function only(
  { snapshot: { shape } }: RunContext,
  found: SearchAnswers,
  plan: Plan,
  filter: Filter | null,
): QueryAnswer {
  const [answer] = splitAnswers(found, shape, plan, filter?.rows ?? shape.rows);
  return answer as QueryAnswer;
}

async function runOn<K extends Task['kind']>(
  { snapshot, pool }: RunContext,
  thread: Thread,
  task: Extract<Task, { kind: K }>,
): Promise<Results[K]> {
  if (thread === 'worker') return pool.run(snapshot.source, task);
  await yieldToEventLoop();
  return runTask(snapshot.handles, task);
}
