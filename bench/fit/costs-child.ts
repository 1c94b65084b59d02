// A process of fit costs: asks the indexes with the instruction set that it was started with.
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

/** The best of so many rounds counts, and the first warms up. */
const ROUNDS = 4;
/** From some lists to all of them; by 64 bits alone, as the shortlist is then short and few rows come
 * into it. */
const SCAN_EFFORTS = [0.4, 0.6, 0.8, 1];
/** Small enough for the calling thread, and large enough (a long shortlist) for a worker. */
const INLINE_EFFORT = 0.2;
const WORKER_EFFORT = 0.95;

const task = JSON.parse(process.argv[2] as string) as CostsTask;
const { buffer } = Uint8Array.from(readFileSync(task.queries));
const numbers = new Float32Array(buffer);
const queries = Array.from({ length: numbers.length / task.dims }, (_, i) =>
  numbers.subarray(i * task.dims, (i + 1) * task.dims),
);

/** Each query's answer in the round that took `of` the least time. */
async function ask(
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

const scanMs = ({ timings }: SearchResult): number => timings.scanMs;

/** What a search takes besides its steps. */
function overheadMs({ timings }: SearchResult): number {
  const { totalMs, routeMs, scanMs, refineMs, rescoreMs } = timings;
  return totalMs - routeMs - scanMs - refineMs - rescoreMs;
}

async function measure(): Promise<Costs> {
  const scans: Observation[] = [];
  const refineRowNs: number[] = [];
  const rescoreRowNs: number[] = [];
  const hopMs: number[] = [];
  for (const [number, path] of task.indexes.entries()) {
    // What a query takes at any effort is a constant of the index: the weight of the norm is
    // estimated in its first lists, which are long in one.
    const constants = task.indexes.map((_, i) => (i === number ? 1 : 0));
    // With one thread no scan is shared.
    await using index = await openIndex(path, { threads: 1 });
    const { levels } = await index.info();
    for (const effort of SCAN_EFFORTS) {
      for (const one of await ask(index, { effort, levels: [64] }, scanMs)) {
        scans.push({
          features: [...constants, one.probedLists, one.scannedRows],
          value: scanMs(one) * 1e6,
        });
      }
    }
    for (const one of await ask(index, { levels }, ({ timings }) => timings.refineMs)) {
      refineRowNs.push((one.timings.refineMs * 1e6) / one.shortlist);
    }
    for (const one of await ask(index, {}, ({ timings }) => timings.rescoreMs)) {
      rescoreRowNs.push((one.timings.rescoreMs * 1e6) / one.shortlist);
    }
    const here = await ask(index, { effort: INLINE_EFFORT, levels }, overheadMs);
    const there = await ask(index, { effort: WORKER_EFFORT, levels }, overheadMs);
    hopMs.push(median(there.map(overheadMs)) - median(here.map(overheadMs)));
  }
  const [scanListNs = 0, scanRowNs = 0] = leastSquares(scans).slice(task.indexes.length);
  return {
    scanListNs,
    scanRowNs,
    refineRowNs: median(refineRowNs),
    rescoreRowNs: median(rescoreRowNs),
    hopMs: median(hopMs),
  };
}

process.stdout.write(JSON.stringify(await measure()));
