// One search from query to hits: compose, filter, plan, answer, join.
import { throwIfAborted } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import type { ComposedQuery, Composer } from './compose/compose.js';
import type { QueryAnswer, Ranked, StageTimes } from './execute/answers.js';
import { answerBatch } from './execute/batch.js';
import type { BufferPool } from './execute/buffer-pool.js';
import type { Coalescer } from './execute/coalescer.js';
import type { WorkerPool } from './execute/pool.js';
import {
  bareHits,
  exclude,
  joinHits,
  QueryResult,
  type SharedDetails,
  slice,
} from './execute/result.js';
import { answerQuery, type Load, type RunContext } from './execute/run.js';
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
  coalescer: Coalescer;
  buffers: BufferPool;
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
  const { snapshot, composer, buffers } = context;
  // Holes of the array become undefined, and are refused as that.
  const inputs = Array.from(given);
  const start = performance.now();
  throwIfAborted(options.signal);
  const request = validate(options, snapshot.shape, snapshot.card);
  const vectors = buffers.reserve(inputs.length * snapshot.dims);
  const queries = await composer.compose(inputs, snapshot, options.signal, vectors);
  const embedded = performance.now();
  const lease = await snapshot.filters.lease(request.where);
  try {
    const { filter } = lease;
    const filtered = performance.now();
    const planned = planAll(queries, request, snapshot, filter);
    const running = runContext(context, options.signal);
    const answers = await answerAll(running, vectors, planned, filter);
    throwIfAborted(options.signal);
    // Only now does no thread read it any more: where something threw, one might.
    buffers.release(vectors);
    const spent = {
      embedMs: (embedded - start) / inputs.length,
      filterMs: (filtered - embedded) / inputs.length,
      start,
    };
    return toResults(context, answers, planned, queries, request, filter, spent);
  } finally {
    lease.release();
  }
}

function runContext(
  { snapshot, pool, coalescer, load }: SearchContext,
  signal: AbortSignal | undefined,
): RunContext {
  const { busy, crowded } = load();
  return { snapshot, pool, coalescer, busy, crowded, signal };
}

async function answerAll(
  context: RunContext,
  vectors: Float32Array,
  planned: readonly PlannedQuery[],
  filter: Filter | null,
): Promise<QueryAnswer[]> {
  const [first] = planned;
  if (planned.length === 1 && first !== undefined) {
    return [await answerQuery(context, vectors, first.plan, filter)];
  }
  const plans = planned.map(({ plan }) => plan);
  return answerBatch(context, vectors, plans, filter);
}

interface PlannedQuery {
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
): PlannedQuery[] {
  const { shape } = snapshot;
  const share = keepShare(snapshot, filter);
  const known = new Map<string, PlannedQuery>();
  let last: { query: ComposedQuery; planned: PlannedQuery } | null = null;
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

/** What the steps before the search took of each query, and when it all began. */
interface Spent {
  embedMs: number;
  filterMs: number;
  start: number;
}

function toResults(
  { catalog, snapshot }: SearchContext,
  answers: readonly QueryAnswer[],
  planned: readonly PlannedQuery[],
  queries: readonly ComposedQuery[],
  { offset, limit, minScore }: Request,
  filter: Filter | null,
  { embedMs, filterMs, start }: Spent,
): SearchResult[] {
  const joinStart = performance.now();
  const ranked = answers.map((answer, i) =>
    slice(exclude(answer, (queries[i] as ComposedQuery).items, minScore), offset, offset + limit),
  );
  const { hasItems } = snapshot.contents.settings;
  // Joined now, while the catalog is the one that was searched.
  const hits = hasItems ? ranked.map((hits) => joinHits(catalog, hits)) : null;
  const end = performance.now();
  const joinMs = (end - joinStart) / answers.length;
  const shared = new Map<StageTimes, SharedDetails>();
  return answers.map((answer, i) => {
    const { times } = answer;
    let details = shared.get(times);
    if (details === undefined) {
      const { plan, expectedRecall } = planned[i] as PlannedQuery;
      details = {
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
      shared.set(times, details);
    }
    return new QueryResult(ranked[i] as Ranked, hits?.[i] ?? null, answer, details);
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
    let answer: QueryAnswer;
    try {
      const { filter } = lease;
      const share = keepShare(snapshot, filter);
      const plan = makePlan(staged, snapshot.shape, kind, share, items.size);
      answer = await answerQuery(runContext(context, options.signal), vector, plan, filter);
    } finally {
      lease.release();
    }
    const fresh = exclude(answer, given, request.minScore);
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
