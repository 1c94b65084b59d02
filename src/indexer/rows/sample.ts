// Random samples of rows: drawn over all sources, without repeats, from a seed.
import { unitVectors } from './normalize.js';
import type { RowSource } from './row-source.js';
import { seededRandom } from './seeded-random.js';

/** Adjacent rows that are read in one go where very many are chosen. */
const RUN_ROWS = 8;
/** Runs are chosen where there are at least this many rows for each. */
const RUN_SHARE = 64;

/**
 * @param picks rows counted over all sources, ascending without repeats
 * @param onRow called with the number of rows read so far
 * @returns picks.length x dims numbers, unit rows, in that order
 */
export async function sampleRows(
  sources: readonly RowSource[],
  picks: Float64Array,
  options: { signal: AbortSignal | undefined; onRow: (done: number) => void },
): Promise<Float32Array> {
  const dims = sources[0]?.dims ?? 0;
  const sample = new Float32Array(picks.length * dims);
  let done = 0;
  for await (const unit of readPicks(sources, picks, options.signal)) {
    sample.set(unit, done * dims);
    done += unit.length / dims;
    options.onRow(done);
  }
  return sample;
}

/** The same rows in batches of any size. */
export async function* readPicks(
  sources: readonly RowSource[],
  picks: Float64Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array> {
  let firstRow = 0;
  let start = 0;
  for (const source of sources) {
    let end = start;
    while (end < picks.length && (picks[end] as number) < firstRow + source.rows) end++;
    const sourcePicks = picks.subarray(start, end).map((row) => row - firstRow);
    if (sourcePicks.length > 0) {
      let done = 0;
      for await (const vectors of source.pick(sourcePicks, signal)) {
        const before = done;
        yield unitVectors(source, vectors, (i) => sourcePicks[before + i] as number);
        done += vectors.length / source.dims;
      }
    }
    firstRow += source.rows;
    start = end;
  }
}

/**
 * `count` of the numbers 0 … total-1, ascending, each set equally likely (Floyd's algorithm,
 * Communications of the ACM 30(9), 1987): time and memory grow with `count` alone.
 */
export function chooseRows(total: number, count: number, seed: number): Float64Array {
  if (count === total) return Float64Array.from({ length: total }, (_, i) => i);
  const random = seededRandom(seed);
  const chosen = new Set<number>();
  for (let last = total - count; last < total; last++) {
    const row = Math.floor(random() * (last + 1));
    chosen.add(chosen.has(row) ? last : row);
  }
  return Float64Array.from(chosen).sort();
}

/**
 * About `count` of the numbers 0 … total-1, ascending without repeats, for counts of millions: from
 * equal parts of the whole, one run of adjacent rows each, because reading single rows takes longer
 * than using them. Single rows where the runs would lie too close.
 */
export function chooseRuns(total: number, count: number, seed: number): Float64Array {
  if (count >= total) return chooseRows(total, total, seed);
  const length = total >= count * RUN_SHARE ? RUN_ROWS : 1;
  const runs = Math.floor(count / length);
  const random = seededRandom(seed);
  const picks = new Float64Array(runs * length);
  for (let run = 0; run < runs; run++) {
    const first = Math.floor((run * total) / runs);
    const next = Math.floor(((run + 1) * total) / runs);
    const start = first + Math.floor(random() * (next - first - length + 1));
    for (let i = 0; i < length; i++) picks[run * length + i] = start + i;
  }
  return picks;
}
