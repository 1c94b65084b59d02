// What a worker thread can be asked, and the doing of it. Run in workers by worker.ts, and on the
// calling thread for small work: one function, one answer.
import { Catalog } from '../store/catalog.js';
import type { ItemIds } from '../store/ids.js';
import type { Plan } from './plan.js';
import type { Shortlist } from './shortlist.js';
import {
  type Answer,
  type FinishJob,
  finish,
  type Handles,
  type Located,
  type LocateJob,
  locate,
  type ScanAnswer,
  type ScanJob,
  type SweepJob,
  scan,
  sweep,
} from './stages.js';

/** A whole query: scan, then finish. */
export interface QueryJob {
  scan: ScanJob;
  finish: FinishJob;
}

export interface QueryAnswer extends Answer {
  scannedRows: number;
  /** Rows that were scored again. */
  shortlist: number;
  scanMs: number;
}

/** Whole queries of one plan, routed here by brute force unless `lists` brings their lists. */
export interface BatchJob {
  /** count x dims */
  queries: Float32Array;
  plan: Pick<Plan, 'wanted' | 'shortlist' | 'refine' | 'rescore' | 'scoring'>;
  /** Lists routed per query; scanned unless `everywhere`, which scans all rows. */
  probes: number;
  everywhere: boolean;
  normRank: number;
  /** Lists in which the weight of the norm is estimated: the first so many of a query's. */
  nearest: number;
  /** count x probes, or null. */
  lists: Uint32Array | null;
  filters: readonly number[] | null;
}

export type Task =
  | { kind: 'scan'; job: ScanJob }
  | { kind: 'sweep'; job: SweepJob; cancel: Int32Array }
  | { kind: 'finish'; job: FinishJob; shortlist: Shortlist }
  | { kind: 'query'; job: QueryJob }
  | { kind: 'batch'; job: BatchJob; cancel: Int32Array }
  | { kind: 'locate'; job: LocateJob }
  | { kind: 'select'; catalogPath: string; where: string };

/** The result of each kind of task. Null: cancelled. */
export interface Results {
  scan: ScanAnswer;
  sweep: ScanAnswer | null;
  finish: Answer;
  query: QueryAnswer;
  batch: QueryAnswer[] | null;
  locate: Located;
  select: ItemIds;
}

export function perform<K extends Task['kind']>(
  handles: Handles,
  task: Extract<Task, { kind: K }>,
): Results[K];
export function perform(handles: Handles, task: Task): Results[Task['kind']] {
  switch (task.kind) {
    case 'scan':
      return scan(handles, task.job);
    case 'sweep':
      return sweep(handles, task.job, () => Atomics.load(task.cancel, 0) !== 0);
    case 'finish':
      return finish(handles, task.job, task.shortlist);
    case 'query':
      return answer(handles, task.job);
    case 'batch':
      return answerBatch(handles, task.job, () => Atomics.load(task.cancel, 0) !== 0);
    case 'locate':
      return locate(handles, task.job);
    case 'select':
      return select(task.catalogPath, task.where);
  }
}

/** Opens the catalog for this one statement: whoever comes here has many items to look through. */
function select(catalogPath: string, where: string): ItemIds {
  const catalog = Catalog.open(catalogPath);
  try {
    return catalog.where(where);
  } finally {
    catalog.close();
  }
}

function answer(handles: Handles, job: QueryJob): QueryAnswer {
  const start = performance.now();
  const { lists } = job.scan;
  let scanned = scan(handles, job.scan);
  if (lists !== null && scanned.rows.length < job.finish.wanted) {
    // The probed lists hold too few rows, or too few that the filter keeps: look everywhere.
    scanned = scan(handles, { ...job.scan, lists: null });
  }
  const scanMs = performance.now() - start;
  return {
    ...finish(handles, job.finish, scanned),
    scannedRows: scanned.scannedRows,
    shortlist: scanned.rows.length,
    scanMs,
  };
}

function answerBatch(
  handles: Handles,
  job: BatchJob,
  cancelled: () => boolean,
): QueryAnswer[] | null {
  const { plan, queries, probes } = job;
  const { dims } = handles.codec.info();
  const lists = job.lists ?? handles.codec.nearestLists(queries, probes);
  const answers: QueryAnswer[] = [];
  for (let i = 0; i * dims < queries.length; i += 1) {
    if (cancelled()) return null;
    const query = queries.subarray(i * dims, (i + 1) * dims);
    const own = lists.subarray(i * probes, (i + 1) * probes);
    answers.push(
      answer(handles, {
        scan: {
          query,
          scoring: plan.scoring,
          limit: plan.shortlist,
          normRank: job.normRank,
          nearest: own.subarray(0, job.nearest),
          lists: job.everywhere ? null : own,
          rowRange: null,
          filters: job.filters,
        },
        finish: { ...plan, query },
      }),
    );
  }
  return answers;
}
