// The exact nearest rows of the held-out queries over the whole collection. They are found while the
// build reads the rows, and saved to a file, so that an interrupted run continues. Rows that the build
// did not read (because it was done before, say) are generated once more.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { CorvidError } from '../../src/errors.js';
import {
  emptyNeighbours,
  openGroundTruth,
  openSynthetic,
  type QueryNeighbours,
  SYNTHETIC_DIMS,
  type SyntheticGroundTruth,
} from '../synthetic/native.js';

/** Rows generated at a time. */
const BLOCK_ROWS = 1 << 17;
/** Rows between two writes of the file: about ten seconds of work. */
const SAVE_ROWS = 1 << 22;

/** Rows `first` .. `end`. */
interface Span {
  first: number;
  end: number;
}

interface SavedGroundTruth {
  seed: number;
  queries: number;
  count: number;
  /** Rows compared so far: ascending, disjoint, not adjacent. */
  spans: Span[];
  seconds: number;
  rows: number[];
  cosines: number[];
}

export interface FinishedGroundTruth extends QueryNeighbours {
  queries: number;
  /** Neighbours per query. */
  count: number;
  /** Time of all runs, with that of generating rows that the build did not read. */
  seconds: number;
}

export class GroundTruthFile {
  readonly #path: string;
  readonly #file: Omit<SavedGroundTruth, 'rows' | 'cosines'>;
  readonly #truth: SyntheticGroundTruth;
  #unsaved = 0;

  /**
   * Continues from the file, if there is one.
   * @param queries queries x SYNTHETIC_DIMS; the same for the same seed
   * @param count neighbours per query
   */
  constructor(path: string, seed: number, queries: Float32Array, count: number) {
    const number = queries.length / SYNTHETIC_DIMS;
    const { rows, cosines, ...rest } = readSaved(path, seed, number, count);
    this.#path = path;
    this.#file = rest;
    this.#truth = openGroundTruth(queries, {
      rows: Float64Array.from(rows),
      cosines: Float32Array.from(cosines),
    });
  }

  /** Compares rows from `first` on, as half floats, unless they were compared before. Calls must not
   * overlap. */
  async add(first: number, halves: Uint16Array): Promise<void> {
    const start = performance.now();
    const end = first + halves.length / SYNTHETIC_DIMS;
    for (const gap of gapsOf(this.#file.spans, first, end)) {
      const rows = halves.subarray(
        (gap.first - first) * SYNTHETIC_DIMS,
        (gap.end - first) * SYNTHETIC_DIMS,
      );
      await this.#truth.compare(rows, gap.first, availableParallelism());
      this.#file.spans = withSpan(this.#file.spans, gap);
      this.#unsaved += gap.end - gap.first;
    }
    this.#file.seconds += (performance.now() - start) / 1000;
    if (this.#unsaved >= SAVE_ROWS) this.save();
  }

  /** Compares the remaining rows of 0 .. `rows`. @param onRows gets the number of rows compared */
  async finish(rows: number, onRows: (done: number) => void): Promise<FinishedGroundTruth> {
    const { seed, spans } = this.#file;
    const last = spans.at(-1)?.end ?? 0;
    if (last > rows) {
      throw new CorvidError('ERR_USAGE', 'the saved neighbours are of a larger collection', {
        path: this.#path,
        expected: `at most ${rows} rows`,
        actual: `${last}`,
        hint: 'give another --out',
      });
    }
    const collection = openSynthetic(seed);
    const gaps = gapsOf(spans, 0, rows);
    let left = gaps.reduce((sum, { first, end }) => sum + end - first, 0);
    for (const gap of gaps) {
      for (let first = gap.first; first < gap.end; first += BLOCK_ROWS) {
        const start = performance.now();
        const count = Math.min(BLOCK_ROWS, gap.end - first);
        const halves = await collection.halves(first, count, availableParallelism());
        this.#file.seconds += (performance.now() - start) / 1000;
        await this.add(first, halves);
        left -= count;
        onRows(rows - left);
      }
    }
    this.save();
    const { queries, count, seconds } = this.#file;
    return { ...this.#truth.found(), queries, count, seconds };
  }

  save(): void {
    const { rows, cosines } = this.#truth.found();
    const file: SavedGroundTruth = {
      ...this.#file,
      rows: Array.from(rows),
      cosines: Array.from(cosines),
    };
    writeFileSync(`${this.#path}.part`, JSON.stringify(file));
    renameSync(`${this.#path}.part`, this.#path);
    this.#unsaved = 0;
  }
}

/** The parts of `first` .. `end` that no span covers. */
function gapsOf(spans: readonly Span[], first: number, end: number): Span[] {
  const gaps: Span[] = [];
  let from = first;
  for (const span of spans) {
    if (span.end <= from) continue;
    if (span.first >= end) break;
    if (span.first > from) gaps.push({ first: from, end: span.first });
    from = span.end;
  }
  if (from < end) gaps.push({ first: from, end });
  return gaps;
}

/** `spans` and one more, disjoint from them; adjacent ones are joined. */
function withSpan(spans: readonly Span[], added: Span): Span[] {
  const merged: Span[] = [];
  for (const span of [...spans, added].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before?.end === span.first) before.end = span.end;
    else merged.push({ ...span });
  }
  return merged;
}

function readSaved(path: string, seed: number, queries: number, count: number): SavedGroundTruth {
  if (!existsSync(path)) {
    const { rows, cosines } = emptyNeighbours(queries, count);
    const found = { rows: Array.from(rows), cosines: Array.from(cosines) };
    return { seed, queries, count, spans: [], seconds: 0, ...found };
  }
  const file = JSON.parse(readFileSync(path, 'utf8')) as SavedGroundTruth;
  if (file.seed !== seed || file.queries !== queries || file.count !== count) {
    throw new CorvidError('ERR_USAGE', 'the saved neighbours are of other queries', {
      path,
      expected: `${queries} queries, ${count} neighbours, seed ${seed}`,
      actual: `${file.queries} queries, ${file.count} neighbours, seed ${file.seed}`,
      hint: 'give another --out',
    });
  }
  return file;
}

/** Mean share of each query's `nearest` first neighbours among its `answers`. */
export function groundTruthRecall(
  truth: FinishedGroundTruth,
  answers: readonly ArrayLike<number>[],
  nearest: number,
): number {
  let found = 0;
  answers.forEach((given, query) => {
    const first = query * truth.count;
    const have = new Set(Array.from(given));
    for (let i = first; i < first + nearest; i++) {
      if (have.has(truth.rows[i] as number)) found++;
    }
  });
  return found / (answers.length * nearest);
}
