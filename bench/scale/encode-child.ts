// Measures, in a separate process, how fast rows in memory (half floats) are encoded by the codec of a
// built index, and how fast they are generated.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { native } from '../../src/native/addon.js';
import { openSynthetic } from '../synthetic/native.js';
import { answerJob, type EncodeJob, type EncodeReport } from './job.js';

/** The batch of a build where memory allows. */
const BATCH_ROWS = 32_768;
/** Several batches, so that no cache keeps the lists of one. */
const BATCHES = 4;
const ROUNDS = 16;

answerJob<{ kind: 'encode'; job: EncodeJob }>(async ({ path, seed }): Promise<EncodeReport> => {
  const name = readdirSync(path).find((file) => file.startsWith('codec-')) as string;
  const codec = native.openCodec(join(path, name));
  const collection = openSynthetic(seed);
  const threads = availableParallelism();
  const batches: Uint16Array[] = [];
  const made: number[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const make = () => collection.halves(i * BATCH_ROWS, BATCH_ROWS, threads);
    made.push(await rateOf(async () => batches.push(await make())));
  }
  const encoded: number[] = [];
  for (let i = -BATCHES; i < ROUNDS; i++) {
    const vectors = batches.at(i % BATCHES) as Uint16Array;
    const rate = await rateOf(() => codec.encode(vectors, { vectors: false, threads }));
    // The first ones prepare the codec's matrices.
    if (i >= 0) encoded.push(rate);
  }
  return { threads, batchRows: BATCH_ROWS, rowsPerSecond: median(encoded), made: median(made) };
});

async function rateOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (BATCH_ROWS * 1000) / (performance.now() - start);
}

function median(values: readonly number[]): number {
  return Float64Array.from(values).sort()[values.length >> 1] as number;
}
