// Parts of a large query that several threads share, and what looks through all rows. (A whole query
// on one thread is one call of the native searcher.) The same code on every thread, so the same
// answers.
//
// Everything here is synchronous, reads immutable files, and depends on its arguments alone.
import type {
  FinishRequest,
  NativeCodec,
  NativeSearcher,
  NativeSegment,
  Scoring,
} from '../../native/addon.js';
import { best, merge, type Shortlist } from './shortlist.js';

/** The native objects of one generation of an index, as one thread holds them. */
export interface Handles {
  codec: NativeCodec;
  segments: readonly NativeSegment[];
  searcher: NativeSearcher;
  /** Global row of every segment's row 0, and after the last the number of rows. */
  firstRows: readonly number[];
  vectors: boolean;
}

/** What a scan needs; plain data, so that it can go to a worker. */
export interface ScanJob {
  query: Float32Array;
  scoring: Scoring;
  limit: number;
  /** Rank whose score sets the weight of the norm: `limit` over the share a filter keeps. */
  normRank: number;
  /** The nearest few lists, where the weight of the norm is estimated. */
  nearest: Uint32Array;
  /** Global rows. */
  rowRange: readonly [first: number, last: number];
  /** Native filter handle per segment: 0 keeps all rows, -1 none. Null: no filter. */
  filters: readonly number[] | null;
}

export interface ScanAnswer extends Shortlist {
  scannedRows: number;
}

/** Scans a range of rows. @returns the best `limit` rows, global. */
export function scan(handles: Handles, job: ScanJob): ScanAnswer {
  const normWeight = job.scoring === 'hamming' ? 0 : estimateNormWeight(handles, job);
  const parts: Shortlist[] = [];
  let scannedRows = 0;
  handles.segments.forEach((segment, position) => {
    const filter = job.filters?.[position] ?? 0;
    const first = handles.firstRows[position] as number;
    const range = overlap(job.rowRange, first, handles.firstRows[position + 1] as number);
    if (filter < 0 || range === null) return;
    const { query, scoring, limit } = job;
    const [firstRow, lastRow] = [range[0] - first, range[1] - first];
    const request = { query, lists: null, scoring, normWeight, limit, filter, firstRow, lastRow };
    const found = segment.scan(request);
    scannedRows += found.scannedRows;
    parts.push({ rows: shift(found.rows, first), scores: found.scores });
  });
  return { ...merge(parts, job.limit), scannedRows };
}

/** By the largest segment: one weight for all, so that their scores compare. */
function estimateNormWeight(handles: Handles, job: ScanJob): number {
  let largest = 0;
  const rowsOf = (i: number) =>
    (handles.firstRows[i + 1] as number) - (handles.firstRows[i] as number);
  for (let i = 1; i < handles.segments.length; i += 1) if (rowsOf(i) > rowsOf(largest)) largest = i;
  const segment = handles.segments[largest];
  return segment === undefined
    ? 0
    : segment.estimateNormWeight(job.query, job.nearest, job.normRank);
}

function overlap(
  range: readonly [number, number],
  first: number,
  last: number,
): [number, number] | null {
  const from = Math.max(range[0], first);
  const to = Math.min(range[1], last);
  return from < to ? [from, to] : null;
}

function shift(rows: Float64Array, by: number): Float64Array {
  return by === 0 ? rows : rows.map((row) => row + by);
}

/** Calls `use` once per segment that holds some of `rows`, with positions into `rows`. */
export function bySegment(
  handles: Handles,
  rows: Float64Array,
  use: (segment: NativeSegment, local: Float64Array, positions: Uint32Array | null) => void,
): void {
  const { segments, firstRows } = handles;
  if (segments.length === 1) {
    use(segments[0] as NativeSegment, rows, null);
    return;
  }
  segments.forEach((segment, i) => {
    const first = firstRows[i] as number;
    const last = firstRows[i + 1] as number;
    const positions: number[] = [];
    rows.forEach((row, position) => {
      if (row >= first && row < last) positions.push(position);
    });
    if (positions.length === 0) return;
    const local = Float64Array.from(positions, (position) => (rows[position] as number) - first);
    use(segment, local, Uint32Array.from(positions));
  });
}

/** Cosines of global `rows` by the code's first `bits`, or by the stored vectors. */
export function score(
  handles: Handles,
  query: Float32Array,
  rows: Float64Array,
  by: number | 'vectors',
): Float32Array {
  let scores: Float32Array | null = null;
  bySegment(handles, rows, (segment, local, positions) => {
    const found =
      by === 'vectors' ? segment.rescore(query, local) : segment.refine(query, local, by);
    if (positions === null) {
      scores = found;
      return;
    }
    scores ??= new Float32Array(rows.length);
    for (let i = 0; i < found.length; i += 1) {
      scores[positions[i] as number] = found[i] as number;
    }
  });
  return scores ?? new Float32Array(0);
}

export interface FinishJob {
  query: Float32Array;
  plan: FinishRequest;
}

/** Hits as item ids: by score descending, then id. */
export interface Answer {
  ids: Float64Array;
  scores: Float32Array;
  refineMs: number;
  rescoreMs: number;
}

/** From a scan's shortlist to the best items: refine, rescore, ids. */
export function finish(
  { searcher }: Handles,
  { query, plan }: FinishJob,
  scanned: Shortlist,
): Answer {
  const { rows, scores } = scanned;
  return searcher.finish({ ...plan, query, rows, scores });
}

export interface LocateJob {
  ids: Float64Array;
  /** Also give the embeddings. */
  decode: boolean;
}

export interface Located {
  /** Global row of each id, or -1. */
  rows: Float64Array;
  /** ids.length x dims, unit rows; zeros for an id without a row; empty if not asked for. */
  embeddings: Float32Array;
}

/** Finds items by their ids: one pass over the ids of all rows. */
export function locate(handles: Handles, { ids, decode }: LocateJob): Located {
  const rows = new Float64Array(ids.length).fill(-1);
  handles.segments.forEach((segment, s) => {
    segment.findRows(ids).forEach((row, i) => {
      if (row >= 0) rows[i] = (handles.firstRows[s] as number) + row;
    });
  });
  if (!decode) return { rows, embeddings: new Float32Array(0) };
  const { dims } = handles.codec.info();
  const embeddings = new Float32Array(ids.length * dims);
  bySegment(handles, rows, (segment, local, positions) => {
    local.forEach((row, i) => {
      if (row < 0) return;
      const at = positions?.[i] ?? i;
      embeddings.set(segment.reconstruct(Float64Array.of(row)), at * dims);
    });
  });
  return { rows, embeddings };
}

/** Rows scored at once by a sweep: few enough to stay in the cache, and to notice a cancellation. */
const SWEEP_ROWS = 32_768;

export interface SweepJob {
  query: Float32Array;
  by: number | 'vectors';
  limit: number;
  rowRange: readonly [first: number, last: number];
  filters: readonly number[] | null;
}

/** Scores every row of a range that the filters keep. @returns the best `limit`, or null if
 * `cancelled` became true. */
export function sweep(
  handles: Handles,
  job: SweepJob,
  cancelled: () => boolean,
): ScanAnswer | null {
  let found: Shortlist = { rows: new Float64Array(0), scores: new Float32Array(0) };
  let scannedRows = 0;
  const [start, end] = job.rowRange;
  for (let first = start; first < end; first += SWEEP_ROWS) {
    if (cancelled()) return null;
    const rows = keptRows(handles, job, [first, Math.min(end, first + SWEEP_ROWS)]);
    const scores = score(handles, job.query, rows, job.by);
    scannedRows += rows.length;
    found = merge([found, best(rows, scores, job.limit)], job.limit);
  }
  return { ...found, scannedRows };
}

function keptRows(handles: Handles, job: SweepJob, rowRange: [number, number]): Float64Array {
  const [first, last] = rowRange;
  if (job.filters === null) return Float64Array.from({ length: last - first }, (_, i) => first + i);
  // A Hamming scan that is not short of anything lists the rows that the filter keeps.
  const { rows } = scan(handles, {
    query: job.query,
    scoring: 'hamming',
    limit: last - first,
    normRank: 1,
    nearest: new Uint32Array(0),
    rowRange,
    filters: job.filters,
  });
  return rows.sort();
}
