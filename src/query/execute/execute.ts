// Runs one planned query: decides which threads do the work, and brings their answers together.
//
// Where the work is done never changes the answer. The rules, with what was measured for them:
// - A hop to a worker and back costs about 0.1 ms when idle, so small queries stay on the calling
//   thread, as long as the estimate below is under INLINE_MAX_MS.
// - A query of lists goes whole to one thread, for when it ends depends on what it has found. A scan
//   of all rows is split over the workers, if it is large and alone.
// - Where many callers wait (how many is for open.ts to say), queries go to the workers together
//   (gather.ts), or each whole to one worker.
import { throwIfAborted } from '../../errors.js';
import type { NativeAnswers } from '../../native/addon.js';
import type { Filter } from '../plan/filter.js';
import type { Plan } from '../plan/plan.js';
import type { Gatherer } from './coalescer.js';
import {
  answerRequest,
  finishRequest,
  nearestLists,
  normEstimate,
  routeByGraph,
} from './native-request.js';
import type { WorkerPool } from './pool.js';
import type { Ranked } from './result.js';
import { merge } from './shortlist.js';
import { RESIDENT_ROWS, type Snapshot } from './snapshot.js';
import type { FinishJob, ScanJob } from './stages.js';
import { perform, type Results, type Task } from './work.js';
import { giveTurn } from './yield-to-event-loop.js';

/** Milliseconds of a query, or its fair share of what several took: those share one object. */
export interface StageTimes {
  routeMs: number;
  scanMs: number;
  refineMs: number;
  rescoreMs: number;
}

/** An answer with what the result reports about its making. */
export interface Executed extends Ranked {
  scannedRows: number;
  /** Rows that were scored again. */
  shortlist: number;
  probedLists: number;
  exact: boolean;
  times: StageTimes;
}

/** What else is going on. */
export interface Load {
  /** Other queries wait for the same threads: none should take several. */
  busy: boolean;
  /** So many that the calling thread cannot take even the small ones. */
  crowded: boolean;
}

export interface ExecuteContext extends Load {
  snapshot: Snapshot;
  pool: WorkerPool;
  gatherer: Gatherer;
  signal: AbortSignal | undefined;
}

/** Estimated times, in nanoseconds, on a machine with AVX2. */
const SCAN_ROW_NS = 0.6;
const SCAN_LIST_NS = 200;
const REFINE_ROW_NS = 200;
const RESCORE_ROW_NS = 100;
const INLINE_MAX_MS = 0.5;
const INLINE_MAX_CROWDED_MS = 0.05;

/** @throws ERR_ABORTED soon after the signal, though a worker may still be busy for a moment. */
export async function execute(
  context: ExecuteContext,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
): Promise<Executed> {
  const finish: FinishJob = { query, plan: finishRequest(plan) };
  const sweepBy = sweepStep(plan);
  if (filter !== null && filter.fewRows !== null && sweepBy !== null) {
    return scoreRows(context, finish, filter.fewRows, sweepBy);
  }
  if (plan.exact && sweepBy !== null) return sweepAll(context, finish, filter, sweepBy);
  const parts = partsOf(context, plan);
  if (parts > 1) return scanApart(context, finish, plan, filter, parts);
  const estimatedMs = estimateMs(context.snapshot, plan);
  const { snapshot, gatherer, signal } = context;
  const together = estimatedMs > inlineMaxMs(context) && (context.busy || context.crowded);
  if (together && !snapshot.router.usesGraph(plan.probes)) {
    return gatherer.answer(snapshot, query, plan, filter, signal);
  }
  const request = answerRequest(snapshot.shape, plan, filter, query);
  const start = performance.now();
  const routed = await routeByGraph(snapshot, request);
  const graphMs = performance.now() - start;
  throwIfAborted(signal);
  const found = await place(context, { kind: 'answer', job: routed, cancel: null }, estimatedMs);
  const [answer] = answersOf(found as NativeAnswers, snapshot, plan, filter);
  if (routed !== request) (answer as Executed).times.routeMs += graphMs;
  return answer as Executed;
}

/** Every query's own answer. */
export function answersOf(
  found: NativeAnswers,
  { shape }: Snapshot,
  plan: Plan,
  filter: Filter | null,
): Executed[] {
  const matching = filter?.rows ?? shape.rows;
  const share = 1 / found.counts.length;
  const times = {
    routeMs: found.routeMs * share,
    scanMs: found.scanMs * share,
    refineMs: found.refineMs * share,
    rescoreMs: found.rescoreMs * share,
  };
  const answers: Executed[] = [];
  let first = 0;
  for (let i = 0; i < found.counts.length; i += 1) {
    const [start, end] = [first, first + (found.counts[i] as number)];
    first = end;
    const shortlist = found.shortlists[i] as number;
    const probedLists = found.probedLists[i] as number;
    answers.push({
      ids: found.ids.subarray(start, end),
      scores: found.scores.subarray(start, end),
      scannedRows: found.scannedRows[i] as number,
      shortlist,
      probedLists,
      exact: probedLists === shape.lists && scoresAll(plan, shortlist, matching),
      times,
    });
  }
  return answers;
}

/** Threads that share the scan of one query: several only for a large one alone. */
function partsOf({ snapshot, pool, busy }: ExecuteContext, plan: Plan): number {
  const { rows, lists } = snapshot.shape;
  const everywhere = plan.probes >= lists;
  return everywhere && !busy && (rows * SCAN_ROW_NS) / 1e6 > INLINE_MAX_MS ? pool.idle : 1;
}

/** Milliseconds that one query takes a thread, about; Infinity where it may have to read a disk. */
export function estimateMs({ shape: { rows, lists } }: Snapshot, plan: Plan): number {
  if (rows > RESIDENT_ROWS) return Number.POSITIVE_INFINITY;
  const probes = plan.stop > Number.NEGATIVE_INFINITY ? plan.probes / 2 : plan.probes;
  const scanMs = (probes * (SCAN_LIST_NS + SCAN_ROW_NS * (rows / lists))) / 1e6;
  return scanMs + finishMs(plan);
}

/** Whether a scan of all lists has scored every one of `rows` rows by the plan's last step. */
export function scoresAll(plan: Plan, shortlist: number, rows: number): boolean {
  return sweepStep(plan) === null || (plan.refine.length <= 1 && shortlist >= rows);
}

/** What the last step scores by, if every row can be scored by it; null: the scan's own scores. */
function sweepStep(plan: Plan): number | 'vectors' | null {
  if (plan.rescore) return 'vectors';
  const last = plan.refine.at(-1)?.bits ?? 64;
  return last > 64 ? last : null;
}

/** What the calling thread does itself. */
function inlineMaxMs({ crowded }: Load): number {
  return crowded ? INLINE_MAX_CROWDED_MS : INLINE_MAX_MS;
}

/** Performs a task here if it is small, else in a worker. */
async function place<K extends Task['kind']>(
  context: ExecuteContext,
  task: Extract<Task, { kind: K }>,
  estimatedMs: number,
): Promise<Results[K]> {
  const { snapshot, pool } = context;
  if (estimatedMs > inlineMaxMs(context)) return pool.run(snapshot.source, task);
  await giveTurn();
  return perform(snapshot.handles, task);
}

/** Scans all rows, a part of them in each of some workers, and finishes in one. */
async function scanApart(
  context: ExecuteContext,
  finish: FinishJob,
  plan: Plan,
  filter: Filter | null,
  parts: number,
): Promise<Executed> {
  const { snapshot, pool } = context;
  const { rows, lists } = snapshot.shape;
  const start = performance.now();
  const { normRank, nearest } = normEstimate(snapshot.shape, plan, filter);
  const job = {
    query: finish.query,
    scoring: plan.scoring,
    limit: plan.shortlist,
    normRank,
    nearest: nearestLists(snapshot, finish.query, nearest),
    filters: filter?.handles ?? null,
  };
  const routed = performance.now();
  const bound = (part: number) => Math.floor((rows * part) / parts);
  const found = await Promise.all(
    Array.from({ length: parts }, (_, part) => {
      const own: ScanJob = { ...job, rowRange: [bound(part), bound(part + 1)] };
      return pool.run(snapshot.source, { kind: 'scan', job: own });
    }),
  );
  const scannedRows = found.reduce((sum, part) => sum + part.scannedRows, 0);
  const shortlist = merge(found, plan.shortlist);
  const scanned = performance.now();
  throwIfAborted(context.signal);
  const finishingMs = rows > RESIDENT_ROWS ? Number.POSITIVE_INFINITY : finishMs(plan);
  const answer = await place(context, { kind: 'finish', job: finish, shortlist }, finishingMs);
  const { ids, scores, refineMs, rescoreMs } = answer;
  return {
    ids,
    scores,
    scannedRows,
    shortlist: shortlist.rows.length,
    probedLists: lists,
    exact: scoresAll(plan, shortlist.rows.length, filter?.rows ?? rows),
    times: { routeMs: routed - start, scanMs: scanned - routed, refineMs, rescoreMs },
  };
}

function finishMs({ shortlist, rescore, refine }: Plan): number {
  const perRow = rescore ? RESCORE_ROW_NS : refine.length > 0 ? REFINE_ROW_NS : 0;
  return (shortlist * perRow) / 1e6;
}

/** Scores the few rows that a filter keeps, without a scan: every one, so exactly. */
async function scoreRows(
  context: ExecuteContext,
  finish: FinishJob,
  rows: Float64Array,
  by: number | 'vectors',
): Promise<Executed> {
  const shortlist = { rows, scores: new Float32Array(rows.length) };
  const refine = Uint32Array.from(by === 'vectors' ? [] : [by, rows.length]);
  const job = { ...finish, plan: { ...finish.plan, refine } };
  const task: Task = { kind: 'finish', job, shortlist };
  const answer = await place(context, task, (rows.length * REFINE_ROW_NS) / 1e6);
  const { ids, scores, refineMs, rescoreMs } = answer;
  return {
    ids,
    scores,
    scannedRows: 0,
    probedLists: 0,
    shortlist: rows.length,
    exact: true,
    times: { routeMs: 0, scanMs: 0, refineMs, rescoreMs },
  };
}

/** Scores every row that the filter keeps by the last step. */
async function sweepAll(
  context: ExecuteContext,
  finish: FinishJob,
  filter: Filter | null,
  by: number | 'vectors',
): Promise<Executed> {
  const { snapshot, pool, signal } = context;
  const { rows, lists } = snapshot.shape;
  const start = performance.now();
  const cancel = new Int32Array(new SharedArrayBuffer(4));
  const stop = () => Atomics.store(cancel, 0, 1);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const estimatedMs = (rows * (by === 'vectors' ? RESCORE_ROW_NS : REFINE_ROW_NS)) / 1e6;
    const parts = estimatedMs <= INLINE_MAX_MS ? 1 : pool.threads;
    const bound = (part: number) => Math.floor((rows * part) / parts);
    const found = await Promise.all(
      Array.from({ length: parts }, (_, part) => {
        const rowRange = [bound(part), bound(part + 1)] as const;
        const filters = filter?.handles ?? null;
        const job = { query: finish.query, by, limit: finish.plan.wanted, rowRange, filters };
        return place(context, { kind: 'sweep', job, cancel }, estimatedMs / parts);
      }),
    );
    throwIfAborted(signal);
    const answers = found.filter((part) => part !== null);
    const merged = merge(answers, finish.plan.wanted);
    const sweepMs = performance.now() - start;
    const job: FinishJob = {
      ...finish,
      plan: { ...finish.plan, refine: new Uint32Array(0), rescore: false, scoring: 'asymmetric' },
    };
    const last: Task = { kind: 'finish', job, shortlist: merged };
    const finishMs = rows > RESIDENT_ROWS ? Number.POSITIVE_INFINITY : 0;
    const { ids, scores } = await place(context, last, finishMs);
    const scannedRows = answers.reduce((sum, part) => sum + part.scannedRows, 0);
    const [refineMs, rescoreMs] = by === 'vectors' ? [0, sweepMs] : [sweepMs, 0];
    return {
      ids,
      scores,
      scannedRows,
      probedLists: lists,
      shortlist: scannedRows,
      exact: true,
      times: { routeMs: 0, scanMs: 0, refineMs, rescoreMs },
    };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
