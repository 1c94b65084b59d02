// Exact nearest neighbours by brute force: what every recall here is measured against.
//
// Cosines of float32 rows summed in float64, spread over worker threads. Ties go to the lower row.
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import type { TruthAnswer, TruthTask } from './truth-worker.js';
import type { Vectors } from './vectors.js';

/** Rows of the base that one task compares with all queries. */
const TASK_ROWS = 8192;

/**
 * @param exclude row of the base that each query must not find (itself), or -1
 * @returns for each query the `count` rows with the largest cosine, best first
 */
export async function exactNeighbours(
  base: Vectors,
  queries: Vectors,
  exclude: readonly number[],
  count: number,
): Promise<Uint32Array[]> {
  const pool = new Piscina<TruthTask, TruthAnswer>({
    filename: new URL('./truth-worker.js', import.meta.url).href,
    maxThreads: availableParallelism(),
  });
  try {
    const tasks: Promise<TruthAnswer>[] = [];
    for (let first = 0; first < base.rows; first += TASK_ROWS) {
      const last = Math.min(base.rows, first + TASK_ROWS);
      tasks.push(
        pool.run({
          base: base.values,
          queries: queries.values,
          dims: base.dims,
          exclude: Int32Array.from(exclude),
          first,
          last,
          count,
        }),
      );
    }
    return merge(await Promise.all(tasks), queries.rows, count);
  } finally {
    await pool.destroy();
  }
}

function merge(parts: readonly TruthAnswer[], queries: number, count: number): Uint32Array[] {
  return Array.from({ length: queries }, (_, query) => {
    const from = query * count;
    const found = parts.flatMap(({ rows, cosines, found }) =>
      Array.from({ length: found[query] as number }, (_, i) => ({
        row: rows[from + i] as number,
        cosine: cosines[from + i] as number,
      })),
    );
    found.sort((a, b) => b.cosine - a.cosine || a.row - b.row);
    return Uint32Array.from(found.slice(0, count), ({ row }) => row);
  });
}

/** Mean share of each query's true neighbours among the first `within` of its answers. */
export function recall(
  truth: readonly Uint32Array[],
  answers: readonly ArrayLike<number>[],
  within: number,
): number {
  let sum = 0;
  truth.forEach((wanted, query) => {
    const given = new Set(Array.from(answers[query] ?? []).slice(0, within));
    sum += wanted.filter((row) => given.has(row)).length / wanted.length;
  });
  return sum / truth.length;
}
