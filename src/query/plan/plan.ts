// The plan of a search: how many lists, how long a shortlist, which codes.
//
// Pure functions of the options and of the index's shape; nothing is read here. More effort never
// probes fewer lists nor keeps a shorter shortlist. Two requests whose last hit lies in the same
// step (the first 100, the first 1,000, …) get the same plan, so that pages fit together.
import { CorvidError } from '../../errors.js';
import type { Scoring, SearchPlan } from '../../native/search.js';
import { checkInteger, checkNames, type OptionNames, usageError } from '../../option-checks.js';
import { effortFor, type RecallCard } from '../recall/recall-card.js';
import type { SearchOptions } from '../types.js';

/** What the plan must know of the index. */
export interface IndexShape {
  rows: number;
  lists: number;
  /** Levels that can be used, ascending. */
  levels: readonly number[];
  vectors: boolean;
}

/** Text queries lie outside the cone of the images: they need more lists and longer shortlists. */
export type QueryKind = 'image' | 'text';

/** A plan as native code reads it, with what the result reports of it. */
export interface Plan extends SearchPlan {
  kind: QueryKind;
  /** Every row is scored by the last step, without a shortlist. */
  exact: boolean;
  /** Levels used, ascending. */
  levels: number[];
}

/** Options after validation, with the defaults put in. */
export interface Request {
  limit: number;
  offset: number;
  minScore: number;
  where: string | null;
  effort: number;
  exact: boolean;
  levels: readonly number[] | null;
  scoring: Scoring;
}

export const DEFAULT_LIMIT = 10;
export const DEFAULT_EFFORT = 0.5;
/** Most hits that one search reaches, offset included. */
export const MAX_HITS = 100_000;

const FIRST_STEP = 100;
/** Longest shortlist, unless more hits are wanted. */
const MAX_SHORTLIST = 2 ** 19;
/** Shortlist of the first step at effort 0.5, and by what it grows from effort 0 to 1: so long that
 * refining it finds nearly what refining all rows does (`npm run bench -- recall --shortlist 500`). */
const SHORTLIST_MIDDLE = 500;
const SHORTLIST_SPAN = 100;
/** Where nothing finer follows, only the exact cosines of 64 bits reorder the scan's best: by little. */
const SCAN_SPARE = 1.3;
/** Ten times as many hits need a shortlist this many times as long. */
const SHORTLIST_PER_STEP = 4;
/** Most lists at effort 0.5, as a multiple of the cube root of their number. */
const PROBES_MIDDLE = 8;
/** Least log odds of finding more at effort 0, and how they fall towards effort 1. What
 * a scan then finds, and in how many lists: `npm run bench -- search --effort 0.25`. */
const STOP_START = -1;
const STOP_SPAN = -8;
const TEXT_PROBES = 3;
/** Lists hold at least so many times the hits of a step, on average: some are short. */
const LIST_ROWS_PER_HIT = 2;
const TEXT_STOP = -2;
/** By what the log odds fall with the logarithm of a filter's share: once because a list holds so
 * much less of what is looked for, and again because lists in vain follow one another. */
const FILTER_STOP = 2;
const TEXT_SHORTLIST = 2;
/** The weight of the norm is estimated over lists that hold this share of the rank's rows: a rough
 * estimate is enough. */
const NORM_ROWS_SHARE = 0.5;
const NORM_MIN_LISTS = 2;
const SEARCH_OPTIONS: OptionNames<SearchOptions> = {
  limit: true,
  offset: true,
  minScore: true,
  where: true,
  effort: true,
  targetRecall: true,
  exact: true,
  levels: true,
  scoring: true,
  signal: true,
};

/**
 * @param card turns `targetRecall` into an effort; null if the index has none
 * @throws ERR_USAGE for an option out of its range
 */
export function validate(
  options: SearchOptions,
  shape: IndexShape,
  card: RecallCard | null,
): Request {
  checkNames(options, SEARCH_OPTIONS);
  const { limit = DEFAULT_LIMIT, offset = 0, minScore = Number.NEGATIVE_INFINITY } = options;
  checkInteger('limit', limit, 1);
  checkInteger('offset', offset, 0);
  if (limit + offset > MAX_HITS) {
    throw usageError(
      'limit + offset',
      'not a valid value',
      `at most ${MAX_HITS}`,
      String(limit + offset),
      'use iterate',
    );
  }
  if (typeof minScore !== 'number' || Number.isNaN(minScore)) {
    throw usageError('minScore', 'not a valid value', 'a number', String(minScore));
  }
  const scoring = options.scoring ?? 'asymmetric';
  if (scoring !== 'asymmetric' && scoring !== 'hamming') {
    throw usageError('scoring', 'not a valid value', 'asymmetric or hamming', String(scoring));
  }
  if (options.where !== undefined && typeof options.where !== 'string') {
    throw usageError('where', 'not a valid value', 'an SQL condition', typeof options.where);
  }
  const levels = options.levels === undefined ? null : validLevels(options.levels, shape);
  const last = lastStep({ levels, scoring }, shape);
  return {
    limit,
    offset,
    minScore,
    where: options.where === undefined || options.where.trim() === '' ? null : options.where,
    effort: effortOf(options, { last, hits: offset + limit }, card),
    exact: options.exact === true,
    levels,
    scoring,
  };
}

function effortOf(
  { effort, targetRecall, exact }: SearchOptions,
  wanted: { last: string; hits: number },
  card: RecallCard | null,
): number {
  if (targetRecall === undefined) {
    if (effort === undefined) return DEFAULT_EFFORT;
    if (!(effort >= 0 && effort <= 1))
      throw usageError('effort', 'not a valid value', '0 to 1', String(effort));
    return effort;
  }
  if (effort !== undefined)
    throw usageError('effort', 'not a valid value', 'effort or targetRecall, not both', 'both');
  if (!(targetRecall > 0 && targetRecall < 1)) {
    throw usageError(
      'targetRecall',
      'not a valid value',
      'above 0 and below 1',
      String(targetRecall),
    );
  }
  if (exact === true) return 1;
  if (card === null) {
    throw new CorvidError('ERR_USAGE', 'option targetRecall: this index has no recall card', {
      hint: 'give effort instead; builds of 1,000 to 20 million rows measure one',
    });
  }
  return effortFor(card, targetRecall, wanted.last, wanted.hits);
}

/** What scores the hits of a request at last: bits of the code, or `vectors`. */
export function lastStep(
  { levels, scoring }: Pick<Request, 'levels' | 'scoring'>,
  shape: IndexShape,
): string {
  if (scoring === 'hamming') return String(levels?.at(-1) ?? 64);
  return levels === null && shape.vectors ? 'vectors' : String((levels ?? shape.levels).at(-1));
}

function validLevels(levels: readonly number[], shape: IndexShape): number[] {
  const wanted = [...new Set(levels)].sort((a, b) => a - b);
  const unknown = wanted.filter((level) => !shape.levels.includes(level));
  if (wanted.length === 0 || unknown.length > 0) {
    throw usageError(
      'levels',
      'not a valid value',
      `some of ${shape.levels.join(', ')}`,
      levels.join(', ') || 'none',
    );
  }
  return wanted;
}

/**
 * @param keepShare share of the rows that the filter keeps; 1 without one
 * @param extra hits wanted beyond offset + limit: items of the query, which are excluded
 */
export function makePlan(
  request: Request,
  shape: IndexShape,
  kind: QueryKind,
  keepShare: number,
  extra: number,
): Plan {
  const step = hitStep(request.offset + request.limit);
  const probes = request.exact
    ? shape.lists
    : Math.max(
        probesFor(request.effort, shape.lists, kind),
        Math.ceil((LIST_ROWS_PER_HIT * step * shape.lists) / Math.max(1, shape.rows)),
      );
  const finer = request.scoring === 'asymmetric' && !endsAt64(request, shape);
  const longest = finer ? shortlistFor(request.effort, step, kind) : step * SCAN_SPARE;
  const shortlist = Math.min(Math.ceil(longest) + extra, shape.rows);
  const most = Math.min(shape.lists, Math.ceil(probes / keepShare));
  return {
    kind,
    scoring: request.scoring,
    wanted: Math.min(request.offset + request.limit + extra, shape.rows),
    probes: most,
    scanAll: most >= shape.lists,
    shortlist,
    minRows: Math.min(step, shape.rows),
    stopLogOdds: stopFor(request.effort, kind, keepShare),
    ...normEstimate(shape, shortlist, keepShare),
    ...lastScoring(request, shape),
    exact: request.exact,
  };
}

/** True if the plan's last step can score any row; else the scan's scores are all there is. */
export function scoresAllRows({ rescore, refineBits }: SearchPlan): boolean {
  return rescore || refineBits > 64;
}

/** How the weight of the norm is estimated: the score at this rank, within this many lists. */
function normEstimate(
  { rows, lists }: IndexShape,
  shortlist: number,
  keepShare: number,
): Pick<SearchPlan, 'normRank' | 'normLists'> {
  const total = Math.max(1, rows);
  const share = Math.max(keepShare, 1 / total);
  const normRank = Math.max(1, Math.min(total, Math.round(shortlist / share)));
  const holding = Math.ceil((NORM_ROWS_SHARE * normRank * lists) / total);
  return { normRank, normLists: Math.min(lists, Math.max(NORM_MIN_LISTS, holding)) };
}

/** Whether the level that is scanned is also the last. */
function endsAt64({ levels }: Request, shape: IndexShape): boolean {
  return levels === null ? !shape.vectors && shape.levels.length === 1 : levels.at(-1) === 64;
}

/** The step that a hit belongs to: 100, 1,000, 10,000, … */
function hitStep(hits: number): number {
  let step = FIRST_STEP;
  while (step < hits) step *= 10;
  return step;
}

/** Most lists: 1 at effort 0, 8·∛lists at 0.5, all at 1. */
export function probesFor(effort: number, lists: number, kind: QueryKind): number {
  if (effort >= 1) return lists;
  const middle = Math.min(lists, PROBES_MIDDLE * Math.cbrt(lists));
  const images =
    effort <= 0.5 ? middle ** Math.sqrt(effort * 2) : middle * (lists / middle) ** (effort * 2 - 1);
  const factor = kind === 'text' ? TEXT_PROBES : 1;
  return Math.min(lists, Math.max(1, Math.round(images * factor)));
}

function stopFor(effort: number, kind: QueryKind, keepShare: number): number {
  const image = STOP_START + STOP_SPAN * effort;
  return image + (kind === 'text' ? TEXT_STOP : 0) + FILTER_STOP * Math.log(keepShare);
}

function shortlistFor(effort: number, step: number, kind: QueryKind): number {
  const steps = Math.log10(step / FIRST_STEP);
  const middle = SHORTLIST_MIDDLE * SHORTLIST_PER_STEP ** steps;
  const factor = kind === 'text' ? TEXT_SHORTLIST : 1;
  const rows = Math.round(middle * factor * SHORTLIST_SPAN ** (effort - 0.5));
  return Math.min(MAX_SHORTLIST, Math.max(step, rows));
}

/** What the shortlist is scored by at last, and all levels that are used. */
function lastScoring(
  { levels, scoring }: Request,
  shape: IndexShape,
): Pick<Plan, 'refineBits' | 'rescore' | 'levels'> {
  if (shape.vectors && levels === null && scoring === 'asymmetric') {
    return { refineBits: 0, rescore: true, levels: [64] };
  }
  const allowed = levels ?? (scoring === 'hamming' ? [64] : shape.levels);
  const last = allowed.at(-1) as number;
  if (last > 64) return { refineBits: last, rescore: false, levels: [64, last] };
  return { refineBits: scoring === 'hamming' ? 0 : 64, rescore: false, levels: [64] };
}
