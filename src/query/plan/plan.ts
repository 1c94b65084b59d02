// The plan of a search: how many lists, how long a shortlist, which codes.
//
// Pure functions of the options and of the index's shape; nothing is read here. More effort never
// probes fewer lists nor keeps a shorter shortlist. Two requests whose last hit lies in the same
// step (the first 100, the first 1,000, …) get the same plan, so that pages fit together.
import { CorvidError } from '../../errors.js';
import type { Scoring } from '../../native/addon.js';
import { checkNames, type OptionNames } from '../../option-names.js';
import { MAX_SHORTLIST } from '../execute/shortlist.js';
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

export interface Plan {
  kind: QueryKind;
  /** Hits that the search must be able to give, from the first on. */
  wanted: number;
  /** Lists scanned at most; all lists means a scan of everything. */
  probes: number;
  /** The scan of lists ends where the log odds of finding more fall below this. */
  stop: number;
  shortlist: number;
  /** A scan does not end early before it has met so many rows. */
  enough: number;
  scoring: Scoring;
  /** Refine steps, coarse to fine: score by the first `bits`, then keep the best `keep`. */
  refine: { bits: number; keep: number }[];
  /** Score the last shortlist by the stored vectors. */
  rescore: boolean;
  /** Every row is scored by the last step, without a shortlist. */
  exact: boolean;
  /** Levels used, ascending, as the result reports them. */
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
/** Shortlist of the first step at effort 0.5, and by what it grows from effort 0 to 1: so long that
 * refining it finds nearly what refining all rows does (`npm run bench -- recall --shortlist 500`). */
const SHORTLIST_MIDDLE = 500;
const SHORTLIST_SPAN = 100;
/** Where nothing finer follows, only the exact cosines of 64 bits reorder the scan's best: by little. */
const SCAN_SPARE = 1.3;
/** A tenfold number of hits wants this many times the shortlist. */
const SHORTLIST_PER_STEP = 4;
/** Most lists at effort 0.5, as a multiple of the cube root of their number. */
const PROBES_MIDDLE = 8;
/** Least log odds of finding more at effort 0, and how they fall towards effort 1. What
 * a scan then finds, and in how many lists: `npm run bench -- search --effort 0.25`. */
const STOP_START = -1;
const STOP_SPAN = -8;
const TEXT_PROBES = 3;
/** Lists hold at least so many times the hits of a step, on average: some are short. */
const ROOM = 2;
const TEXT_STOP = -2;
/** By what the log odds fall with the logarithm of a filter's share: once because a list holds so
 * much less of what is looked for, and again because lists in vain follow one another. */
const FILTER_STOP = 2;
const TEXT_SHORTLIST = 2;
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
  requireInteger('limit', limit, 1);
  requireInteger('offset', offset, 0);
  if (limit + offset > MAX_HITS) {
    throw usage('limit + offset', `at most ${MAX_HITS}`, String(limit + offset), 'use iterate');
  }
  if (typeof minScore !== 'number' || Number.isNaN(minScore)) {
    throw usage('minScore', 'a number', String(minScore));
  }
  const scoring = options.scoring ?? 'asymmetric';
  if (scoring !== 'asymmetric' && scoring !== 'hamming') {
    throw usage('scoring', 'asymmetric or hamming', String(scoring));
  }
  if (options.where !== undefined && typeof options.where !== 'string') {
    throw usage('where', 'an SQL condition', typeof options.where);
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
    if (!(effort >= 0 && effort <= 1)) throw usage('effort', '0 to 1', String(effort));
    return effort;
  }
  if (effort !== undefined) throw usage('effort', 'effort or targetRecall, not both', 'both');
  if (!(targetRecall > 0 && targetRecall < 1)) {
    throw usage('targetRecall', 'above 0 and below 1', String(targetRecall));
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
    throw usage('levels', `some of ${shape.levels.join(', ')}`, levels.join(', ') || 'none');
  }
  return wanted;
}

/**
 * @param keepShare share of the rows that the filter keeps; 1 without one
 * @param extra hits wanted beyond offset + limit: items of the query, which are left out
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
        Math.ceil((ROOM * step * shape.lists) / Math.max(1, shape.rows)),
      );
  const finer = request.scoring === 'asymmetric' && !endsAt64(request, shape);
  const longest = finer ? shortlistFor(request.effort, step, kind) : step * SCAN_SPARE;
  const shortlist = Math.min(Math.ceil(longest) + extra, shape.rows);
  const { refine, rescore, levels } = scoringSteps(request, shape, shortlist);
  return {
    kind,
    wanted: Math.min(request.offset + request.limit + extra, shape.rows),
    probes: Math.min(shape.lists, Math.ceil(probes / keepShare)),
    stop: stopFor(request.effort, kind, keepShare),
    shortlist,
    enough: Math.min(step, shape.rows),
    scoring: request.scoring,
    refine,
    rescore,
    exact: request.exact,
    levels,
  };
}

/** Whether the scan's own level is also the last. */
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
  return Math.min(MAX_SHORTLIST / 2, Math.max(step, rows));
}

function scoringSteps(
  request: Request,
  shape: IndexShape,
  shortlist: number,
): Pick<Plan, 'refine' | 'rescore' | 'levels'> {
  const rescore = shape.vectors && request.levels === null && request.scoring === 'asymmetric';
  if (rescore) return { refine: [], rescore, levels: [64] };
  const allowed = request.levels ?? (request.scoring === 'hamming' ? [64] : shape.levels);
  const last = allowed.at(-1) as number;
  if (last === 64) {
    const refine = request.scoring === 'hamming' ? [] : [{ bits: 64, keep: shortlist }];
    return { refine, rescore, levels: [64] };
  }
  return { refine: [{ bits: last, keep: shortlist }], rescore, levels: [64, last] };
}

function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw usage(name, `an integer from ${least} on`, String(value));
  }
}

function usage(name: string, expected: string, actual: string, hint?: string): CorvidError {
  return new CorvidError('ERR_USAGE', `option ${name}`, {
    expected,
    actual,
    ...(hint === undefined ? {} : { hint }),
  });
}
