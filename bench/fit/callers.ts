// fit callers: the number of concurrent callers from which a search should no longer use several
// threads (BUSY_CALLS), and the number from which small queries should be coalesced and sent to the
// workers instead of running on the calling thread (CROWD_CALLS).
//
// Both ways are measured for every number of callers, through the public index alone. To keep an index
// uncrowded, the callers are spread over several open copies of it, two callers each. To crowd it,
// further calls wait for an embedder that does not answer. The columns are throughputs; the code should
// switch where the second overtakes the first.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCodec } from '../../src/codec/choose.js';
import type { Embedder } from '../../src/embed/embedder.js';
import { type CorvidIndex, openIndex, type SearchOptions } from '../../src/index.js';
import { describeMachine, machineLine } from '../machine.js';
import { makeVectorIndex } from '../vector-index.js';
import { rowOf, type Vectors } from '../vectors.js';
import { numbersOf } from './constants.js';
import { columns, loadSplit, median } from './data.js';

const CALLERS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32];
/** Callers per copy of the index, where it is to stay uncrowded. */
const CALLERS_PER_COPY = 2;
/** Calls that wait for the embedder, where the index is to be crowded. */
const WAITING_CALLS = 64;
const ROUNDS = 5;

/** A small query, and one whose scan several threads can share. */
const QUERY_KINDS: Readonly<Record<string, SearchOptions>> = {
  'a small query': {},
  'a scan of all rows': { effort: 1, levels: [64] },
};

export async function fitCallers(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      rows: { type: 'string', default: '40000' },
      queries: { type: 'string', default: '400' },
    },
  });
  const split = await loadSplit(values.train, Number(values.rows), Number(values.queries));
  const { base } = split;
  const folder = mkdtempSync(join(tmpdir(), 'corvid-fit-'));
  try {
    const path = join(folder, 'index.corvid');
    const choice = chooseCodec(base.rows, base.rows, base.dims);
    const { dims, values: rows } = base;
    await makeVectorIndex({ ...choice, path, dims, train: rows, parts: [rows] });
    process.stdout.write(`${machineLine(describeMachine())}\n`);
    const queries = queriesOf(split.queries);
    for (const [name, options] of Object.entries(QUERY_KINDS)) {
      process.stdout.write(columns(`${name}: queries/s`, 'alone', 'crowded'));
      for (const callers of CALLERS) {
        const alone = await measureAlone(path, callers, queries, options);
        const crowded = await measureCrowded(path, dims, callers, queries, options);
        process.stdout.write(columns(`${callers} callers`, alone.toFixed(0), crowded.toFixed(0)));
      }
    }
    const [most = 0, many = 0, few = 0] = numbersOf('CROWD_CALLS');
    process.stdout.write(
      `now BUSY_CALLS ${numbersOf('BUSY_CALLS')}, CROWD_CALLS ${few} ` +
        `on at most ${most} cores, ${many} on more\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function queriesOf(vectors: Vectors): Float32Array[] {
  return Array.from({ length: vectors.rows }, (_, row) => rowOf(vectors, row));
}

/** Callers spread over copies of the index. */
async function measureAlone(
  path: string,
  callers: number,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<number> {
  const copies = Array.from({ length: Math.ceil(callers / CALLERS_PER_COPY) }, () =>
    openIndex(path),
  );
  const indexes = await Promise.all(copies);
  const callersOf = Array.from(
    { length: callers },
    (_, i) => indexes[i % indexes.length] as CorvidIndex,
  );
  try {
    return await queriesPerSecond(callersOf, queries, options);
  } finally {
    await Promise.all(indexes.map((index) => index.close()));
  }
}

/** Callers of one index, beside calls that wait for an embedder. */
async function measureCrowded(
  path: string,
  dims: number,
  callers: number,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<number> {
  const { embedder, answer } = silentEmbedder(dims);
  await using index = await openIndex(path, { embedder });
  const waiting = Array.from({ length: WAITING_CALLS }, (_, i) => index.search(`text ${i}`));
  try {
    return await queriesPerSecond(new Array(callers).fill(index), queries, options);
  } finally {
    answer();
    await Promise.all(waiting);
  }
}

/** An embedder that does not answer until `answer` is called. */
function silentEmbedder(dims: number): { embedder: Embedder; answer: () => void } {
  let answer = () => {};
  const released = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const embedder: Embedder = {
    fingerprint: { id: 'silent', model: 'silent', dims, weightsSha256: null, preprocessing: '' },
    embedTexts: async (texts) => {
      await released;
      return new Float32Array(texts.length * dims).fill(1 / Math.sqrt(dims));
    },
    embedImages: () => Promise.reject(new Error('no image is embedded here')),
    close: async () => {},
  };
  return { embedder, answer };
}

/** Median over ROUNDS, after one to warm up. Each caller sends its next query when the last one is
 * answered. */
async function queriesPerSecond(
  indexes: readonly CorvidIndex[],
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let next = 0;
    const start = performance.now();
    await Promise.all(
      indexes.map(async (index) => {
        for (let query = queries[next++]; query !== undefined; query = queries[next++]) {
          await index.search(query, options);
        }
      }),
    );
    if (round > 0) rounds.push((queries.length * 1000) / (performance.now() - start));
  }
  return median(rounds);
}
