// From a planned query to a scan job: which lists, and where the weight of the norm is estimated.
import type { Filter } from './filter.js';
import type { Plan } from './plan.js';
import type { Snapshot } from './snapshot.js';
import type { ScanJob } from './stages.js';

/** The weight of the norm is estimated over lists that hold this share of the rank's rows: on
 * clip-b32 one list or 32 give the same recall. */
const NORM_ROWS_SHARE = 0.5;
const NORM_MIN_LISTS = 2;

export interface Routed {
  job: ScanJob;
  routeMs: number;
  probedLists: number;
}

/** How the weight of the norm is estimated: the score at this rank, within this many lists. */
export function normEstimate(
  snapshot: Snapshot,
  plan: Plan,
  filter: Filter | null,
): { normRank: number; nearest: number } {
  const { lists } = snapshot.shape;
  const rows = Math.max(1, snapshot.shape.rows);
  const keepShare = filter === null ? 1 : filter.rows / rows;
  const normRank = Math.max(1, Math.min(rows, Math.round(plan.shortlist / keepShare)));
  const wanted = Math.ceil((NORM_ROWS_SHARE * normRank * lists) / rows);
  return { normRank, nearest: Math.min(lists, Math.max(NORM_MIN_LISTS, wanted)) };
}

/** Routes a query. Reads the routing graph if it was not needed before. */
export async function routeQuery(
  snapshot: Snapshot,
  query: Float32Array,
  plan: Plan,
  filter: Filter | null,
): Promise<Routed> {
  const { router, shape } = snapshot;
  const { normRank, nearest } = normEstimate(snapshot, plan, filter);
  const everywhere = plan.probes >= shape.lists;
  const probes = everywhere ? nearest : plan.probes;
  if (!router.ready(probes)) await router.load();
  const start = performance.now();
  const lists = router.nearest(query, probes);
  const routeMs = performance.now() - start;
  const job: ScanJob = {
    query,
    scoring: plan.scoring,
    limit: plan.shortlist,
    normRank,
    nearest: lists.subarray(0, nearest),
    lists: everywhere ? null : lists,
    rowRange: null,
    filters: filter?.handles ?? null,
  };
  return { job, routeMs, probedLists: everywhere ? shape.lists : lists.length };
}
