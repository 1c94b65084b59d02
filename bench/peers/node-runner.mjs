// Shared by the runners of Node packages: reading the task, timing, writing answers.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Loads a package that bench/peers/setup installed. */
export const requirePeer = createRequire(new URL('./.npm/package.json', import.meta.url));

export function readTask() {
  return JSON.parse(readFileSync(process.argv[2], 'utf8'));
}

/** rows x dims float32. */
export function readVectors({ path }) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

export const rowOf = (vectors, dims, row) => vectors.subarray(row * dims, (row + 1) * dims);

/** Median of three rates of `run`, which answers `queries` queries. */
export async function perSecond(run, queries, atLeastMs = 1000) {
  const rates = [];
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    let done = 0;
    while (performance.now() - start < atLeastMs / 3) {
      await run();
      done += queries;
    }
    rates.push((done * 1000) / (performance.now() - start));
  }
  return rates.sort((a, b) => a - b)[1];
}

/**
 * Measures one effort and prints its line.
 * @param answer one query -> positions in the base, best first
 * @param answerAll all queries -> the same for each; without it, batches are not measured apart
 */
export async function measure(task, name, facts, answer, answerAll) {
  const queries = readVectors(task.queries);
  const all = Array.from({ length: task.queries.rows }, (_, i) => rowOf(queries, task.dims, i));
  const few = all.slice(0, 200);
  const one = async () => {
    for (const query of few) await answer(query);
  };
  const single = await perSecond(one, few.length);
  const found = answerAll === undefined ? [] : await answerAll(all);
  if (answerAll === undefined) for (const query of all) found.push(await answer(query));
  const batch =
    answerAll === undefined ? single : await perSecond(() => answerAll(all), all.length);
  const answers = new Int32Array(all.length * task.hits).fill(-1);
  found.forEach((ids, query) => {
    answers.set(Array.from(ids).slice(0, task.hits), query * task.hits);
  });
  const path = join(task.folder, `${name.replace(/[^a-z0-9]+/gi, '-')}.i32`);
  writeFileSync(path, Buffer.from(answers.buffer));
  process.stdout.write(
    `${JSON.stringify({ effort: name, ...facts, single, batch, answers: path })}\n`,
  );
}

export const fileBytes = (path) => statSync(path).size;

export async function timed(work) {
  const start = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - start) / 1000 };
}
