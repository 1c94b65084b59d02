// bench search: latency, throughput and recall of a search at one effort.
//
// usage: npm run bench -- search --train <vectors> [--base <vectors>] [--index <folder>]
//          [--queries 1000] [--seed 7] [--effort e] [--levels 64,512] [--threads n] [--vectors]
//          [--lists n] [--groups n] [--limit 10] [--json] [--record]
//
// Without --base, a folder whose metadata name videos is split by them. Queries are rows of the
// base; a query is excluded from its neighbours and its answers. The index is made in a temporary folder,
// the codec from --train, the rows from --base; or it is given by --index and holds the base.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCodec, trainingRowsFor } from '../src/codec/choose.js';
import {
  CorvidError,
  type CorvidIndex,
  openIndex,
  type SearchOptions,
  type SearchResult,
} from '../src/index.js';
import { exactNeighbours, recall } from './ground-truth.js';
import { describeMachine, machineLine, writeRecord } from './machine.js';
import { makeVectorIndex } from './vector-index.js';
import { loadVectors, pickRows, rowOf, splitByVideo, type Vectors } from './vectors.js';

export const describe = 'latency, throughput and recall of searching';

interface SearchBench {
  rows: number;
  lists: number;
  queries: number;
  limit: number;
  effort: number | 'default';
  levels: number[];
  rescored: boolean;
  /** Share of the exact float top `limit` in the hits. */
  recall: number;
  meanProbedLists: number;
  meanScannedRows: number;
  meanShortlist: number;
  openMs: number;
  /** Resident memory after opening, and after all searches. */
  openRssBytes: number;
  searchedRssBytes: number;
  latencyMs: { mean: number; p50: number; p90: number; p99: number; max: number };
  /** Medians of each step. */
  stepsMs: Record<string, number>;
  queriesPerSecond: { oneClient: number; eightClients: number; batch: number };
}

const CLIENTS = 8;

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      index: { type: 'string' },
      train: { type: 'string' },
      base: { type: 'string' },
      queries: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      effort: { type: 'string' },
      levels: { type: 'string' },
      limit: { type: 'string', default: '10' },
      threads: { type: 'string' },
      lists: { type: 'string' },
      groups: { type: 'string' },
      vectors: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  const seed = Number(values.seed);
  const { train, base } = await loadData(values.train, values.base, seed);
  const folder = mkdtempSync(join(tmpdir(), 'corvid-bench-'));
  try {
    let path = values.index;
    if (path === undefined) {
      path = join(folder, 'index.corvid');
      const choice = chooseCodec(base.rows, trainingRowsFor(train.rows), base.dims);
      const summary = await makeVectorIndex({
        path,
        dims: base.dims,
        train: train.values,
        parts: [base.values],
        lists: Number(values.lists ?? choice.lists),
        groups: Number(values.groups ?? choice.groups),
        outerGroups: choice.outerGroups,
        vectors: values.vectors,
      });
      process.stderr.write(`index made: ${JSON.stringify(summary)}\n`);
    }
    const options: SearchOptions = {
      limit: Number(values.limit),
      ...(values.effort === undefined ? {} : { effort: Number(values.effort) }),
      ...(values.levels === undefined ? {} : { levels: values.levels.split(',').map(Number) }),
    };
    const threads = values.threads === undefined ? undefined : Number(values.threads);
    const rows = chooseQueries(base, Number(values.queries), seed);
    const measured = await measure(path, base, rows, options, threads);
    if (values.record) writeRecord('search', args, measured);
    if (values.json) process.stdout.write(`${JSON.stringify(measured)}\n`);
    else print(measured);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The data that the arguments name. */
async function loadData(
  train: string | undefined,
  base: string | undefined,
  seed: number,
): Promise<{ train: Vectors; base: Vectors }> {
  const path = base ?? train;
  if (path === undefined) {
    throw new CorvidError('ERR_USAGE', 'no data to search', { hint: 'give --train or --base' });
  }
  const rows = await loadVectors(path);
  if (base === undefined && rows.videos !== null) return splitByVideo(rows, seed);
  const same = train === undefined || train === path;
  return { train: same ? rows : await loadVectors(train), base: rows };
}

/** Distinct rows, by a seeded linear congruence. */
function chooseQueries({ rows }: Vectors, count: number, seed: number): number[] {
  const chosen = new Set<number>();
  let state = seed >>> 0;
  while (chosen.size < Math.min(count, rows)) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    chosen.add(Math.floor((state / 2 ** 32) * rows));
  }
  return [...chosen];
}

async function measure(
  path: string,
  base: Vectors,
  rows: readonly number[],
  options: SearchOptions,
  threads: number | undefined,
): Promise<SearchBench> {
  const { limit = 10 } = options;
  const opened = probeOpen(path);
  await using index = await openIndex(path, { threads });
  const queries = rows.map((row) => rowOf(base, row));
  // One more than is counted, as the query itself is in the index.
  const searchOptions = { ...options, limit: limit + 1 };
  const found = await index.searchBatch(queries, searchOptions);
  const truth = await exactNeighbours(base, pickRows(base, rows), rows, limit);
  const answers = found.map(({ hits }, i) =>
    hits.map(({ id }) => id).filter((id) => id !== rows[i]),
  );
  const mean = (of: (result: SearchResult) => number) =>
    found.reduce((sum, result) => sum + of(result), 0) / found.length;
  const [first] = found;
  const alone = await measureAlone(index, queries, searchOptions);
  return {
    rows: base.rows,
    lists: first?.lists ?? 0,
    queries: queries.length,
    limit,
    effort: options.effort ?? 'default',
    levels: first?.levels ?? [],
    rescored: first?.rescored ?? false,
    recall: recall(truth, answers, limit),
    meanProbedLists: mean(({ probedLists }) => probedLists),
    meanScannedRows: mean(({ scannedRows }) => scannedRows),
    meanShortlist: mean(({ shortlist }) => shortlist),
    ...opened,
    ...alone,
    searchedRssBytes: process.memoryUsage.rss() - base.values.byteLength,
    queriesPerSecond: {
      oneClient: 1000 / alone.latencyMs.mean,
      eightClients: await perSecond(queries.length, () => clients(index, queries, searchOptions)),
      batch: await perSecond(queries.length, () => index.searchBatch(queries, searchOptions)),
    },
  };
}

/** Opens the index in a separate process: its time, and resident memory after it. */
function probeOpen(path: string): { openMs: number; openRssBytes: number } {
  const script = `
    import { openIndex } from ${JSON.stringify(new URL('../src/index.js', import.meta.url).href)};
    const start = performance.now();
    const index = await openIndex(${JSON.stringify(path)});
    const openMs = performance.now() - start;
    console.log(JSON.stringify({ openMs, openRssBytes: process.memoryUsage.rss() }));
    await index.close();`;
  const args = ['--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

type Alone = Pick<SearchBench, 'latencyMs' | 'stepsMs'>;

/** One query after the other, after a round to warm up. */
async function measureAlone(
  index: CorvidIndex,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<Alone> {
  const times: number[] = [];
  const steps = new Map<string, number[]>();
  for (const warm of [true, false]) {
    for (const query of queries) {
      const start = performance.now();
      const { timings } = await index.search(query, options);
      if (warm) continue;
      times.push(performance.now() - start);
      for (const [step, ms] of Object.entries(timings)) {
        const known = steps.get(step);
        if (known === undefined) steps.set(step, [ms]);
        else known.push(ms);
      }
    }
  }
  return {
    latencyMs: {
      mean: times.reduce((sum, ms) => sum + ms, 0) / times.length,
      p50: percentile(times, 0.5),
      p90: percentile(times, 0.9),
      p99: percentile(times, 0.99),
      max: percentile(times, 1),
    },
    stepsMs: Object.fromEntries(Array.from(steps, ([step, ms]) => [step, percentile(ms, 0.5)])),
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}

async function clients(
  index: CorvidIndex,
  queries: readonly Float32Array[],
  options: SearchOptions,
): Promise<void> {
  let next = 0;
  const client = async () => {
    for (let query = queries[next++]; query !== undefined; query = queries[next++]) {
      await index.search(query, options);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** The best of three rounds. */
async function perSecond(queries: number, round: () => Promise<unknown>): Promise<number> {
  let best = 0;
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    await round();
    best = Math.max(best, (queries * 1000) / (performance.now() - start));
  }
  return best;
}

function print(bench: SearchBench): void {
  const { latencyMs, queriesPerSecond } = bench;
  const ms = (value: number) => value.toFixed(3);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const steps = Object.entries(bench.stepsMs).filter(([, value]) => value > 0);
  process.stdout.write(`${machineLine(describeMachine())}
${bench.rows} rows, ${bench.lists} lists, ${bench.queries} queries, effort ${bench.effort}
recall@${bench.limit} ${bench.recall.toFixed(4)}  levels ${bench.levels.join(' ')}${
    bench.rescored ? ' + vectors' : ''
  }  lists probed ${bench.meanProbedLists.toFixed(1)}  rows scanned ${bench.meanScannedRows.toFixed(0)}
open ${ms(bench.openMs)} ms, ${megabytes(bench.openRssBytes)} MB resident; after searching ${megabytes(
    bench.searchedRssBytes,
  )} MB
one at a time, ms: p50 ${ms(latencyMs.p50)}  p90 ${ms(latencyMs.p90)}  p99 ${ms(latencyMs.p99)}  max ${ms(latencyMs.max)}
steps (median ms): ${steps.map(([step, value]) => `${step.replace('Ms', '')} ${ms(value)}`).join('  ')}
queries/s: one client ${queriesPerSecond.oneClient.toFixed(0)}  eight ${queriesPerSecond.eightClients.toFixed(
    0,
  )}  batch ${queriesPerSecond.batch.toFixed(0)}
`);
}
