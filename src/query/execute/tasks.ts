// What a thread can be asked to do, and the doing of it: by workers (worker.ts), and on the calling
// thread where the work is small. One function, so one answer.
import type {
  FilterHandles,
  RoutedLists,
  ScoredRows,
  SearchAnswers,
  SearchPlan,
} from '../../native/search.js';
import { Catalog } from '../../store/catalog.js';
import type { ItemIds } from '../../store/ids.js';
import type { Handles } from './handles.js';

/** One query, and which rows it may return. */
interface QueryTask {
  query: Float32Array;
  plan: SearchPlan;
  filters: FilterHandles;
}

/** A part of all rows. */
interface RowRange {
  firstRow: number;
  lastRow: number;
}

export type Task =
  | {
      kind: 'answer';
      /** count x dims, unit rows. */
      queries: Float32Array;
      plan: SearchPlan;
      filters: FilterHandles;
      routed: RoutedLists | null;
      cancel: Int32Array | null;
    }
  | ({ kind: 'scanPart' } & QueryTask & RowRange)
  | ({ kind: 'sweepPart'; cancel: Int32Array } & QueryTask & RowRange)
  | { kind: 'finish'; query: Float32Array; plan: SearchPlan; parts: readonly ScoredRows[] }
  | { kind: 'locate'; ids: ItemIds; decode: boolean }
  | { kind: 'select'; catalogPath: string; where: string };

/** Where items lie in an index. */
export interface Located {
  /** Global row of each id, or -1. */
  rows: Float64Array;
  /** ids.length x dims, unit rows; zeros for an id without a row; empty if not asked for. */
  embeddings: Float32Array;
}

/** The result of each kind of task. Null: cancelled. */
export interface Results {
  answer: SearchAnswers | null;
  scanPart: ScoredRows;
  sweepPart: ScoredRows | null;
  finish: SearchAnswers;
  locate: Located;
  select: ItemIds;
}

export function runTask<K extends Task['kind']>(
  handles: Handles,
  task: Extract<Task, { kind: K }>,
): Results[K];
export function runTask(handles: Handles, task: Task): Results[Task['kind']] {
  const { searcher } = handles;
  switch (task.kind) {
    case 'answer':
      return searcher.answer(task.queries, task.plan, task.filters, task.routed, task.cancel);
    case 'scanPart': {
      const { query, plan, filters, firstRow, lastRow } = task;
      return searcher.scanPart(query, plan, filters, firstRow, lastRow);
    }
    case 'sweepPart': {
      const { query, plan, filters, firstRow, lastRow, cancel } = task;
      return searcher.sweepPart(query, plan, filters, firstRow, lastRow, cancel);
    }
    case 'finish':
      return searcher.finish(task.query, task.plan, task.parts);
    case 'locate':
      return locate(handles, task.ids, task.decode);
    case 'select':
      return select(task.catalogPath, task.where);
  }
}

function locate({ searcher, codec }: Handles, ids: ItemIds, decode: boolean): Located {
  const rows = searcher.findRows(ids);
  if (!decode) return { rows, embeddings: new Float32Array(0) };
  const { dims } = codec.info();
  const embeddings = new Float32Array(ids.length * dims);
  rows.forEach((row, i) => {
    if (row >= 0) embeddings.set(searcher.reconstruct(Float64Array.of(row)), i * dims);
  });
  return { rows, embeddings };
}

/** Opens the catalog for this one statement: only what looks through many items comes here. */
function select(catalogPath: string, where: string): ItemIds {
  const catalog = Catalog.open(catalogPath);
  try {
    return catalog.where(where);
  } finally {
    catalog.close();
  }
}
