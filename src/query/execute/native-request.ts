// From a plan to what the native searcher is asked: which lists, and where the weight of the norm is
// estimated.
import type { AnswerRequest, FinishRequest } from '../../native/addon.js';
import type { Filter } from '../plan/filter.js';
import type { IndexShape, Plan } from '../plan/plan.js';
import type { Snapshot } from './snapshot.js';

/** The weight of the norm is estimated over lists that hold this share of the rank's rows: on
 * clip-b32 one list or 32 give the same recall. */
const NORM_ROWS_SHARE = 0.5;
const NORM_MIN_LISTS = 2;

/** How the weight of the norm is estimated: the score at this rank, within this many lists. */
export function normEstimate(
  shape: IndexShape,
  plan: Plan,
  filter: Filter | null,
): { normRank: number; nearest: number } {
  const { lists } = shape;
  const rows = Math.max(1, shape.rows);
  const keepShare = filter === null ? 1 : Math.max(1, filter.rows) / rows;
  const normRank = Math.max(1, Math.min(rows, Math.round(plan.shortlist / keepShare)));
  const wanted = Math.ceil((NORM_ROWS_SHARE * normRank * lists) / rows);
  return { normRank, nearest: Math.min(lists, Math.max(NORM_MIN_LISTS, wanted)) };
}

/**
 * Whole queries of one plan as the native searcher takes them. (Named one by one, for spreading one
 * object into another takes V8 a good part of the time of a small search.)
 * @param queries count x dims, unit rows
 */
export function answerRequest(
  shape: IndexShape,
  plan: Plan,
  filter: Filter | null,
  queries: Float32Array,
): AnswerRequest {
  const { normRank, nearest } = normEstimate(shape, plan, filter);
  const everywhere = plan.probes >= shape.lists;
  const { scoring, refine, rescore, wanted } = finishRequest(plan);
  return {
    queries,
    scoring,
    refine,
    rescore,
    wanted,
    probes: everywhere ? nearest : plan.probes,
    lists: null,
    similarities: null,
    everywhere,
    stop: plan.stop,
    shortlist: plan.shortlist,
    enough: plan.enough,
    normRank,
    nearest,
    filters: filter === null ? null : Float64Array.from(filter.handles),
  };
}

export function finishRequest(plan: Plan): FinishRequest {
  const refine = new Uint32Array(2 * plan.refine.length);
  plan.refine.forEach(({ bits, keep }, i) => {
    refine[2 * i] = bits;
    refine[2 * i + 1] = keep;
  });
  return { scoring: plan.scoring, refine, rescore: plan.rescore, wanted: plan.wanted };
}

/** Puts the lists of all queries into `request`, where it takes the routing graph to find them: this
 * thread alone has it, and reads it if it was not needed before. */
export async function routeByGraph(
  { router, dims }: Snapshot,
  request: AnswerRequest,
): Promise<AnswerRequest> {
  const { probes, queries } = request;
  if (!router.usesGraph(probes)) return request;
  if (!router.ready(probes)) await router.load();
  const count = queries.length / dims;
  const lists = new Uint32Array(count * probes);
  const similarities = new Float32Array(count * probes);
  for (let i = 0; i < count; i += 1) {
    const found = router.byGraph(queries.subarray(i * dims, (i + 1) * dims), probes);
    // A graph that has come apart reaches fewer: brute force then finds the lists of all.
    if (found === null) return request;
    lists.set(found.lists, i * probes);
    similarities.set(found.similarities, i * probes);
  }
  return { ...request, lists, similarities };
}

/** The lists in which the weight of the norm is estimated, for a scan that several threads share. */
export function nearestLists(snapshot: Snapshot, query: Float32Array, count: number): Uint32Array {
  return count === 0 ? new Uint32Array(0) : snapshot.handles.codec.nearestLists(query, count);
}
