// One search from query to hits: compose, filter, plan, execute, join.
import { throwIfAborted } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import type { ComposedQuery, Composer } from './compose/compose.js';
import { executeBatch } from './execute/batch.js';
import type { VectorRoom } from './execute/buffer-pool.js';
import type { Gatherer } from './execute/coalescer.js';
import {
  type ExecuteContext,
  type Executed,
  execute,
  type Load,
  type StageTimes,
} from './execute/execute.js';
import type { WorkerPool } from './execute/pool.js';
import {
  bareHits,
  type Common,
  Found,
  joinHits,
  leaveOut,
  type Ranked,
  slice,
} from './execute/result.js';
import type { Snapshot } from './execute/snapshot.js';
import type { Filter } from './plan/filter.js';
import { lastStep, MAX_HITS, makePlan, type Plan, type Request, validate } from './plan/plan.js';
import { recallAt } from './recall/recall-card.js';
import type { Hit, QueryInput, SearchOptions, SearchResult } from './types.js';

/** What a search needs of the open index. */
export interface SearchContext {
  catalog: Catalog;
  composer: Composer;
  pool: WorkerPool;
  gatherer: Gatherer;
  room: VectorRoom;
  snapshot: Snapshot;
  /** What other calls are running. */
  load: () => Load;
}

/** @returns results in the order of the queries. */
export async function searchAll(
  context: SearchContext,
  given: readonly QueryInput[],
  options: SearchOptions,
): Promise<SearchResult[]> {
  const { snapshot, composer, room } = context;
  // Holes of the array become undefined, and are refused as that.
  const inputs = Array.from(given);
  const start = performance.now();
  throwIfAborted(options.signal);
  const request = validate(options, snapshot.shape, snapshot.card);
  const vectors = room.take(inputs.length * snapshot.dims);
  const queries = await composer.compose(inputs, snapshot, options.signal, vectors);
  const embedded = performance.now();
  const lease = await snapshot.filters.lease(request.where);
  try {
    const { filter } = lease;
    const filtered = performance.now();
    const planned = planAll(queries, request, snapshot, filter);
    const answers = await executeAll(context, vectors, planned, filter, options.signal);
    throwIfAborted(options.signal);
    // Only now does no thread read it any more: where something threw, one might.
    room.give(vectors);
    const begun = {
      embedMs: (embedded - start) / inputs.length,
      filterMs: (filtered - embedded) / inputs.length,
      start,
    };
    return toResults(context, answers, planned, queries, request, filter, begun);
  } finally {
    lease.release();
  }
}

function executeContext(
  { snapshot, pool, gatherer, load }: SearchContext,
  signal: AbortSignal | undefined,
): ExecuteContext {
  const { busy, crowded } = load();
  return { snapshot, pool, gatherer, busy, crowded, signal };
}

async function executeAll(
  context: SearchContext,
  vectors: Float32Array,
  planned: readonly Planned[],
  filter: Filter | null,
  signal: AbortSignal | undefined,
): Promise<Executed[]> {
  const own = executeContext(context, signal);
  const [only] = planned;
  return planned.length === 1 && only !== undefined
    ? [await execute(own, vectors, only.plan, filter)]
    : executeBatch(
        own,
        vectors,
        planned.map(({ plan }) => plan),
        filter,
      );
}

interface Planned {
  plan: Plan;
  /** What the recall card says of it. */
  expectedRecall: number | null;
}

/** Queries of one kind share one object. */
function planAll(
  queries: readonly ComposedQuery[],
  request: Request,
  snapshot: Snapshot,
  filter: Filter | null,
): Planned[] {
  const { shape } = snapshot;
  const share = keepShare(snapshot, filter);
  const known = new Map<string, Planned>();
  let last: { query: ComposedQuery; planned: Planned } | null = null;
  return queries.map((query) => {
    if (last?.query === query) return last.planned;
    const { kind, items } = query;
    const key = `${kind} ${items.size}`;
    let planned = known.get(key);
    if (planned === undefined) {
      const plan = makePlan(request, shape, kind, share, items.size);
      planned = { plan, expectedRecall: expectedRecall(snapshot, request, plan, filter) };
      known.set(key, planned);
    }
    last = { query, planned };
    return planned;
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

function toResults(
  { catalog, snapshot }: SearchContext,
  answers: readonly Executed[],
  planned: readonly Planned[],
  queries: readonly ComposedQuery[],
  { offset, limit, minScore }: Request,
  filter: Filter | null,
  { embedMs, filterMs, start }: Begun,
): SearchResult[] {
  const joinStart = performance.now();
  const ranked = answers.map((answer, i) =>
    slice(leaveOut(answer, (queries[i] as ComposedQuery).items, minScore), offset, offset + limit),
  );
  const { hasItems } = snapshot.contents.settings;
  // Joined now, while the catalog is the one that was searched.
  const hits = hasItems ? ranked.map((own) => joinHits(catalog, own)) : null;
  const end = performance.now();
  const joinMs = (end - joinStart) / answers.length;
  const commons = new Map<StageTimes, Common>();
  return answers.map((answer, i) => {
    const { times } = answer;
    let common = commons.get(times);
    if (common === undefined) {
      const { plan, expectedRecall } = planned[i] as Planned;
      common = {
        expectedRecall,
        rows: snapshot.images,
        matchingRows: filter?.rows ?? snapshot.images,
        lists: snapshot.shape.lists,
        levels: plan.levels,
        rescored: plan.rescore,
        timings: {
          embedMs,
          filterMs,
          routeMs: times.routeMs,
          scanMs: times.scanMs,
          refineMs: times.refineMs,
          rescoreMs: times.rescoreMs,
          joinMs,
          totalMs: end - start,
        },
      };
      commons.set(times, common);
    }
    return new Found(ranked[i] as Ranked, hits?.[i] ?? null, answer, common);
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
  const vector = new Float32Array(snapshot.dims);
  const [query] = await context.composer.compose([input], snapshot, options.signal, vector);
  const { kind, items } = query as ComposedQuery;
  const given = new Set<number>(items);
  let toSkip = request.offset;
  for (let depth = FIRST_STAGE; depth <= MAX_HITS; depth *= STAGE_FACTOR) {
    const staged = { ...request, offset: 0, limit: depth - items.size };
    const lease = await snapshot.filters.lease(request.where);
    let answer: Executed;
    try {
      const { filter } = lease;
      const share = keepShare(snapshot, filter);
      const plan = makePlan(staged, snapshot.shape, kind, share, items.size);
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
