// Exact nearest neighbours by brute force, the reference for recall.
//
// Cosines are float32 sums, as those of a build's calibration. Ties go to the lower row.
import { availableParallelism } from 'node:os';
import { native } from '../src/native/addon.js';
import type { Vectors } from './vectors.js';

/**
 * @param selves for each query its own row in the base, which is excluded, or -1
 * @returns for each query the `count` rows with the largest cosine, best first
 */
export async function exactNeighbours(
  base: Vectors,
  queries: Vectors,
  selves: readonly number[],
  count: number,
): Promise<Float64Array[]> {
  const { dims } = base;
  const truth = new native.GroundTruth(queries.values, dims, count, Float64Array.from(selves));
  const rowIds = Float64Array.from({ length: base.rows }, (_, row) => row);
  await truth.add(base.values, rowIds, availableParallelism());
  const { counts, ids } = truth.result();
  let first = 0;
  return Array.from(counts, (found) => {
    first += found;
    return ids.slice(first - found, first);
  });
}

/** Mean share of a query's true neighbours among the first `within` of its answers. */
export function recall(
  truth: readonly ArrayLike<number>[],
  answers: readonly ArrayLike<number>[],
  within: number,
): number {
  let sum = 0;
  truth.forEach((neighbours, query) => {
    const given = new Set(Array.from(answers[query] ?? []).slice(0, within));
    sum += Array.from(neighbours).filter((row) => given.has(row)).length / neighbours.length;
  });
  return sum / truth.length;
}
