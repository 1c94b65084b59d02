// A child process of fit costs: searches the indexes with the instruction set that CORVID_SIMD names.
//
// Argument: a CostsTask as JSON. Writes Costs to stdout.
import { readFileSync } from 'node:fs';
import {
  type CorvidIndex,
  openIndex,
  type SearchOptions,
  type SearchResult,
} from '../../src/index.js';
import { median } from './data.js';
import { leastSquares, type Observation } from './least-squares.js';

export interface CostsTask {
  /** Indexes of the same rows, with int8 vectors. */
  indexes: string[];
  /** A file of float32 queries. */
  queries: string;
  dims: number;
}

export interface Costs {
  scanListNs: number;
  scanRowNs: number;
  refineRowNs: number;
  rescoreRowNs: number;
  hopMs: number;
}

/** The best round counts; the first warms up. */
const ROUNDS = 4;
const SCAN_EFFORTS = [0.1, 0.3, 0.5, 0.7];
/** Small enough to run inline, and large enough (a long shortlist) for a worker. */
const INLINE_EFFORT = 0.2;
const WORKER_EFFORT = 0.95;

const task = JSON.parse(process.argv[2] as string) as CostsTask;
const { buffer } = Uint8Array.from(readFileSync(task.queries));
const numbers = new Float32Array(buffer);
const queries = Array.from({ length: numbers.length / task.dims }, (_, i) =>
  numbers.subarray(i * task.dims, (i + 1) * task.dims),
);

/** Each query's result of the round in which `of` was least. */
async function searchAll(
  index: CorvidIndex,
  options: SearchOptions,
  of: (result: SearchResult) => number,
): Promise<SearchResult[]> {
  const best: SearchResult[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, query] of queries.entries()) {
      const result = await index.search(query, options);
      const known = best[i];
      if (known === undefined || of(result) < of(known)) best[i] = result;
    }
  }
  return best;
}

/** Time of a search outside its steps. */
function overheadMs({ timings }: SearchResult): number {
  const { totalMs, routeMs, scanMs, refineMs, rescoreMs } = timings;
  return totalMs - routeMs - scanMs - refineMs - rescoreMs;
}

async function measure(): Promise<Costs> {
  const scans: Observation[] = [];
  const refineRowNs: number[] = [];
  const rescoreRowNs: number[] = [];
  const hopMs: number[] = [];
  for (const path of task.indexes) {
    await using index = await openIndex(path);
    const { levels } = await index.info();
    for (const effort of SCAN_EFFORTS) {
      for (const one of await searchAll(
        index,
        { effort, levels },
        ({ timings }) => timings.scanMs,
      )) {
        scans.push({
          features: [1, one.probedLists, one.scannedRows],
          value: one.timings.scanMs * 1e6,
        });
        refineRowNs.push((one.timings.refineMs * 1e6) / one.shortlist);
      }
    }
    for (const one of await searchAll(index, {}, ({ timings }) => timings.rescoreMs)) {
      rescoreRowNs.push((one.timings.rescoreMs * 1e6) / one.shortlist);
    }
    const here = await searchAll(index, { effort: INLINE_EFFORT, levels }, overheadMs);
    const there = await searchAll(index, { effort: WORKER_EFFORT, levels }, overheadMs);
    hopMs.push(median(there.map(overheadMs)) - median(here.map(overheadMs)));
  }
  const [, scanListNs = 0, scanRowNs = 0] = leastSquares(scans);
  return {
    scanListNs,
    scanRowNs,
    refineRowNs: median(refineRowNs),
    rescoreRowNs: median(rescoreRowNs),
    hopMs: median(hopMs),
  };
}

process.stdout.write(JSON.stringify(await measure()));
