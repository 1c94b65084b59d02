// bench peers: corvid beside other libraries, on the same data, queries, threads and day.
//
// usage: bench/peers/setup      (once: installs the peers beside this file)
//        npm run bench -- peers --train <npy or folder> [--base <npy or folder>] [--queries 1000]
//          [--seed 7] [--threads 2] [--only name,name] [--json] [--record]
//
// Trained on --train, filled with --base; without --base a folder whose metadata name videos is
// split by them. Queries are rows of the base; a query is excluded from its neighbours and its answers.
// recall@10 and @100: the share of the ten true nearest among the first 10, the first 100 hits. The
// metric of all is L2, which for unit vectors orders as the cosine does.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { CorvidError } from '../../src/errors.js';
import { exactNeighbours, recall } from '../ground-truth.js';
import { describeMachine, machineLine, recordPath, writeRecord } from '../machine.js';
import { loadVectors, pickRows, splitByVideo, type Vectors } from '../vectors.js';
import { drawPeers } from './draw.js';
import type { PeerPoint, PeerResult, PeersBench } from './result.js';
import type { RawVectors, RunnerLine, RunnerTask } from './runner.js';

export const describe = 'corvid beside FAISS, USearch, hnswlib, LanceDB, zvec and others';

const HERE = dirname(fileURLToPath(import.meta.url));
/** Runners that are not TypeScript stay in the source folder. */
const SOURCES = join(HERE, '..', '..', '..', 'bench', 'peers');
const PYTHON = join(SOURCES, '.venv', 'bin', 'python');
const TRUE_NEIGHBOURS = 10;
/** Including the query itself, which is in the base. */
const HITS = 100;
const MAX_OUTPUT = 2 ** 26;

interface Peer {
  name: string;
  /** Which of the runner's indexes to build. */
  index: string;
  command: string;
  runner: string;
}

const node = (name: string, index: string, runner: string): Peer => ({
  name,
  index,
  command: process.execPath,
  runner: join(SOURCES, runner),
});
const python = (name: string, index: string, runner: string): Peer => ({
  name,
  index,
  command: PYTHON,
  runner: join(SOURCES, runner),
});
const corvid = (name: string, index: string): Peer => ({
  name,
  index,
  command: process.execPath,
  runner: join(HERE, 'corvid-runner.js'),
});

const PEERS: readonly Peer[] = [
  corvid('corvid 64 bits', '64'),
  corvid('corvid 64→512 bits', '512'),
  corvid('corvid 64 bits→int8', 'vectors'),
  python('FAISS OPQ8_64,IVF1024,PQ8x8', 'OPQ8_64,IVF1024,PQ8x8', 'faiss_runner.py'),
  python('FAISS OPQ16_64,IVF1024,PQ16x4fs', 'OPQ16_64,IVF1024,PQ16x4fs', 'faiss_runner.py'),
  python('FAISS IVF1024,RaBitQ', 'IVF1024,RaBitQ', 'faiss_runner.py'),
  python('FAISS HNSW32', 'HNSW32', 'faiss_runner.py'),
  python('FAISS Flat (brute force)', 'Flat', 'faiss_runner.py'),
  python('rabitqlib IVF, 1 bit', '1', 'rabitq_runner.py'),
  node('usearch f32', 'f32', 'usearch-runner.mjs'),
  node('usearch i8', 'i8', 'usearch-runner.mjs'),
  node('hnswlib-node', 'hnsw', 'hnswlib-runner.mjs'),
  node('LanceDB IVF_PQ', 'IVF_PQ', 'lancedb-runner.mjs'),
  node('LanceDB IVF_RQ', 'IVF_RQ', 'lancedb-runner.mjs'),
  node('zvec HNSW_RABITQ', 'HNSW_RABITQ', 'zvec-runner.mjs'),
  node('sqlite-vec bits', 'bit', 'sqlite-vec-runner.mjs'),
];

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      base: { type: 'string' },
      queries: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      threads: { type: 'string', default: '2' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  if (values.train === undefined) {
    throw new CorvidError('ERR_USAGE', 'no data', { hint: 'give --train, and perhaps --base' });
  }
  const loaded = await loadVectors(values.train);
  const split =
    values.base === undefined && loaded.videos !== null
      ? splitByVideo(loaded, Number(values.seed))
      : { train: loaded, base: values.base ? await loadVectors(values.base) : loaded };
  const names = values.only?.split(',');
  const chosen = PEERS.filter(({ name }) => names?.some((part) => name.includes(part)) ?? true);
  const bench = await compare(split, chosen, Number(values.queries), Number(values.threads));
  if (values.record) {
    writeRecord('peers', args, bench);
    await drawPeers(bench, {
      speed: recordPath('peers-speed', 'svg'),
      bytes: recordPath('peers-bytes', 'svg'),
    });
  }
  process.stdout.write(values.json ? `${JSON.stringify(bench)}\n` : table(bench));
}

async function compare(
  { train, base }: { train: Vectors; base: Vectors },
  peers: readonly Peer[],
  queries: number,
  threads: number,
): Promise<PeersBench> {
  const folder = mkdtempSync(join(tmpdir(), 'corvid-peers-'));
  try {
    const step = Math.max(1, Math.floor(base.rows / queries));
    const rows = Array.from({ length: Math.min(queries, base.rows) }, (_, i) => i * step);
    const queryVectors = pickRows(base, rows);
    const truth = await exactNeighbours(base, queryVectors, rows, TRUE_NEIGHBOURS);
    const task: Omit<RunnerTask, 'index' | 'folder'> = {
      train: write(join(folder, 'train.f32'), train),
      base: write(join(folder, 'base.f32'), base),
      queries: write(join(folder, 'queries.f32'), queryVectors),
      dims: base.dims,
      hits: HITS,
      threads,
    };
    const results: PeerResult[] = [];
    for (const peer of peers) {
      process.stderr.write(`${peer.name} …\n`);
      results.push(await runPeer(peer, task, folder, rows, truth));
    }
    return { train: train.rows, base: base.rows, queries: rows.length, threads, peers: results };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(path: string, { values, rows }: Vectors): RawVectors {
  writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return { path, rows };
}

async function runPeer(
  { name, index, command, runner }: Peer,
  shared: Omit<RunnerTask, 'index' | 'folder'>,
  parent: string,
  rows: readonly number[],
  truth: readonly ArrayLike<number>[],
): Promise<PeerResult> {
  if (!existsSync(command)) {
    return { name, failure: 'not installed: run bench/peers/setup', points: [] };
  }
  const folder = join(parent, 'peer');
  mkdirSync(folder);
  try {
    const path = join(folder, 'task.json');
    const task: RunnerTask = { ...shared, index, folder };
    writeFileSync(path, JSON.stringify(task));
    const options = { maxBuffer: MAX_OUTPUT, encoding: 'utf8' as const };
    const { stdout } = await promisify(execFile)(command, [runner, path], options);
    const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
    const points = lines.map((line) => toPoint(JSON.parse(line), shared.hits, rows, truth));
    return {
      name,
      failure: points.length === 0 ? 'the runner printed no measurement' : null,
      points,
    };
  } catch (error) {
    return { name, failure: errorLine(error), points: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function errorLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  const lines = (stderr ?? '').split('\n').filter((line) => /\S/.test(line));
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? message;
}

function toPoint(
  { answers, ...line }: RunnerLine,
  hits: number,
  rows: readonly number[],
  truth: readonly ArrayLike<number>[],
): PeerPoint {
  const { buffer } = readFileSync(answers);
  const found = new Int32Array(buffer.slice(0));
  const answered = rows.map((row, query) =>
    Array.from(found.subarray(query * hits, (query + 1) * hits)).filter(
      (id) => id >= 0 && id !== row,
    ),
  );
  return {
    ...line,
    recall10: recall(truth, answered, 10),
    recall100: recall(truth, answered, 100),
  };
}

function table({ train, base, queries, threads, peers }: PeersBench): string {
  const lines = [
    machineLine(describeMachine()),
    `trained on ${train}, ${base} rows, ${queries} queries, ${threads} threads in batches`,
    '',
    `${'index'.padEnd(34)}${'effort'.padEnd(34)}${'B/vector'.padStart(9)}${'fixed MB'.padStart(10)}` +
      `${'build s'.padStart(9)}${'@10'.padStart(8)}${'@100'.padStart(8)}${'one/s'.padStart(9)}${'batch/s'.padStart(10)}`,
  ];
  for (const { name, failure, points } of peers) {
    if (failure !== null) lines.push(`${name.padEnd(34)}not run: ${failure}`);
    points.forEach((point, i) => {
      const { effort, bytesPerVector, fixedBytes, buildSeconds, single, batch } = point;
      lines.push(
        `${(i === 0 ? name : '').padEnd(34)}${effort.padEnd(34)}` +
          bytesPerVector.toFixed(1).padStart(9) +
          (fixedBytes / 1e6).toFixed(1).padStart(10) +
          buildSeconds.toFixed(1).padStart(9) +
          point.recall10.toFixed(3).padStart(8) +
          point.recall100.toFixed(3).padStart(8) +
          single.toFixed(0).padStart(9) +
          batch.toFixed(0).padStart(10),
      );
    });
  }
  return `${lines.join('\n')}\n`;
}
