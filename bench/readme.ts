// bench readme: writes the README's tables of figures from the records under bench/record/.
//
// usage: npm run bench -- readme [--check]
//
// The newest record of each bench counts. --check writes nothing, and fails if the README and the
// records differ.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CorvidError } from '../src/errors.js';
import { type Machine, machineLine } from './machine.js';
import type { PeersBench } from './peers/result.js';
import type { EffortReport } from './scale/job.js';
import type { ScaleResult, Served } from './scale/result.js';

export const describe = 'writes the tables of the README from the records';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const RECORDS = join(ROOT, 'bench', 'record');
const README = join(ROOT, 'README.md');
/** Parts of the README that are made from records. */
const PARTS = { headline, figures };

interface BenchRecord<Result> {
  bench: string;
  arguments: string[];
  date: string;
  machine: Machine;
  result: Result;
}

interface RecallRecord {
  base: { rows: number };
  train: { rows: number };
  queries: number;
  levels: { bits: number; bytesPerRow: number; recall: Record<string, number> }[];
  refined: { shortlist: number; bits: number; rescored?: string; recall: Record<string, number> }[];
  trainSeconds: number;
  encodeRowsPerSecond: number;
}

interface SearchRecord {
  rows: number;
  lists: number;
  recall: number;
  openMs: number;
  openRssBytes: number;
  meanProbedLists: number;
  latencyMs: { p50: number; p99: number };
  queriesPerSecond: { oneClient: number; eightClients: number; batch: number };
}

interface FiltersRecord {
  rows: number;
  points: { condition: string; matchingRows: number; recall: number; p50Ms: number }[];
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { check: { type: 'boolean', default: false } } });
  const before = readFileSync(README, 'utf8');
  const after = withFigures(before);
  if (values.check) {
    if (before === after) return;
    throw new CorvidError('ERR_USAGE', 'the README and the records differ', {
      path: README,
      hint: 'run "npm run bench -- readme"',
    });
  }
  writeFileSync(README, after);
}

/** The README with everything between its marks generated again. */
export function withFigures(readme: string): string {
  return Object.entries(PARTS).reduce((text, [name, make]) => {
    const start = `<!-- ${name}: npm run bench -- readme -->`;
    const [first, last] = [text.indexOf(start), text.indexOf(`<!-- end of ${name} -->`)];
    if (first < 0 || last < first) {
      throw new CorvidError('ERR_USAGE', `the marks of the ${name} are missing`, {
        path: README,
        expected: `${start} … <!-- end of ${name} -->`,
      });
    }
    return `${text.slice(0, first + start.length)}\n${make()}\n${text.slice(last)}`;
  }, readme);
}

/** The largest collection that was measured, under the first of its limits. */
function headline(): string {
  const record = scaleRecords().at(-1);
  if (record === undefined) return '';
  const { rows, lists, residentBytesPerImage, machine, served } = record.result;
  const [{ limitBytes, report }] = served as [Served];
  const [by64, byAll] = report.asked as [EffortReport, EffortReport?];
  const limit = limitBytes === null ? 'no limit' : `${(limitBytes / 1e9).toFixed(1)} GB`;
  const speed = ({ fresh: { p50, p99 }, batchQueriesPerSecond, recallWithin300 }: EffortReport) =>
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms per query, ${integer(batchQueriesPerSecond)} queries/s ` +
    `in batches, ${share(recallWithin300)} of the float ten nearest within the best 300`;
  const refined =
    byAll === undefined ? '' : `; refined by ${byAll.levels.at(-1)} bits from disk ${speed(byAll)}`;
  return [
    `**Measured:** ${integer(rows)} rows in ${integer(lists)} lists, ${residentBytesPerImage.toFixed(2)} bytes per row`,
    `resident, everything counted; searched in a process limited to ${limit}, page cache`,
    `included (what does not fit is read from disk), on ${machine.cores} cores. By 64 bits, at effort`,
    `${by64.effort}: ${speed(by64)}${refined}.`,
    `An exact scan of all codes takes ${report.exactScan.seconds.toFixed(1)} s. The rows are synthetic,`,
    'with the statistics of CLIP embeddings: [Figures](#figures) has the command, and figures on real ones.',
  ].join('\n');
}

/** All tables that there are records for, as Markdown. */
function figures(): string {
  const parts = [
    ...section<RecallRecord>('recall', recallTable),
    ...section<SearchRecord>('search', searchLines),
    ...section<FiltersRecord>('filters', filtersTable),
    ...section<PeersBench>('peers', peersTable),
    ...scaleSection(),
  ];
  return parts.join('\n\n');
}

function scaleSection(): string[] {
  const records = scaleRecords();
  return records.length === 0 ? [] : [scaleTable(records)];
}

/** The newest record of every size, the largest last. */
function scaleRecords(): BenchRecord<ScaleResult>[] {
  const sizes = new Set(recordNames('scale-').map((name) => name.split('-')[1] as string));
  const records = [...sizes].flatMap((size) => newest<ScaleResult>(`scale-${size}`) ?? []);
  return records.sort((a, b) => a.result.rows - b.result.rows);
}

function section<Result>(bench: string, write: (record: BenchRecord<Result>) => string): string[] {
  const record = newest<Result>(bench);
  return record === null ? [] : [write(record)];
}

function newest<Result>(bench: string): BenchRecord<Result> | null {
  const records = recordNames(`${bench}-`)
    .map((name) => JSON.parse(readFileSync(join(RECORDS, name), 'utf8')) as BenchRecord<Result>)
    .filter((record) => record.bench === bench)
    .sort((a, b) => a.date.localeCompare(b.date));
  return records.at(-1) ?? null;
}

function recordNames(start: string): string[] {
  return readdirSync(RECORDS).filter((name) => name.startsWith(start) && name.endsWith('.json'));
}

/** The command of a record. */
function command({ bench, arguments: args }: BenchRecord<unknown>): string {
  const shown = args.filter((arg) => arg !== '--record' && arg !== '--json');
  const [name] = bench.split('-');
  return `\`npm run bench -- ${[name, ...shown].join(' ')}\``;
}

function origin(record: BenchRecord<unknown>): string {
  return `${command(record)} on ${machineLine(record.machine)}, ${record.date.slice(0, 10)}.`;
}

const share = (value = 0) => value.toFixed(3).replace(/^0/, '');
const integer = (value: number) => Math.round(value).toLocaleString('en-US');

function recallTable(record: BenchRecord<RecallRecord>): string {
  const { base, train, queries, levels, refined, trainSeconds, encodeRowsPerSecond } =
    record.result;
  const row = (bytes: string, name: string, recall: Record<string, number>) =>
    `| ${bytes} | ${name} | ${['10', '100', '1000']
      .flatMap((cut) => (recall[cut] === undefined ? [] : [share(recall[cut])]))
      .join(' / ')} |`;
  return [
    `**Recall.** The codec is trained on ${integer(train.rows)} rows, ${integer(base.rows)} rows of other`,
    `videos are indexed, ${integer(queries)} of them are queries; the share of the exact float top 10 within the`,
    'first 10 / 100 / 1,000.',
    '',
    '| bytes per row in memory | scored by | recall@10 / 100 / 1,000 |',
    '|---:|---|---|',
    ...levels.map(({ bits, bytesPerRow, recall }) =>
      row(String(bytesPerRow), `${bits} bits, all lists`, recall),
    ),
    ...refined.map(({ shortlist, bits, rescored, recall }) =>
      row(
        '8',
        `64-bit shortlist of ${shortlist}, then ${bits} bits from disk` +
          (rescored === undefined ? '' : ', then stored int8 vectors'),
        recall,
      ),
    ),
    '',
    `Training took ${trainSeconds.toFixed(0)} s; encoding runs at ${integer(encodeRowsPerSecond)} rows/s`,
    `(512 bits). ${origin(record)}`,
  ].join('\n');
}

function searchLines(record: BenchRecord<SearchRecord>): string {
  const { rows, lists, recall, openMs, openRssBytes, meanProbedLists, latencyMs } = record.result;
  const { oneClient, eightClients, batch } = record.result.queriesPerSecond;
  return [
    `**Search** of ${integer(rows)} rows in ${integer(lists)} lists at the default effort`,
    `(${meanProbedLists.toFixed(0)} lists on average, refined to 512 bits; no embedding): p50`,
    `${latencyMs.p50.toFixed(2)} ms, p99 ${latencyMs.p99.toFixed(2)} ms, recall@10 ${share(recall)}; one`,
    `client ${integer(oneClient)} queries/s, eight ${integer(eightClients)}, batches ${integer(batch)}. Opening takes`,
    `${openMs.toFixed(0)} ms and ${(openRssBytes / 1e6).toFixed(0)} MB with Node. ${origin(record)}`,
  ].join('\n');
}

function filtersTable(record: BenchRecord<FiltersRecord>): string {
  const { rows, points } = record.result;
  return [
    `**Filters**, ${integer(rows)} rows:`,
    '',
    '| condition keeps | rows | recall@10 | p50 ms |',
    '|---|---:|---:|---:|',
    ...points.map(
      ({ condition, matchingRows, recall, p50Ms }) =>
        `| ${condition === 'none' ? 'everything' : condition} | ${integer(matchingRows)} | ${share(recall)} | ${p50Ms.toFixed(2)} |`,
    ),
    '',
    origin(record),
  ].join('\n');
}

function peersTable(record: BenchRecord<PeersBench>): string {
  const { train, base, queries, threads, peers } = record.result;
  const lines = peers.flatMap(({ name, failure, points }) => {
    if (failure !== null) return [`| ${name} | not run: ${failure.slice(0, 80)} | | | | | |`];
    const best = Math.max(...points.map(({ recall10 }) => recall10));
    // The cheapest setting within half a per cent of the best recall.
    const point = points.find(({ recall10 }) => recall10 >= best - 0.005);
    if (point === undefined) return [];
    const { effort, bytesPerVector, buildSeconds, recall10, recall100, single, batch } = point;
    return [
      `| ${name} (${effort}) | ${bytesPerVector.toFixed(0)} | ${buildSeconds.toFixed(0)} | ` +
        `${share(recall10)} | ${share(recall100)} | ${integer(single)} | ${integer(batch)} |`,
    ];
  });
  return [
    `**Other libraries**, ${integer(base)} rows (trained on ${integer(train)}), ${integer(queries)} queries, ${threads} threads in batches;`,
    'for each the cheapest setting within .005 of its best recall@10 (@10 and @100: share of the true ten',
    'within the first 10 and the first 100 hits):',
    '',
    '| index | bytes per vector, ids counted | build s | @10 | @100 | queries/s, one at a time | queries/s, batches |',
    '|---|---:|---:|---:|---:|---:|---:|',
    ...lines,
    '',
    `${origin(record)} All settings: the record and its plots under \`bench/record/\`.`,
  ].join('\n');
}

function scaleTable(records: readonly BenchRecord<ScaleResult>[]): string {
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1);
  const lines = records.flatMap(({ result }) => {
    const { rows, lists, residentBytesPerImage, served } = result;
    return served.map(({ limitBytes, report }: Served) => {
      const [first] = report.asked;
      const limit = limitBytes === null ? 'none' : `${gigabytes(limitBytes)} GB`;
      const { p50 = 0, p99 = 0 } = first?.fresh ?? {};
      const { seconds, plainReadSeconds } = report.exactScan;
      return (
        `| ${integer(rows)} | ${integer(lists)} | ${residentBytesPerImage.toFixed(2)} | ${limit} | ` +
        `${share(first?.recallWithin300)} | ${p50.toFixed(2)} | ${p99.toFixed(2)} | ` +
        `${integer(first?.batchQueriesPerSecond ?? 0)} | ${(seconds / plainReadSeconds).toFixed(2)} |`
      );
    });
  });
  const builds = records.map(({ result: { rows, build, encoding } }) => {
    const { seconds, rowsPerSecond, memory, process, runs = 1 } = build;
    const often = runs > 1 ? ` and ${runs} runs` : '';
    const peak = gigabytes(memory?.peakBytes ?? process.peakRssBytes);
    const alone =
      encoding === undefined ? '' : `, encoding alone ${integer(encoding.rowsPerSecond)}/s`;
    return (
      `${integer(rows)} rows in ${integer(seconds)} s${often} (${integer(rowsPerSecond)}/s, generating the rows ` +
      `included${alone}; at most ${peak} GB with page cache)`
    );
  });
  return [
    '**Size.** Synthetic rows (`docs/internals/synthetic.md`), fitted to real CLIP embeddings, searched by',
    '64 bits, at the least effort that finds .9, in a process limited by a control group, page cache',
    'included: share of the float ten within the best 300, milliseconds per query, queries/s in batches, and the',
    'time of an exact scan of all codes over that of a plain read of the same bytes.',
    '',
    '| rows | lists | resident bytes per image, everything counted | limit | within 300 | p50 ms | p99 ms | queries/s, batches | exact scan |',
    '|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
    '',
    `Builds: ${builds.join('; ')}.`,
    '',
    ...records.map((record) => `- ${origin(record)}`),
  ].join('\n');
}
