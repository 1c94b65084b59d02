// One thread's part of truth.ts: the best rows of a slice of the base for all queries.

export interface TruthTask {
  /** Over shared memory; rows x dims. */
  base: Float32Array;
  queries: Float32Array;
  dims: number;
  exclude: Int32Array;
  /** Rows of the base to compare: [first, last). */
  first: number;
  last: number;
  count: number;
}

/** queries x count, best first; the first found[q] of a query's slots are filled. */
export interface TruthAnswer {
  rows: Uint32Array;
  cosines: Float64Array;
  found: Uint32Array;
}

/** Queries compared with a row at a time: one load of the row serves four. */
const LANES = 4;
/** Rows that stay in the cache while all queries pass. */
const BLOCK_ROWS = 128;

export default function compare(task: TruthTask): TruthAnswer {
  const { dims, first, last, count } = task;
  const queries = task.queries.length / dims;
  const answer: TruthAnswer = {
    rows: new Uint32Array(queries * count),
    cosines: new Float64Array(queries * count),
    found: new Uint32Array(queries),
  };
  const wide = Float64Array.from(task.queries);
  const sums = new Float64Array(LANES);
  for (let block = first; block < last; block += BLOCK_ROWS) {
    const end = Math.min(last, block + BLOCK_ROWS);
    for (let query = 0; query < queries; query += LANES) {
      const lanes = Math.min(LANES, queries - query);
      for (let row = block; row < end; row += 1) {
        if (lanes === LANES) dotFour(task.base, row * dims, wide, query * dims, dims, sums);
        else dotEach(task.base, row * dims, wide, query * dims, dims, sums, lanes);
        for (let lane = 0; lane < lanes; lane += 1) {
          if (task.exclude[query + lane] === row) continue;
          insert(answer, query + lane, count, row, sums[lane] as number);
        }
      }
    }
  }
  return answer;
}

function dotFour(
  base: Float32Array,
  at: number,
  queries: Float64Array,
  from: number,
  dims: number,
  sums: Float64Array,
): void {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < dims; i += 1) {
    const value = base[at + i] as number;
    a += value * (queries[from + i] as number);
    b += value * (queries[from + dims + i] as number);
    c += value * (queries[from + 2 * dims + i] as number);
    d += value * (queries[from + 3 * dims + i] as number);
  }
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

function dotEach(
  base: Float32Array,
  at: number,
  queries: Float64Array,
  from: number,
  dims: number,
  sums: Float64Array,
  lanes: number,
): void {
  for (let lane = 0; lane < lanes; lane += 1) {
    let sum = 0;
    for (let i = 0; i < dims; i += 1) {
      sum += (base[at + i] as number) * (queries[from + lane * dims + i] as number);
    }
    sums[lane] = sum;
  }
}

/** Keeps a query's slots sorted. Rows come in ascending order, so a tie stays behind. */
function insert(
  { rows, cosines, found }: TruthAnswer,
  query: number,
  count: number,
  row: number,
  cosine: number,
): void {
  const start = query * count;
  let filled = found[query] as number;
  if (filled === count && cosine <= (cosines[start + count - 1] as number)) return;
  if (filled < count) found[query] = filled += 1;
  let slot = start + filled - 1;
  while (slot > start && (cosines[slot - 1] as number) < cosine) {
    cosines[slot] = cosines[slot - 1] as number;
    rows[slot] = rows[slot - 1] as number;
    slot -= 1;
  }
  cosines[slot] = cosine;
  rows[slot] = row;
}
