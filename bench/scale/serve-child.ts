// Opens the index in a separate process and measures searches: cold queries, exact scans, then new and
// repeated queries at the least effort that reaches the target recall.
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type CorvidIndex, openIndex, type SearchOptions } from '../../src/index.js';
import { readMapped } from '../synthetic/native.js';
import {
  accountOfProcess,
  answerJob,
  type EffortReport,
  type Latency,
  type ServeJob,
  type ServeReport,
  send,
} from './job.js';

const HITS = 300;
const TRUE_NEIGHBOURS = 10;
const COLD_QUERIES = 50;
const EFFORTS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const DEFAULT_EFFORT = 0.5;
/** Stops trying more effort when this many steps together gained less recall than MIN_GAIN. */
const PATIENCE = 2;
const MIN_GAIN = 0.001;
const ROUNDS = 3;

answerJob<{ kind: 'serve'; job: ServeJob }>(async (job): Promise<ServeReport> => {
  const start = performance.now();
  await using index = await openIndex(job.path);
  const openMs = performance.now() - start;
  const info = await index.info();
  const queries = splitRows(job.queries, info.dims);
  const known = queries.slice(0, job.truth.length / TRUE_NEIGHBOURS);
  const others = queries.slice(known.length);
  const cut = Math.min(COLD_QUERIES, Math.floor(others.length / 2));
  log('serve: cold');
  const cold = await measure(index, others.slice(0, cut), { effort: DEFAULT_EFFORT });
  log('serve: exact scans');
  const exactScan = await scanAll(index, known.slice(0, ROUNDS + 1), job.path);
  const efforts: ServeReport['efforts'] = [];
  const asked: EffortReport[] = [];
  for (const levels of info.levels.length > 1 ? [[64], info.levels] : [[64]]) {
    const tried = await tryEfforts(index, known, job, levels);
    efforts.push(...tried.map(({ work, ...rest }) => rest));
    const reached = tried.find(({ recallWithin300 }) => recallWithin300 >= job.targetRecall);
    const { work, p50, ...chosen } = reached ?? (tried.at(-1) as (typeof tried)[number]);
    const options = { levels, effort: chosen.effort };
    log(`serve: levels ${levels} at effort ${chosen.effort}`);
    asked.push({
      ...chosen,
      ...work,
      fresh: await measure(index, others.slice(cut), options),
      repeated: await measure(index, others.slice(cut), options),
      batchQueriesPerSecond: await batchRate(index, others.slice(cut), options),
    });
  }
  return { info, openMs, cold, efforts, asked, exactScan, process: accountOfProcess() };
});

function log(line: string): void {
  send({ kind: 'log', line });
}

function splitRows(values: Float32Array, dims: number): Float32Array[] {
  return Array.from({ length: values.length / dims }, (_, i) =>
    values.slice(i * dims, (i + 1) * dims),
  );
}

/** One query after the other, each with HITS hits. */
async function measure(
  index: CorvidIndex,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<Latency> {
  const before = accountOfProcess();
  const times: number[] = [];
  for (const query of queries) {
    const start = performance.now();
    await index.search(query, { limit: HITS, ...options });
    times.push(performance.now() - start);
  }
  const { readBytes } = accountOfProcess();
  return {
    queries: times.length,
    mean: times.reduce((sum, ms) => sum + ms, 0) / times.length,
    p50: percentile(times, 0.5),
    p90: percentile(times, 0.9),
    p99: percentile(times, 0.99),
    max: percentile(times, 1),
    readBytesPerQuery: (readBytes - before.readBytes) / times.length,
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Recall and latency of the queries with known neighbours, effort by effort, until more effort finds
 * no more. */
async function tryEfforts(
  index: CorvidIndex,
  queries: readonly Float32Array[],
  { truth }: ServeJob,
  levels: number[],
) {
  const tried = [];
  for (const effort of EFFORTS) {
    const times: number[] = [];
    const found = [0, 0];
    const work = { meanScannedRows: 0, meanProbedLists: 0 };
    for (const [i, query] of queries.entries()) {
      const start = performance.now();
      const result = await index.search(query, { limit: HITS, levels, effort });
      times.push(performance.now() - start);
      const neighbours = truth.subarray(i * TRUE_NEIGHBOURS, (i + 1) * TRUE_NEIGHBOURS);
      for (const [j, within] of [HITS, TRUE_NEIGHBOURS].entries()) {
        const given = new Set(result.ids.subarray(0, within));
        found[j] = (found[j] ?? 0) + neighbours.filter((row) => given.has(row)).length;
      }
      work.meanScannedRows += result.scannedRows / queries.length;
      work.meanProbedLists += result.probedLists / queries.length;
    }
    const [recallWithin300 = 0, recallWithin10 = 0] = found.map((n) => n / truth.length);
    const p50 = percentile(times, 0.5);
    tried.push({ levels, effort, recallWithin300, recallWithin10, p50, work });
    log(
      `serve: levels ${levels}, effort ${effort}: recall ${recallWithin300.toFixed(4)} within 300`,
    );
    const before = tried.at(-PATIENCE - 1);
    if (before !== undefined && recallWithin300 - before.recallWithin300 < MIN_GAIN) break;
  }
  return tried;
}

/** Queries per second in one batch: the median of ROUNDS. */
async function batchRate(
  index: CorvidIndex,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    await index.searchBatch(queries, { limit: HITS, ...options });
    rates.push((queries.length * 1000) / (performance.now() - start));
  }
  return percentile(rates, 0.5);
}

/** Scores all rows by 64 bits, query by query, and for comparison reads the same bytes. */
async function scanAll(
  index: CorvidIndex,
  queries: readonly Float32Array[],
  path: string,
): Promise<ServeReport['exactScan']> {
  const times: number[] = [];
  for (const query of queries) {
    const start = performance.now();
    await index.search(query, { limit: HITS, exact: true, levels: [64] });
    times.push((performance.now() - start) / 1000);
  }
  const planes = readdirSync(join(path, 'segments')).map((segment) =>
    join(path, 'segments', segment, 'plane-64.bin'),
  );
  const reads: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (const plane of planes) await readMapped(plane, availableParallelism());
    reads.push((performance.now() - start) / 1000);
  }
  return {
    firstSeconds: times[0] ?? Number.NaN,
    seconds: percentile(times.slice(1), 0.5),
    plainReadSeconds: percentile(reads, 0.5),
    bytes: planes.reduce((sum, plane) => sum + statSync(plane).size, 0),
  };
}
