// The synthetic collection as a source of vectors, and its held-out rows as queries.
import { availableParallelism } from 'node:os';
import type { VectorTable } from '../../src/index.js';
import {
  FIRST_HELD_OUT,
  HELD_OUT_OF_EPOCH,
  openSynthetic,
  ROWS_OF_EPOCH,
  SYNTHETIC_DIMS,
} from '../synthetic/native.js';

/** Rows 0 .. `rows` of the collection. @param onRows gets rows before the reader does */
export function syntheticTable(
  seed: number,
  rows: number,
  onRows?: (first: number, halves: Uint16Array) => Promise<void>,
): VectorTable {
  const collection = openSynthetic(seed);
  const threads = availableParallelism();
  return {
    name: `synthetic-${seed}`,
    dims: SYNTHETIC_DIMS,
    rows,
    read: async (first, count) => {
      const halves = await collection.halves(first, count, threads);
      await onRows?.(first, halves);
      return halves;
    },
  };
}

/** `count` held-out rows, spread over all epochs that lie fully within `rows` (or the first one). They
 * resemble the collection and are not in it. count x SYNTHETIC_DIMS. */
export async function heldOutQueries(
  seed: number,
  rows: number,
  count: number,
): Promise<Float32Array> {
  const collection = openSynthetic(seed);
  const available = Math.max(1, Math.floor(rows / ROWS_OF_EPOCH)) * HELD_OUT_OF_EPOCH;
  const queries = new Float32Array(Math.min(count, available) * SYNTHETIC_DIMS);
  const taken = queries.length / SYNTHETIC_DIMS;
  for (let i = 0; i < taken; i++) {
    const number = FIRST_HELD_OUT + Math.floor((i * available) / taken);
    queries.set(await collection.floats(number, 1, 1), i * SYNTHETIC_DIMS);
  }
  return queries;
}
