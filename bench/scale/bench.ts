// bench scale: one collection from its first row to its last query, under a hard memory limit.
//
// usage: npm run bench -- scale --rows 1e6 --memory-limit 8.0e9[,4e9,1e9] --out <folder>
//          [--levels 64,128,256] [--lists n] [--resume] [--record] [--json] [--collection n]
//
// The rows are synthetic (see bench synthetic). Four steps, each of which survives being cut off and
// goes on with --resume: build the index under the first limit, and find the exact ten and hundred
// nearest of 256 held-out rows while its rows are made; encode rows that are in memory; compare what
// rows the build did not show; and, for each limit, serve the index in a fresh process whose control
// group may not exceed it, page cache included. Without the right to make control groups it says so,
// and measures without a limit. Without --lists, they are as many as leave about 4,096 rows in each,
// so that sizes compare.
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
import { folderBytes, Progress } from './progress.js';
import { type ScaleResult, type Served, scaleTable } from './result.js';
import { type FoundTruth, GroundTruthFile } from './truth.js';

export const describe = 'build, truth and search of up to a billion synthetic rows under a limit';

const TRUTH_QUERIES = 256;
const TRUTH_COUNT = 100;
const SHORTLIST_TRUTH = 10;
/** Queries without a known truth, whose latency is measured. */
const OTHER_QUERIES = 1000;
const ROWS_PER_LIST = 4096;
const WANTED_RECALL = 0.9;
/** Share of the limit that the build's buffers may take. */
const BUILD_SHARE = 0.5;

interface Settings {
  rows: number;
  limits: number[];
  out: string;
  levels: number[];
  resume: boolean;
  lists: number;
  collection: number;
}

/** What is done, beside the index: read by --resume. */
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
    throw new CorvidError('ERR_USAGE', 'there is no folder to work in', {
      path: '--out',
      hint: 'give --out <folder>; a billion rows with levels 64,128,256 take about 40 GB there',
    });
  }
  const rows = whole(values.rows, '--rows');
  const settings: Settings = {
    rows,
    limits: values['memory-limit'].split(',').map((text) => whole(text, '--memory-limit')),
    out: resolve(values.out),
    levels: values.levels.split(',').map(Number),
    resume: values.resume,
    collection: whole(values.collection, '--collection'),
    lists: values.lists === undefined ? listsFor(rows) : whole(values.lists, '--lists'),
  };
  const result = await measure(settings);
  writeFileSync(join(settings.out, 'record.json'), `${JSON.stringify(result, null, 2)}\n`);
  if (values.record) writeRecord(`scale-${values.rows}`, args, result);
  const plot = values.record
    ? recordPath(`scale-${values.rows}`, 'svg')
    : join(settings.out, 'scale.svg');
  await drawScale(result, recordedResults(plot), plot);
  say(`plot: ${relative(process.cwd(), plot)}`);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : scaleTable(result));
}

function listsFor(rows: number): number {
  return 2 ** Math.max(0, Math.round(Math.log2(rows / ROWS_PER_LIST)));
}

function whole(text: string, path: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new CorvidError('ERR_USAGE', 'not a usable number', {
    path,
    expected: 'a whole number such as 1e6',
    actual: text,
  });
}

async function measure(settings: Settings): Promise<ScaleResult> {
  const { rows, out, collection, levels } = settings;
  const state = openState(settings);
  const queries = await heldOutQueries(collection, rows, TRUTH_QUERIES + OTHER_QUERIES);
  const known = Math.min(TRUTH_QUERIES, Math.floor(queries.length / SYNTHETIC_DIMS / 2));
  const wanted = {
    path: join(out, 'truth.json'),
    queries: queries.slice(0, known * SYNTHETIC_DIMS),
    count: TRUTH_COUNT,
  };
  const build = state.build ?? (await buildStep(settings, wanted));
  writeState(out, { ...state, build });
  const encoding = await encodeStep(settings);
  const progress = new Progress('truth', rows);
  const search = new GroundTruthFile(wanted.path, collection, wanted.queries, wanted.count);
  const truth = await search.finish(rows, (done) => progress.update(done));
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

function meanCosine(truth: FoundTruth, rank: number): number {
  let sum = 0;
  for (let q = 0; q < truth.queries; q += 1) sum += truth.cosines[q * truth.count + rank - 1] ?? 0;
  return sum / truth.queries;
}

function openState({ out, rows, levels, lists, collection, resume }: Settings): State {
  mkdirSync(out, { recursive: true });
  const path = join(out, 'state.json');
  const wanted: State = { rows, levels, lists, collection };
  if (!existsSync(path)) {
    writeState(out, wanted);
    return wanted;
  }
  const state = JSON.parse(readFileSync(path, 'utf8')) as State;
  const { build, ...had } = state;
  if (!resume || JSON.stringify(had) !== JSON.stringify(wanted)) {
    throw new CorvidError('ERR_USAGE', 'there is a run in this folder', {
      path: out,
      expected: JSON.stringify(wanted),
      actual: JSON.stringify(had),
      hint: 'give --resume to go on with the same run, or another --out',
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
  settings: Settings,
  truth: BuildJob['truth'],
): Promise<ScaleResult['build']> {
  const { out, rows, levels, lists, collection } = settings;
  const [limit] = settings.limits as [number];
  const index = indexPath(out);
  const progress = new Progress('build', rows);
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
      runs === 1 ? summary.seconds : Object.values(phases).reduce((sum, own) => sum + own, 0);
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

async function encodeStep({ out, collection, limits }: Settings): Promise<EncodeReport> {
  say('encode: rows in memory');
  const job = { path: indexPath(out), seed: collection };
  const [limit] = limits as [number];
  return (await inGroup<EncodeReport>({ kind: 'encode', job }, limit, () => {})).report;
}

async function serveStep(
  { out }: Settings,
  limit: number,
  queries: Float32Array,
  truth: FoundTruth,
): Promise<Served> {
  say(`serve: at most ${limit} bytes`);
  const path = indexPath(out);
  const files = filesBelow(path);
  for (const file of files) dropCached(file);
  const stillCached = files.reduce((sum, file) => sum + cachedBytes(file), 0);
  const nearest = new Float64Array(truth.queries * SHORTLIST_TRUTH);
  for (let q = 0; q < truth.queries; q += 1) {
    const from = q * truth.count;
    nearest.set(truth.rows.subarray(from, from + SHORTLIST_TRUTH), q * SHORTLIST_TRUTH);
  }
  const job = { path, queries, truth: nearest, wantedRecall: WANTED_RECALL };
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

/** Runs `job` in a new group of its own; `unlimited` says why there was none. */
async function inGroup<Own extends Report>(
  job: Job,
  limit: number,
  onProgress: (progress: BuildProgress) => void,
): Promise<{ report: Own; memory: GroupMemory | null; unlimited: string | null }> {
  const group = ControlGroup.create(limit);
  if (typeof group === 'string') {
    say(`${job.kind}: without a limit: ${group}`);
    const report = await runJob<Own>(job, null, onProgress);
    return { report, memory: null, unlimited: group };
  }
  try {
    const report = await runJob<Own>(job, group, onProgress);
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

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
