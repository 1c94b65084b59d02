// Embeddings to fit with: some rows of a file are indexed, others are queries.
import { CorvidError } from '../../src/errors.js';
import { chooseRows } from '../../src/indexer/rows/sample.js';
import { loadVectors, pickRows, type Vectors } from '../vectors.js';

const SEED = 7;

/** `rows` rows to index and `queries` others, chosen by a fixed seed. */
export async function loadSplit(
  path: string | undefined,
  rows: number,
  queries: number,
): Promise<{ base: Vectors; queries: Vectors }> {
  if (path === undefined) {
    throw new CorvidError('ERR_USAGE', 'no embeddings to fit with', {
      path: '--train',
      hint: 'give an .npy file or a folder in the clip-retrieval layout',
    });
  }
  const all = await loadVectors(path);
  const count = Math.min(all.rows, rows + queries);
  const chosen = Array.from(chooseRows(all.rows, count, SEED));
  const step = Math.max(2, Math.floor(count / queries));
  const queryRows = chosen.filter((_, i) => i % step === 0).slice(0, queries);
  const excluded = new Set(queryRows);
  return {
    base: pickRows(
      all,
      chosen.filter((row) => !excluded.has(row)),
    ),
    queries: pickRows(all, queryRows),
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A line of a table: the first column aligned left, the others right. */
export function columns(first: string, ...others: (string | number)[]): string {
  return `${first.padEnd(34)}${others.map((cell) => String(cell).padStart(14)).join('')}\n`;
}
