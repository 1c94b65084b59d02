// fit callers: from how many callers at once on a search should not use several threads
// (BUSY_CALLS of src/query/open.ts), and from how many on small queries should go to the workers
// together and not to the calling thread (CROWD_CALLS).
//
// Both ways are measured at every number of callers, through the public index alone. An index is
// never crowded for fewer callers than either constant: so the callers are spread over copies of it
// that are open at the same time, two each. And it always is where many calls wait for something
// else: so an embedder that does not answer holds as many. What is larger is faster; code should
// change over where the second column overtakes the first.
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
/** Callers of one index that is to be alone. */
const CALLERS_ALONE = 2;
/** Calls that wait, where an index is to be crowded. */
const WAITING_CALLS = 64;
const ROUNDS = 5;

/** What is asked: a small query, and one whose scan several threads can share. */
const ASKED: Readonly<Record<string, SearchOptions>> = {
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
    for (const [name, options] of Object.entries(ASKED)) {
      process.stdout.write(columns(`${name}: queries/s`, 'alone', 'crowded'));
      for (const callers of CALLERS) {
        const alone = await measureAlone(path, callers, queries, options);
        const crowded = await measureCrowded(path, dims, callers, queries, options);
        process.stdout.write(columns(`${callers} callers`, alone.toFixed(0), crowded.toFixed(0)));
      }
    }
    const [most = 0, many = 0, few = 0] = numbersOf('CROWD_CALLS');
    process.stdout.write(
      `code has BUSY_CALLS ${numbersOf('BUSY_CALLS')}, CROWD_CALLS ${few} ` +
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
  const copies = Array.from({ length: Math.ceil(callers / CALLERS_ALONE) }, () => openIndex(path));
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

/** An embedder that answers when it is told to. */
function silentEmbedder(dims: number): { embedder: Embedder; answer: () => void } {
  let answer = () => {};
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const embedder: Embedder = {
    fingerprint: { id: 'silent', model: 'silent', dims, weightsSha256: null, preprocessing: '' },
    embedTexts: async (texts) => {
      await told;
      return new Float32Array(texts.length * dims).fill(1 / Math.sqrt(dims));
    },
    embedImages: () => Promise.reject(new Error('no image is embedded here')),
    close: async () => {},
  };
  return { embedder, answer };
}

/** Median over some rounds, after one to warm up; each caller asks its next query when it has the
 * answer to the last. */
async function queriesPerSecond(
  indexes: readonly CorvidIndex[],
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
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
