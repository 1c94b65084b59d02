// One search from query to hits: compose, filter, plan, execute, join.
import { throwIfAborted } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import { executeBatch, type PlannedQuery } from './batch.js';
import type { ComposedQuery, Composer } from './compose.js';
import { type ExecuteContext, type Executed, execute } from './execute.js';
import type { Filter } from './filter.js';
import type { Gatherer } from './gather.js';
import { lastStep, MAX_HITS, makePlan, type Plan, type Request, validate } from './plan.js';
import type { WorkerPool } from './pool.js';
import { recallAt } from './recall-card.js';
import { bareHits, joinHits, leaveOut, slice } from './result.js';
import type { Snapshot } from './snapshot.js';
import type { Hit, QueryInput, SearchOptions, SearchResult } from './types.js';

/** What a search needs of the open index. */
export interface SearchContext {
  catalog: Catalog;
  composer: Composer;
  pool: WorkerPool;
  gatherer: Gatherer;
  snapshot: Snapshot;
  /** Whether other calls are running. */
  busy: () => boolean;
}

/** @returns results in the order of the queries. */
export async function searchAll(
  context: SearchContext,
  inputs: readonly QueryInput[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  const { snapshot } = context;
  const start = performance.now();
  throwIfAborted(options.signal);
  const request = validate(options, snapshot.shape, snapshot.card);
  const queries = await context.composer.compose(inputs, snapshot, options.signal);
  const embedded = performance.now();
  const lease = await snapshot.filters.lease(request.where);
  try {
    const { filter } = lease;
    const filtered = performance.now();
    const planned = planAll(queries, request, snapshot, filter);
    const answers = await executeAll(executeContext(context, options.signal), planned, filter);
    throwIfAborted(options.signal);
    return answers.map((answer, i) => {
      const { items } = queries[i] as ComposedQuery;
      const { plan } = planned[i] as PlannedQuery;
      return toResult(context, answer, request, plan, filter, items, {
        embedMs: (embedded - start) / inputs.length,
        filterMs: (filtered - embedded) / inputs.length,
        start,
      });
    });
  } finally {
    lease.release();
  }
}

function executeContext(
  { snapshot, pool, gatherer, busy }: SearchContext,
  signal: AbortSignal | undefined,
): ExecuteContext {
  return { snapshot, pool, gatherer, busy: busy(), signal };
}

async function executeAll(
  context: ExecuteContext,
  planned: readonly PlannedQuery[],
  filter: Filter | null,
): Promise<Executed[]> {
  const [only] = planned;
  return planned.length === 1 && only !== undefined
    ? [await execute(context, only.vector, only.plan, filter)]
    : executeBatch(context, planned, filter);
}

/** Queries of one kind share one plan object. */
function planAll(
  queries: readonly ComposedQuery[],
  request: Request,
  snapshot: Snapshot,
  filter: Filter | null,
): PlannedQuery[] {
  const { shape } = snapshot;
  const share = keepShare(snapshot, filter);
  const plans = new Map<string, Plan>();
  return queries.map(({ vector, kind, items }) => {
    const key = `${kind} ${items.length}`;
    const plan = plans.get(key) ?? makePlan(request, shape, kind, share, items.length);
    plans.set(key, plan);
    return { vector, plan };
  });
}

/** Share of all rows that a filter keeps. */
function keepShare({ shape }: Snapshot, filter: Filter | null): number {
  return filter === null || shape.rows === 0 ? 1 : filter.rows / shape.rows;
}

interface Begun {
  embedMs: number;
  filterMs: number;
  start: number;
}

function toResult(
  { catalog, snapshot }: SearchContext,
  answer: Executed,
  request: Request,
  plan: Plan,
  filter: Filter | null,
  named: readonly number[],
  { embedMs, filterMs, start }: Begun,
): SearchResult {
  const joinStart = performance.now();
  const { offset, limit, minScore } = request;
  const ranked = slice(leaveOut(answer, new Set(named), minScore), offset, offset + limit);
  const { hasItems } = snapshot.contents.settings;
  // Joined now, while the catalog is the one that was searched; hits of bare vectors are made when
  // they are first asked for, so that large batches cost no more objects than are wanted.
  let hits: Hit[] | null = hasItems ? joinHits(catalog, ranked) : null;
  const end = performance.now();
  const { routeMs, scanMs, refineMs, rescoreMs } = answer;
  const joinMs = end - joinStart;
  const result = {
    get hits() {
      hits ??= bareHits(ranked);
      return hits;
    },
    exact: answer.exact,
    expectedRecall: expectedRecall(snapshot, request, plan, filter),
    rows: snapshot.images,
    matchingRows: filter?.rows ?? snapshot.images,
    scannedRows: answer.scannedRows,
    lists: snapshot.shape.lists,
    probedLists: answer.probedLists,
    shortlist: answer.shortlist,
    levels: plan.levels,
    rescored: plan.rescore,
    timings: {
      embedMs,
      filterMs,
      routeMs,
      scanMs,
      refineMs,
      rescoreMs,
      joinMs,
      totalMs: end - start,
    },
  };
  // Not enumerable: a result as JSON holds its hits, and not the same again.
  return Object.defineProperties(result as SearchResult, {
    ids: { value: ranked.ids },
    scores: { value: ranked.scores },
  });
}

/** What the recall card says; null where it does not hold: a text, a filter, other scoring. */
function expectedRecall(
  { card, shape }: Snapshot,
  request: Request,
  plan: Plan,
  filter: Filter | null,
): number | null {
  const { kind, scoring } = plan;
  if (card === null || filter !== null || kind === 'text' || scoring === 'hamming') return null;
  const effort = request.exact ? 1 : request.effort;
  return recallAt(card, effort, lastStep(request, shape), request.offset + request.limit);
}

/** Hits of the first stage of an iteration; each later stage is ten times as deep. */
const FIRST_STAGE = 100;
const STAGE_FACTOR = 10;

/**
 * Hits one by one. Works in stages of 100, 1,000, 10,000 … hits: a stage is computed when the hits
 * of the one before are used up, and gives what they did not contain. So the first 100 are those of
 * `search`, and the work of all stages is little more than that of the last.
 */
export async function* iterateHits(
  context: SearchContext,
  input: QueryInput,
  options: SearchOptions,
): AsyncGenerator<Hit> {
  const { snapshot, catalog } = context;
  const { hasItems } = snapshot.contents.settings;
  const request = validate(options, snapshot.shape, snapshot.card);
  const [query] = await context.composer.compose([input], snapshot, options.signal);
  const { vector, kind, items } = query as ComposedQuery;
  const given = new Set<number>(items);
  let toSkip = request.offset;
  for (let depth = FIRST_STAGE; depth <= MAX_HITS; depth *= STAGE_FACTOR) {
    const staged = { ...request, offset: 0, limit: depth - items.length };
    const lease = await snapshot.filters.lease(request.where);
    let answer: Executed;
    try {
      const { filter } = lease;
      const share = keepShare(snapshot, filter);
      const plan = makePlan(staged, snapshot.shape, kind, share, items.length);
      answer = await execute(executeContext(context, options.signal), vector, plan, filter);
    } finally {
      lease.release();
    }
    const fresh = leaveOut(answer, given, request.minScore);
    const count = fresh.ids.length;
    for (const id of fresh.ids) given.add(id);
    for (let first = Math.min(toSkip, count); first < count; first += request.limit) {
      throwIfAborted(options.signal);
      const page = slice(fresh, first, first + request.limit);
      yield* hasItems ? joinHits(catalog, page) : bareHits(page);
    }
    toSkip = Math.max(0, toSkip - count);
    const belowScore = answer.ids.length > 0 && (answer.scores.at(-1) as number) < request.minScore;
    if (answer.ids.length < depth || belowScore) return;
  }
}
