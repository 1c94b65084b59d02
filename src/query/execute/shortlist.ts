// Shortlists: rows with scores under one total order, so that any split of the work gives the same.
//
// Rows are global: segment after segment, in the order of the catalog. The order is by score
// descending, then by row ascending (hits: by item id). Scores are float32; -0 does not occur, NaN
// is refused before a query gets here.

/** Rows, best first, with their scores. */
export interface Shortlist {
  rows: Float64Array;
  scores: Float32Array;
}

/** Most rows that `rank` orders at once: what it can number within a double. */
export const MAX_SHORTLIST = 2 ** 20;

const INDEX_RANGE = 2 ** 21;

/**
 * Positions of the best `limit` of `scores`, best first; equal scores by `ties` ascending.
 * Sorts doubles made of the score's bits and the position, which is several times faster than a
 * comparison function.
 */
export function rank(scores: Float32Array, ties: Float64Array, limit: number): Uint32Array {
  const count = scores.length;
  if (count > MAX_SHORTLIST) throw new RangeError(`a shortlist of ${count} rows`);
  const bits = new Int32Array(scores.buffer, scores.byteOffset, count);
  const keys = new Float64Array(count);
  for (let i = 0; i < count; i += 1) {
    const b = bits[i] as number;
    // Floats order like their bits read as integers, negative ones backwards; ~ turns best first.
    const ordered = ~(b ^ ((b >> 31) & 0x7fffffff));
    keys[i] = (ordered + 0x80000000) * INDEX_RANGE + i;
  }
  keys.sort();
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) {
    const key = keys[i] as number;
    order[i] = key - Math.floor(key / INDEX_RANGE) * INDEX_RANGE;
  }
  sortTies(order, scores, ties, limit);
  return limit < count ? order.subarray(0, limit) : order;
}

/** Sorts every run of equal scores that reaches into the first `limit` positions by `ties`. */
function sortTies(
  order: Uint32Array,
  scores: Float32Array,
  ties: Float64Array,
  limit: number,
): void {
  let start = 0;
  while (start < order.length && start < limit) {
    const score = scores[order[start] as number];
    let end = start + 1;
    while (end < order.length && scores[order[end] as number] === score) end += 1;
    if (end - start > 1) {
      order.subarray(start, end).sort((a, b) => (ties[a] as number) - (ties[b] as number));
    }
    start = end;
  }
}

/** The best `limit` of a shortlist whose scores are new, in their order. */
export function best(rows: Float64Array, scores: Float32Array, limit: number): Shortlist {
  return pick(rows, scores, rank(scores, rows, limit));
}

export function pick(rows: Float64Array, scores: Float32Array, order: Uint32Array): Shortlist {
  const chosen = { rows: new Float64Array(order.length), scores: new Float32Array(order.length) };
  for (let i = 0; i < order.length; i += 1) {
    chosen.rows[i] = rows[order[i] as number] as number;
    chosen.scores[i] = scores[order[i] as number] as number;
  }
  return chosen;
}

/** Merges shortlists over disjoint rows, each best first, into the best `limit` of all. */
export function merge(parts: readonly Shortlist[], limit: number): Shortlist {
  const filled = parts.filter((part) => part.rows.length > 0);
  const only = filled[0];
  if (only === undefined) return { rows: new Float64Array(0), scores: new Float32Array(0) };
  if (filled.length === 1 && only.rows.length <= limit) return only;
  const total = filled.reduce((sum, part) => sum + part.rows.length, 0);
  if (total > MAX_SHORTLIST && filled.length > 2) {
    const half = filled.length >> 1;
    return merge([merge(filled.slice(0, half), limit), merge(filled.slice(half), limit)], limit);
  }
  const rows = new Float64Array(total);
  const scores = new Float32Array(total);
  let filledTo = 0;
  for (const part of filled) {
    rows.set(part.rows, filledTo);
    scores.set(part.scores, filledTo);
    filledTo += part.rows.length;
  }
  return best(rows, scores, limit);
}
