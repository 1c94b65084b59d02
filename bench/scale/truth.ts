// The exact nearest rows of the held-out queries over the whole collection, found block by block and
// kept in a file: a run that was cut off goes on after its last block.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { CorvidError } from '../../src/errors.js';
import { emptyTruth, openSynthetic, SYNTHETIC_DIMS, type Truth } from '../synthetic/native.js';

/** Rows between two writes of the file: some seconds of work. */
const BLOCK_ROWS = 1 << 20;

interface TruthFile {
  seed: number;
  queries: number;
  count: number;
  /** Rows compared so far, from 0 on. */
  done: number;
  seconds: number;
  rows: number[];
  cosines: number[];
}

export interface FoundTruth extends Truth {
  queries: number;
  /** Neighbours a query. */
  count: number;
  /** Time it took, over all runs. */
  seconds: number;
}

/**
 * The `count` nearest of `rows` rows to each query, from `path` as far as it goes.
 * @param queries queries x SYNTHETIC_DIMS; the same for the same seed and rows
 * @param onRows called after each block with the rows compared so far
 */
export async function exactTruth(
  path: string,
  seed: number,
  rows: number,
  queries: Float32Array,
  count: number,
  onRows: (done: number) => void,
): Promise<FoundTruth> {
  const collection = openSynthetic(seed);
  const number = queries.length / SYNTHETIC_DIMS;
  const known = readTruth(path, seed, number, count);
  let { done, seconds } = known;
  if (done > rows) {
    throw new CorvidError('ERR_USAGE', 'the truth of a larger collection', {
      path,
      expected: `at most ${rows} rows`,
      actual: `${done}`,
      hint: 'give another --out',
    });
  }
  let truth: Truth = {
    rows: Float64Array.from(known.rows),
    cosines: Float32Array.from(known.cosines),
  };
  while (done < rows) {
    const start = performance.now();
    const block = Math.min(BLOCK_ROWS, rows - done);
    truth = await collection.truth(queries, truth, done, block, availableParallelism());
    done += block;
    seconds += (performance.now() - start) / 1000;
    const file: TruthFile = {
      seed,
      queries: number,
      count,
      done,
      seconds,
      rows: Array.from(truth.rows),
      cosines: Array.from(truth.cosines),
    };
    writeFileSync(`${path}.part`, JSON.stringify(file));
    renameSync(`${path}.part`, path);
    onRows(done);
  }
  return { ...truth, queries: number, count, seconds };
}

function readTruth(path: string, seed: number, queries: number, count: number): TruthFile {
  const empty = emptyTruth(queries, count);
  const none = { seed, queries, count, done: 0, seconds: 0 };
  if (!existsSync(path)) {
    return { ...none, rows: Array.from(empty.rows), cosines: Array.from(empty.cosines) };
  }
  const file = JSON.parse(readFileSync(path, 'utf8')) as TruthFile;
  if (file.seed !== seed || file.queries !== queries || file.count !== count) {
    throw new CorvidError('ERR_USAGE', 'the truth of other queries', {
      path,
      expected: `${queries} queries, ${count} neighbours, seed ${seed}`,
      actual: `${file.queries} queries, ${file.count} neighbours, seed ${file.seed}`,
      hint: 'give another --out',
    });
  }
  return file;
}

/** Mean share of each query's first `wanted` neighbours among its `answers`. */
export function truthRecall(
  truth: FoundTruth,
  answers: readonly ArrayLike<number>[],
  wanted: number,
): number {
  let found = 0;
  answers.forEach((given, query) => {
    const first = query * truth.count;
    const have = new Set(Array.from(given));
    for (let i = first; i < first + wanted; i += 1) {
      if (have.has(truth.rows[i] as number)) found += 1;
    }
  });
  return found / (answers.length * wanted);
}
