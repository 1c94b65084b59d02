// What a worker thread can be asked, and the doing of it. Run in workers by worker.ts, and on the
// calling thread for small work: one function, one answer.
import type { AnswerRequest, NativeAnswers } from '../../native/addon.js';
import { Catalog } from '../../store/catalog.js';
import type { ItemIds } from '../../store/ids.js';
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

export type Task =
  | { kind: 'scan'; job: ScanJob }
  | { kind: 'sweep'; job: SweepJob; cancel: Int32Array }
  | { kind: 'finish'; job: FinishJob; shortlist: Shortlist }
  | { kind: 'answer'; job: AnswerRequest; cancel: Int32Array | null }
  | { kind: 'locate'; job: LocateJob }
  | { kind: 'select'; catalogPath: string; where: string };

/** The result of each kind of task. Null: cancelled. */
export interface Results {
  scan: ScanAnswer;
  sweep: ScanAnswer | null;
  finish: Answer;
  answer: NativeAnswers | null;
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
    case 'answer':
      if (task.cancel !== null && Atomics.load(task.cancel, 0) !== 0) return null;
      return handles.searcher.answer(task.job);
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
