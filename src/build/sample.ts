// A random sample of the rows to train on: drawn over all sources, without repeats, from a seed.
import type { Rows } from './rows.js';
import { seededRandom } from './seeded-random.js';
import { unitVectors } from './unit.js';

/**
 * @param picks rows of all supplies, counted through, ascending without repeats
 * @param onRow called with the number of rows read so far
 * @returns picks.length x dims numbers, unit rows, in that order
 */
export async function sampleRows(
  supplies: readonly Rows[],
  picks: Float64Array,
  options: { signal: AbortSignal | undefined; onRow: (done: number) => void },
): Promise<Float32Array> {
  const dims = supplies[0]?.dims ?? 0;
  const sample = new Float32Array(picks.length * dims);
  let done = 0;
  let firstRow = 0;
  let start = 0;
  for (const supply of supplies) {
    let end = start;
    while (end < picks.length && (picks[end] as number) < firstRow + supply.rows) end++;
    const own = picks.subarray(start, end).map((row) => row - firstRow);
    if (own.length > 0) {
      for await (const vectors of supply.pick(own, options.signal)) {
        const before = done - start;
        const unit = unitVectors(supply, vectors, (i) => own[before + i] as number);
        sample.set(unit, done * dims);
        done += vectors.length / dims;
        options.onRow(done);
      }
    }
    firstRow += supply.rows;
    start = end;
  }
  return sample;
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
