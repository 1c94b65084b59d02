// Where a query is answered: a pure function of its plan and of what else is going on.
//
// The strategy never changes the answer, only who works for it:
// - A hop to a worker and back costs more than a small query, so small queries stay on the calling
//   thread.
// - A query of lists goes to one thread as a whole, because when it ends depends on what it has
//   found. A scan of all rows is split over the workers if it is large and alone.
// - Where many callers wait, queries go to the workers together (coalescer.ts), or each to one.
import type { Filter } from '../plan/filter.js';
import { type IndexShape, type Plan, scoresAllRows } from '../plan/plan.js';

/** What a decision depends on besides the plan. */
export interface Circumstances {
  shape: IndexShape;
  /** Parts of the index may not lie in memory. */
  mayBeOnDisk: boolean;
  /** Worker threads, and those without a task. */
  threads: number;
  idleThreads: number;
  /** Other queries wait for the same threads: none should take several. */
  busy: boolean;
  /** So many that the calling thread cannot take even the small ones. */
  crowded: boolean;
  /** The query's lists are found by the routing graph, which the calling thread alone has. */
  usesGraph: boolean;
}

export type Thread = 'caller' | 'worker';

export type Strategy =
  /** Score the few rows that the filter keeps, without a scan. */
  | { kind: 'filtered'; rows: Float64Array; thread: Thread }
  /** Score every row by the plan's last step, a part on each thread. */
  | { kind: 'exhaustive'; parts: number; thread: Thread; finish: Thread }
  /** Scan all rows, a part on each of some workers. */
  | { kind: 'split'; parts: number; finish: Thread }
  /** Answered on the calling thread. */
  | { kind: 'inline' }
  /** Answered by one worker. */
  | { kind: 'worker' }
  /** Answered by a worker together with other callers' queries. */
  | { kind: 'coalesced' };

/** Estimated times in nanoseconds on a machine with AVX2; `npm run bench -- fit costs` measures them
 * on any. */
const SCAN_ROW_NS = 0.6;
const SCAN_LIST_NS = 200;
const REFINE_ROW_NS = 200;
const RESCORE_ROW_NS = 100;
/** What the calling thread does itself: a few hops to a worker and back, or half a hop where it is
 * crowded (`npm run bench -- fit costs`). */
const INLINE_MAX_MS = 0.5;
const INLINE_MAX_CROWDED_MS = 0.05;

export function chooseStrategy(
  plan: Plan,
  filter: Filter | null,
  circumstances: Circumstances,
): Strategy {
  const { shape, mayBeOnDisk, threads, idleThreads, busy, crowded, usesGraph } = circumstances;
  const inlineMaxMs = crowded ? INLINE_MAX_CROWDED_MS : INLINE_MAX_MS;
  const threadFor = (ms: number): Thread => (ms > inlineMaxMs ? 'worker' : 'caller');
  if (filter !== null && filter.fewRows !== null && scoresAllRows(plan)) {
    const { fewRows } = filter;
    return { kind: 'filtered', rows: fewRows, thread: threadFor(finishMs(plan, fewRows.length)) };
  }
  const onDiskMs = mayBeOnDisk ? Number.POSITIVE_INFINITY : 0;
  if (plan.exact && scoresAllRows(plan)) {
    const ms = finishMs(plan, shape.rows);
    const parts = ms <= INLINE_MAX_MS ? 1 : threads;
    const thread = threadFor(ms / parts);
    return { kind: 'exhaustive', parts, thread, finish: threadFor(onDiskMs) };
  }
  if (plan.scanAll && !busy && scanMs(0, shape.rows) > INLINE_MAX_MS && idleThreads > 1) {
    const finish = threadFor(finishMs(plan, plan.shortlist) + onDiskMs);
    return { kind: 'split', parts: idleThreads, finish };
  }
  if (threadFor(estimateMs(plan, shape) + onDiskMs) === 'caller') return { kind: 'inline' };
  return (busy || crowded) && !usesGraph ? { kind: 'coalesced' } : { kind: 'worker' };
}

/** Milliseconds that one query of lists takes a thread, about, where the index lies in memory. */
export function estimateMs(plan: Plan, shape: IndexShape): number {
  const most = plan.scanAll ? shape.lists : plan.probes;
  const lists = plan.stopLogOdds > Number.NEGATIVE_INFINITY ? most / 2 : most;
  const rows = lists * (shape.rows / shape.lists);
  return scanMs(lists, rows) + finishMs(plan, plan.shortlist);
}

function scanMs(lists: number, rows: number): number {
  return (lists * SCAN_LIST_NS + rows * SCAN_ROW_NS) / 1e6;
}

function finishMs({ rescore, refineBits }: Plan, rows: number): number {
  const perRow = rescore ? RESCORE_ROW_NS : refineBits > 0 ? REFINE_ROW_NS : 0;
  return (rows * perRow) / 1e6;
}
