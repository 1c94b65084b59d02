// bench search: latency and throughput of searching, and the recall at the effort used.
//
// usage: npm run bench -- search (--index <folder> --base <npy> | --train <npy> [--base <npy>])
//          [--queries 1000] [--seed 7] [--effort e] [--levels 64,512] [--threads n] [--vectors]
//          [--lists n] [--groups n] [--limit 10] [--json]
//
// Queries are rows of the base, the row itself excluded from truth and answers. The index is made
// in a temporary folder from --train (codec) and --base (rows), or is given with --index.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openNpy } from '../src/build/sources/npy.js';
import {
  type CorvidIndex,
  openIndex,
  type SearchOptions,
  type SearchResult,
} from '../src/index.js';
import { native } from '../src/native.js';
import { makeVectorIndex } from './vector-index.js';

interface Rows {
  /** rows x dims, unit length */
  vectors: Float32Array;
  rows: number;
  dims: number;
}

interface SearchBench {
  machine: string;
  simd: string;
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
const DEFAULT_LISTS = 1024;
const DEFAULT_GROUPS = 64;

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
    },
  });
  const basePath = values.base ?? values.train;
  if (basePath === undefined) throw new Error('give --train or --base, an .npy file');
  const base = await loadRows(basePath);
  const folder = mkdtempSync(join(tmpdir(), 'corvid-bench-'));
  try {
    let path = values.index;
    if (path === undefined) {
      path = join(folder, 'index.corvid');
      const train = values.train === undefined ? base : await loadRows(values.train);
      const summary = await makeVectorIndex({
        path,
        dims: base.dims,
        train: train.vectors,
        parts: [base.vectors],
        lists: Number(values.lists ?? DEFAULT_LISTS),
        groups: Number(values.groups ?? DEFAULT_GROUPS),
        vectors: values.vectors,
      });
      console.error(`index made: ${JSON.stringify(summary)}`);
    }
    const options: SearchOptions = {
      limit: Number(values.limit),
      ...(values.effort === undefined ? {} : { effort: Number(values.effort) }),
      ...(values.levels === undefined ? {} : { levels: values.levels.split(',').map(Number) }),
    };
    const threads = values.threads === undefined ? undefined : Number(values.threads);
    const rows = chooseQueries(base, Number(values.queries), Number(values.seed));
    const measured = await measure(path, base, rows, options, threads);
    if (values.json) console.log(JSON.stringify(measured));
    else print(measured);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function loadRows(path: string): Promise<Rows> {
  const file = await openNpy(path);
  const { rows, dims } = file;
  const vectors = new Float32Array(rows * dims);
  for await (const chunk of file.read({ batchRows: 8192 })) {
    vectors.set(native.toUnit(chunk.vectors, dims), chunk.firstRow * dims);
  }
  await file.close();
  return { vectors, rows, dims };
}

/** Distinct rows, by a seeded linear congruence. */
function chooseQueries({ rows }: Rows, count: number, seed: number): number[] {
  const chosen = new Set<number>();
  let state = seed >>> 0;
  while (chosen.size < Math.min(count, rows)) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    chosen.add(Math.floor((state / 2 ** 32) * rows));
  }
  return [...chosen];
}

const queryOf = ({ vectors, dims }: Rows, row: number): Float32Array =>
  vectors.slice(row * dims, (row + 1) * dims);

/** Exact float top `limit` of each query, the query's own row left out. */
function exactNeighbours(base: Rows, queries: readonly number[], limit: number): Set<number>[] {
  const { vectors, rows, dims } = base;
  return queries.map((own) => {
    const query = queryOf(base, own);
    const best: { row: number; score: number }[] = [];
    for (let row = 0; row < rows; row += 1) {
      let score = 0;
      for (let d = 0, at = row * dims; d < dims; d += 1, at += 1) {
        score += (query[d] as number) * (vectors[at] as number);
      }
      const last = best[limit - 1];
      if (row === own || (last !== undefined && score <= last.score)) continue;
      best.push({ row, score });
      best.sort((a, b) => b.score - a.score);
      best.length = Math.min(best.length, limit);
    }
    return new Set(best.map(({ row }) => row));
  });
}

async function measure(
  path: string,
  base: Rows,
  rows: readonly number[],
  options: SearchOptions,
  threads: number | undefined,
): Promise<SearchBench> {
  const { limit = 10 } = options;
  const opened = probeOpen(path);
  await using index = await openIndex(path, { threads });
  const queries = rows.map((row) => queryOf(base, row));
  // One more than is asked for: the query's own row is in the index.
  const asked = { ...options, limit: limit + 1 };
  const found = await index.searchBatch(queries, asked);
  const truth = exactNeighbours(base, rows, limit);
  let hits = 0;
  found.forEach((result, i) => {
    const others = result.hits.filter(({ id }) => id !== rows[i]).slice(0, limit);
    hits += others.filter(({ id }) => truth[i]?.has(id)).length;
  });
  const mean = (of: (result: SearchResult) => number) =>
    found.reduce((sum, result) => sum + of(result), 0) / found.length;
  const [first] = found;
  const alone = await measureAlone(index, queries, asked);
  return {
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    simd: native.simdLevel(),
    rows: base.rows,
    lists: first?.lists ?? 0,
    queries: queries.length,
    limit,
    effort: options.effort ?? 'default',
    levels: first?.levels ?? [],
    rescored: first?.rescored ?? false,
    recall: hits / (rows.length * limit),
    meanProbedLists: mean(({ probedLists }) => probedLists),
    meanScannedRows: mean(({ scannedRows }) => scannedRows),
    meanShortlist: mean(({ shortlist }) => shortlist),
    ...opened,
    ...alone,
    searchedRssBytes: process.memoryUsage.rss() - base.vectors.byteLength,
    queriesPerSecond: {
      oneClient: 1000 / alone.latencyMs.mean,
      eightClients: await perSecond(queries.length, () => clients(index, queries, asked)),
      batch: await perSecond(queries.length, () => index.searchBatch(queries, asked)),
    },
  };
}

/** Opens the index in a process of its own: how long that takes, and what memory it leaves. */
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
        steps.set(step, [...(steps.get(step) ?? []), ms]);
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
  for (let i = 0; i < 3; i += 1) {
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
  console.log(`${bench.machine}, ${bench.simd}
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
  )}  batch ${queriesPerSecond.batch.toFixed(0)}`);
}
