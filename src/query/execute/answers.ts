// What a query was answered with, and what its result reports about the making of it.
import type { SearchAnswers } from '../../native/search.js';
import { type IndexShape, type Plan, scoresAllRows } from '../plan/plan.js';

/** Ids with scores, best first; equal lengths. */
export interface Ranked {
  ids: Float64Array;
  scores: Float32Array;
}

/** Milliseconds of a query, or its fair share of what several took: those share one object. */
export interface StageTimes {
  routeMs: number;
  scanMs: number;
  refineMs: number;
  rescoreMs: number;
}

export interface QueryAnswer extends Ranked {
  scannedRows: number;
  /** Rows that were scored again. */
  shortlist: number;
  probedLists: number;
  /** Every row (that the filter keeps) was scored by the plan's last step. */
  exact: boolean;
  times: StageTimes;
}

/** Every query's part of what native code answered. @param matchingRows rows that the filter keeps */
export function splitAnswers(
  found: SearchAnswers,
  shape: IndexShape,
  plan: Plan,
  matchingRows: number,
): QueryAnswer[] {
  const share = 1 / found.counts.length;
  const times = {
    routeMs: found.routeMs * share,
    scanMs: found.scanMs * share,
    refineMs: found.refineMs * share,
    rescoreMs: found.rescoreMs * share,
  };
  const answers: QueryAnswer[] = [];
  let first = 0;
  for (let i = 0; i < found.counts.length; i++) {
    const [start, end] = [first, first + (found.counts[i] as number)];
    first = end;
    const shortlist = found.shortlists[i] as number;
    const probedLists = found.probedLists[i] as number;
    const scoredAll = !scoresAllRows(plan) || shortlist >= matchingRows;
    answers.push({
      ids: found.ids.subarray(start, end),
      scores: found.scores.subarray(start, end),
      scannedRows: found.scannedRows[i] as number,
      shortlist,
      probedLists,
      exact: probedLists === shape.lists && scoredAll,
      times,
    });
  }
  return answers;
}
