// corvid itself, through its public library, as one of the indexes that the bench compares.
//
// `64` answers from the 64-bit plane alone; `512` refines a shortlist by all planes; `vectors` by
// the stored int8 vectors. Memory is what a search by 64 bits keeps resident: longer planes and
// vectors stay on disk and are read for shortlists.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseCodec, trainingRowsFor } from '../../src/codec/choose.js';
import { openIndex } from '../../src/index.js';
import { makeVectorIndex } from '../vector-index.js';
import type { RawVectors, RunnerLine, RunnerTask } from './runner.js';

const EFFORTS = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7];
const SINGLE_QUERIES = 500;
const ROUNDS = 3;
const ROUND_MS = 400;

function read({ path }: RawVectors): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Median rate over ROUNDS; `run` answers `queries` queries. */
async function perSecond(run: () => Promise<unknown>, queries: number): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < ROUND_MS) {
      await run();
      done += queries;
    }
    rates.push((done * 1000) / (performance.now() - start));
  }
  return rates.sort((a, b) => a - b)[ROUNDS >> 1] as number;
}

const task = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as RunnerTask;
const { dims, hits, threads } = task;
const path = join(task.folder, 'index.corvid');
const train = read(task.train);
const { lists, groups, outerGroups } = chooseCodec(
  task.base.rows,
  trainingRowsFor(task.train.rows),
  dims,
);
const start = performance.now();
const vectors = task.index === 'vectors';
const parts = [read(task.base)];
await makeVectorIndex({ path, dims, train, parts, lists, groups, outerGroups, vectors, threads });
const buildSeconds = (performance.now() - start) / 1000;

const index = await openIndex(path, { threads });
const { ledger } = await index.info();
const resident = (codec: boolean) =>
  ledger
    .filter(({ name }) => (name === 'codec' || name === 'lists.bin') === codec)
    .reduce((sum, { residentBytes }) => sum + residentBytes, 0);
const all = read(task.queries);
const queries = Array.from({ length: task.queries.rows }, (_, i) =>
  all.subarray(i * dims, (i + 1) * dims),
);
const levels = task.index === '64' ? { levels: [64] } : {};
for (const effort of EFFORTS) {
  const options = { ...levels, effort, limit: hits };
  const few = queries.slice(0, SINGLE_QUERIES);
  const one = async () => {
    for (const query of few) await index.search(query, options);
  };
  await one();
  const single = await perSecond(one, few.length);
  const batch = await perSecond(() => index.searchBatch(queries, options), queries.length);
  const results = await index.searchBatch(queries, options);
  const answers = new Int32Array(queries.length * hits).fill(-1);
  results.forEach(({ ids }, query) => {
    answers.set(ids, query * hits);
  });
  const file = join(task.folder, `${effort}.i32`);
  writeFileSync(file, new Uint8Array(answers.buffer));
  const line: RunnerLine = {
    effort: `effort ${effort}`,
    buildSeconds,
    bytesPerVector: resident(false) / task.base.rows,
    fixedBytes: resident(true),
    single,
    batch,
    answers: file,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
await index.close();
