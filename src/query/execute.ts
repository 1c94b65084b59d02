// Runs one planned query: decides which threads do the work, and brings their answers together.
//
// Where the work is done never changes the answer. The rules, with what was measured for them:
// - A hop to a worker and back costs about 0.1 ms when idle, so small queries stay on the calling
//   thread, as long as the estimate below is under INLINE_MAX_MS.
// - A large query alone is split by lists over all workers, each with one native call.
// - Under load every query goes whole to one worker: a hop then costs 0.035 ms of throughput.
import { throwIfAborted } from '../errors.js';
import type { Filter } from './filter.js';
import type { Plan } from './plan.js';
import type { WorkerPool } from './pool.js';
import { type Routed, routeQuery } from './route.js';
import { merge } from './shortlist.js';
import { RESIDENT_ROWS, type Snapshot } from './snapshot.js';
import type { FinishJob, ScanAnswer, ScanJob } from './stages.js';
import { perform, type QueryAnswer, type Task } from './work.js';

/** An answer with what the result reports about its making. */
export interface Executed extends QueryAnswer {
  routeMs: number;
  probedLists: number;
  exact: boolean;
}

export interface ExecuteContext {
  snapshot: Snapshot;
  pool: WorkerPool;
  /** Other queries wait for the same threads. */
  busy: boolean;
  signal: AbortSignal | undefined;
}

/** Estimated times, in nanoseconds, on a machine with AVX2. */
const SCAN_ROW_NS = 0.6;
const SCAN_LIST_NS = 200;
const REFINE_ROW_NS = 1000;
const RESCORE_ROW_NS = 100;
const INLINE_MAX_MS = 0.5;
const INLINE_MAX_BUSY_MS = 0.05;

/** @throws ERR_ABORTED soon after the signal, though a worker may still be busy for a moment. */
export async function execute(
  context: ExecuteContext,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
): Promise<Executed> {
  const finish: FinishJob = { ...plan, query };
  const sweepBy = sweepStep(plan);
  if (filter !== null && filter.fewRows !== null && sweepBy !== null) {
    return scoreRows(context, finish, filter.fewRows, sweepBy);
  }
  if (plan.exact && sweepBy !== null) return sweepAll(context, finish, filter, sweepBy);
  const routed = await routeQuery(context.snapshot, query, plan, filter);
  throwIfAborted(context.signal);
  const { routeMs, probedLists } = routed;
  const answer = await scanAndFinish(context, routed, finish, plan);
  const matching = filter?.rows ?? context.snapshot.shape.rows;
  const exact = routed.job.lists === null && scoresAll(plan, answer.shortlist, matching);
  return { ...answer, routeMs, probedLists, exact };
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

/** Performs a task here if it is small, else in a worker. */
async function place<K extends Task['kind']>(
  { snapshot, pool, busy }: ExecuteContext,
  task: Extract<Task, { kind: K }>,
  estimatedMs: number,
) {
  const inline = estimatedMs <= (busy ? INLINE_MAX_BUSY_MS : INLINE_MAX_MS);
  return inline ? perform(snapshot.handles, task) : pool.run(snapshot.source, task);
}

async function scanAndFinish(
  context: ExecuteContext,
  { job, probedLists }: Routed,
  finish: FinishJob,
  plan: Plan,
): Promise<QueryAnswer> {
  const { snapshot, pool, busy } = context;
  const { rows, lists } = snapshot.shape;
  const scanMs = (probedLists * (SCAN_LIST_NS + SCAN_ROW_NS * (rows / lists))) / 1e6;
  const parts = busy || scanMs <= INLINE_MAX_MS ? 1 : pool.idle;
  if (parts <= 1) {
    const query: Task = { kind: 'query', job: { scan: job, finish } };
    const allMs = scanMs + finishMs(plan);
    return place(context, query, rows > RESIDENT_ROWS ? Number.POSITIVE_INFINITY : allMs);
  }
  const start = performance.now();
  let scanned = await splitScan(context, job, parts);
  if (job.lists !== null && scanned.rows.length < finish.wanted) {
    scanned = await splitScan(context, { ...job, lists: null }, parts);
  }
  const scannedAt = performance.now();
  throwIfAborted(context.signal);
  const shortlist = { rows: scanned.rows, scores: scanned.scores };
  const last: Task = { kind: 'finish', job: finish, shortlist };
  const answer = await place(
    context,
    last,
    rows > RESIDENT_ROWS ? Number.POSITIVE_INFINITY : finishMs(plan),
  );
  return {
    ...answer,
    scannedRows: scanned.scannedRows,
    shortlist: scanned.rows.length,
    scanMs: scannedAt - start,
  };
}

function finishMs({ shortlist, rescore, refine }: Plan): number {
  const perRow = rescore ? RESCORE_ROW_NS : refine.length > 0 ? REFINE_ROW_NS : 0;
  return (shortlist * perRow) / 1e6;
}

/** Splits a scan over workers: lists in runs of neighbours, which share their groups, or rows. */
async function splitScan(
  { snapshot, pool }: ExecuteContext,
  job: ScanJob,
  parts: number,
): Promise<ScanAnswer> {
  const lists = job.lists === null ? null : Uint32Array.from(job.lists).sort();
  const total = lists === null ? snapshot.shape.rows : lists.length;
  const bound = (part: number) => Math.floor((total * part) / parts);
  const tasks = Array.from({ length: parts }, (_, part) => {
    const [first, last] = [bound(part), bound(part + 1)] as const;
    const own: ScanJob =
      lists === null
        ? { ...job, rowRange: [first, last] }
        : { ...job, lists: lists.slice(first, last) };
    return pool.run(snapshot.source, { kind: 'scan', job: own });
  });
  const found = await Promise.all(tasks);
  const scannedRows = found.reduce((sum, part) => sum + part.scannedRows, 0);
  return { ...merge(found, job.limit), scannedRows };
}

/** Scores the few rows that a filter keeps, without a scan: every one, so exactly. */
async function scoreRows(
  context: ExecuteContext,
  finish: FinishJob,
  rows: Float64Array,
  by: number | 'vectors',
): Promise<Executed> {
  const shortlist = { rows, scores: new Float32Array(rows.length) };
  const refine = by === 'vectors' ? [] : [{ bits: by, keep: rows.length }];
  const task: Task = { kind: 'finish', job: { ...finish, refine }, shortlist };
  const answer = await place(context, task, (rows.length * REFINE_ROW_NS) / 1e6);
  return {
    ...answer,
    routeMs: 0,
    scanMs: 0,
    scannedRows: 0,
    probedLists: 0,
    shortlist: rows.length,
    exact: true,
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
        const job = { query: finish.query, by, limit: finish.wanted, rowRange, filters };
        return place(context, { kind: 'sweep', job, cancel }, estimatedMs / parts);
      }),
    );
    throwIfAborted(signal);
    const answers = found.filter((part) => part !== null);
    const merged = merge(answers, finish.wanted);
    const sweepMs = performance.now() - start;
    const last: Task = {
      kind: 'finish',
      job: { ...finish, refine: [], rescore: false, scoring: 'asymmetric' },
      shortlist: merged,
    };
    const ids = await place(context, last, rows > RESIDENT_ROWS ? Number.POSITIVE_INFINITY : 0);
    const scannedRows = answers.reduce((sum, part) => sum + part.scannedRows, 0);
    return {
      ...ids,
      [by === 'vectors' ? 'rescoreMs' : 'refineMs']: sweepMs,
      routeMs: 0,
      scanMs: 0,
      scannedRows,
      probedLists: lists,
      shortlist: scannedRows,
      exact: true,
    };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
