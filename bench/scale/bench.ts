// bench scale: one collection from its first row to its last query, under a hard memory limit.
//
// usage: npm run bench -- scale --rows 1e6 --memory-limit 8.0e9[,4e9,1e9] --out <folder>
//          [--levels 64,128,256] [--lists n] [--resume] [--record] [--json] [--collection n]
//
// The rows are synthetic (see bench synthetic). Four steps, each of which can be interrupted and
// continued by --resume: build the index under the first limit, and find the exact hundred nearest
// rows of 256 held-out queries while its rows are generated; encode rows that are in memory; compare
// the queries with rows that the build did not read; and, for each limit, serve the index in a fresh
// process whose control group is limited to it, page cache included. Without the right to make control
// groups it reports that, and measures without a limit. By default there are about 4,096 rows per
// list, so that sizes compare.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CorvidError } from '../../src/errors.js';
import type { BuildProgress } from '../../src/index.js';
import { describeMachine, recordPath, writeRecord } from '../machine.js';
import { COLLECTION_SEED, cachedBytes, dropCached, SYNTHETIC_DIMS } from '../synthetic/native.js';
import { BuildTime } from './build-time.js';
import { heldOutQueries } from './collection.js';
import { ControlGroup, type GroupMemory } from './control-group.js';
import { type FinishedGroundTruth, GroundTruthFile } from './ground-truth.js';
import {
  type BuildJob,
  type BuildReport,
  type EncodeReport,
  type Job,
  type Report,
  runJob,
  type ServeReport,
} from './job.js';
import { drawScale } from './plots.js';
import { folderBytes, ProgressLine } from './progress.js';
import { type ScaleResult, type Served, scaleTable } from './result.js';

export const describe =
  'build, exact search and search of up to a billion synthetic rows under a limit';

/** Queries whose exact neighbours are found, how many of these, and how many count for recall. */
const KNOWN_QUERIES = 256;
const KNOWN_NEIGHBOURS = 100;
const TRUE_NEIGHBOURS = 10;
/** Further queries, whose latency is measured. */
const OTHER_QUERIES = 1000;
const ROWS_PER_LIST = 4096;
const TARGET_RECALL = 0.9;
/** Share of the limit that the build's buffers may take. */
const BUILD_SHARE = 0.5;

interface ScaleSettings {
  rows: number;
  limits: number[];
  out: string;
  levels: number[];
  resume: boolean;
  lists: number;
  collection: number;
}

/** What a run has done, besides the index: read by --resume. */
interface State {
  rows: number;
  levels: number[];
  lists: number;
  collection: number;
  build?: ScaleResult['build'];
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rows: { type: 'string', default: '1e6' },
      'memory-limit': { type: 'string', default: '8.0e9' },
      out: { type: 'string' },
      levels: { type: 'string', default: '64,128,256' },
      lists: { type: 'string' },
      resume: { type: 'boolean', default: false },
      collection: { type: 'string', default: `${COLLECTION_SEED}` },
      record: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.out === undefined) {
    throw new CorvidError('ERR_USAGE', 'no folder to work in', {
      path: '--out',
      hint: 'give --out <folder>; a billion rows with levels 64,128,256 take about 40 GB there',
    });
  }
  const rows = positiveInteger(values.rows, '--rows');
  const settings: ScaleSettings = {
    rows,
    limits: values['memory-limit']
      .split(',')
      .map((text) => positiveInteger(text, '--memory-limit')),
    out: resolve(values.out),
    levels: values.levels.split(',').map(Number),
    resume: values.resume,
    collection: positiveInteger(values.collection, '--collection'),
    lists: values.lists === undefined ? listsFor(rows) : positiveInteger(values.lists, '--lists'),
  };
  const result = await measure(settings);
  writeFileSync(join(settings.out, 'record.json'), `${JSON.stringify(result, null, 2)}\n`);
  if (values.record) writeRecord(`scale-${values.rows}`, args, result);
  const plot = values.record
    ? recordPath(`scale-${values.rows}`, 'svg')
    : join(settings.out, 'scale.svg');
  await drawScale(result, recordedResults(plot), plot);
  log(`plot: ${relative(process.cwd(), plot)}`);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : scaleTable(result));
}

function listsFor(rows: number): number {
  return 2 ** Math.max(0, Math.round(Math.log2(rows / ROWS_PER_LIST)));
}

function positiveInteger(text: string, path: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new CorvidError('ERR_USAGE', 'not a positive integer', {
    path,
    expected: 'an integer such as 1e6',
    actual: text,
  });
}

async function measure(settings: ScaleSettings): Promise<ScaleResult> {
  const { rows, out, collection, levels } = settings;
  const state = openState(settings);
  const queries = await heldOutQueries(collection, rows, KNOWN_QUERIES + OTHER_QUERIES);
  const known = Math.min(KNOWN_QUERIES, Math.floor(queries.length / SYNTHETIC_DIMS / 2));
  const groundTruth = {
    path: join(out, 'truth.json'),
    queries: queries.slice(0, known * SYNTHETIC_DIMS),
    count: KNOWN_NEIGHBOURS,
  };
  const build = state.build ?? (await buildStep(settings, groundTruth));
  writeState(out, { ...state, build });
  const encoding = await encodeStep(settings);
  const progress = new ProgressLine('exact search', rows);
  const file = new GroundTruthFile(
    groundTruth.path,
    collection,
    groundTruth.queries,
    groundTruth.count,
  );
  const truth = await file.finish(rows, (done) => progress.update(done));
  const served: Served[] = [];
  for (const limit of settings.limits) {
    served.push(await serveStep(settings, limit, queries, truth));
  }
  const { info } = (served[0] as Served).report;
  return {
    label: 'synthetic',
    rows,
    collection,
    levels,
    machine: describeMachine(),
    lists: info.codec.lists,
    rowsPerList: rows / info.codec.lists,
    build,
    encoding,
    truth: {
      queries: truth.queries,
      neighbours: truth.count,
      seconds: truth.seconds,
      rowsPerSecond: rows / truth.seconds,
      meanCosines: [1, 10, 100].map((rank) => meanCosine(truth, rank)),
    },
    ledger: info.ledger,
    residentBytesPerImage: info.residentBytesPerImage,
    diskBytesPerImage: info.diskBytesPerImage,
    served,
  };
}

function meanCosine(truth: FinishedGroundTruth, rank: number): number {
  let sum = 0;
  for (let q = 0; q < truth.queries; q++) sum += truth.cosines[q * truth.count + rank - 1] ?? 0;
  return sum / truth.queries;
}

function openState({ out, rows, levels, lists, collection, resume }: ScaleSettings): State {
  mkdirSync(out, { recursive: true });
  const path = join(out, 'state.json');
  const requested: State = { rows, levels, lists, collection };
  if (!existsSync(path)) {
    writeState(out, requested);
    return requested;
  }
  const state = JSON.parse(readFileSync(path, 'utf8')) as State;
  const { build, ...earlier } = state;
  if (!resume || JSON.stringify(earlier) !== JSON.stringify(requested)) {
    throw new CorvidError('ERR_USAGE', 'this folder holds another run', {
      path: out,
      expected: JSON.stringify(requested),
      actual: JSON.stringify(earlier),
      hint: 'give --resume to continue the same run, or another --out',
    });
  }
  return state;
}

function writeState(out: string, state: State): void {
  const path = join(out, 'state.json');
  writeFileSync(`${path}.part`, JSON.stringify(state));
  renameSync(`${path}.part`, path);
}

async function buildStep(
  settings: ScaleSettings,
  truth: BuildJob['truth'],
): Promise<ScaleResult['build']> {
  const { out, rows, levels, lists, collection } = settings;
  const [limit] = settings.limits as [number];
  const index = indexPath(out);
  const progress = new ProgressLine('build', rows);
  const time = new BuildTime(join(out, 'build-time.json'));
  let peakDiskBytes = 0;
  const watch = setInterval(() => {
    peakDiskBytes = Math.max(peakDiskBytes, folderBytes(index));
  }, 5000);
  try {
    const job = {
      out: index,
      seed: collection,
      rows,
      lists,
      levels,
      memoryBytes: Math.floor(limit * BUILD_SHARE),
      truth,
    };
    const { report, memory, unlimited } = await inGroup<BuildReport>(
      { kind: 'build', job },
      limit,
      (now) => {
        time.report(now);
        progress.report(now);
      },
    );
    const { summary, process } = report;
    const { runs, phases } = time.taken(summary.phases);
    const seconds =
      runs === 1 ? summary.seconds : Object.values(phases).reduce((sum, phase) => sum + phase, 0);
    return {
      limitBytes: unlimited === null ? limit : null,
      unlimited,
      runs,
      seconds,
      rowsPerSecond: rows / seconds,
      phases,
      memory,
      process,
      peakDiskBytes: Math.max(peakDiskBytes, summary.diskBytes),
      diskBytes: summary.diskBytes,
    };
  } finally {
    clearInterval(watch);
  }
}

async function encodeStep({ out, collection, limits }: ScaleSettings): Promise<EncodeReport> {
  log('encode: rows in memory');
  const job = { path: indexPath(out), seed: collection };
  const [limit] = limits as [number];
  return (await inGroup<EncodeReport>({ kind: 'encode', job }, limit, () => {})).report;
}

async function serveStep(
  { out }: ScaleSettings,
  limit: number,
  queries: Float32Array,
  truth: FinishedGroundTruth,
): Promise<Served> {
  log(`serve: at most ${limit} bytes`);
  const path = indexPath(out);
  const files = filesBelow(path);
  for (const file of files) dropCached(file);
  const stillCached = files.reduce((sum, file) => sum + cachedBytes(file), 0);
  const nearest = new Float64Array(truth.queries * TRUE_NEIGHBOURS);
  for (let q = 0; q < truth.queries; q++) {
    const from = q * truth.count;
    nearest.set(truth.rows.subarray(from, from + TRUE_NEIGHBOURS), q * TRUE_NEIGHBOURS);
  }
  const job = { path, queries, truth: nearest, targetRecall: TARGET_RECALL };
  const { report, memory, unlimited } = await inGroup<ServeReport>(
    { kind: 'serve', job },
    limit,
    () => {},
  );
  return {
    limitBytes: unlimited === null ? limit : null,
    unlimited,
    cachedBeforeBytes: stillCached,
    memory,
    report,
  };
}

/** Runs `job` in a new control group; `unlimited` says why there is none. */
async function inGroup<R extends Report>(
  job: Job,
  limit: number,
  onProgress: (progress: BuildProgress) => void,
): Promise<{ report: R; memory: GroupMemory | null; unlimited: string | null }> {
  const group = ControlGroup.create(limit);
  if (typeof group === 'string') {
    log(`${job.kind}: without a limit: ${group}`);
    const report = await runJob<R>(job, null, onProgress);
    return { report, memory: null, unlimited: group };
  }
  try {
    const report = await runJob<R>(job, group, onProgress);
    return { report, memory: group.memory(), unlimited: null };
  } finally {
    group.remove();
  }
}

function indexPath(out: string): string {
  return join(out, 'index.corvid');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Results of other sizes that are recorded beside `plot`. */
function recordedResults(plot: string): ScaleResult[] {
  const folder = resolve(plot, '..');
  return readdirSync(folder)
    .filter((name) => /^scale-.*\.json$/.test(name))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).result as ScaleResult);
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
