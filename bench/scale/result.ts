// The record of a run of bench scale, and its table.
import type { LedgerEntry } from '../../src/index.js';
import { type Machine, machineLine } from '../machine.js';
import type { GroupMemory } from './control-group.js';
import type { EncodeReport, Latency, ProcessAccount, ServeReport } from './job.js';

/** The memory limit; or the reason why there was none. */
interface Limited {
  limitBytes: number | null;
  unlimited: string | null;
  /** Null without a control group: only the account of the process is known then. */
  memory: GroupMemory | null;
}

export interface Served extends Limited {
  /** Bytes of the index that stayed in the page cache before, charged to another group. */
  cachedBeforeBytes: number;
  report: ServeReport;
}

export interface ScaleResult {
  /** All figures are of synthetic rows. */
  label: 'synthetic';
  rows: number;
  collection: number;
  levels: number[];
  machine: Machine;
  lists: number;
  rowsPerList: number;
  build: Limited & {
    /** Times that it was started or resumed; seconds and phases cover all. Absent in older records: 1. */
    runs?: number;
    seconds: number;
    rowsPerSecond: number;
    phases: Partial<Record<string, number>>;
    process: ProcessAccount;
    peakDiskBytes: number;
    diskBytes: number;
  };
  /** Absent in older records. */
  encoding?: EncodeReport;
  truth: {
    queries: number;
    neighbours: number;
    seconds: number;
    rowsPerSecond: number;
    /** Cosines of the nearest, tenth and hundredth row. */
    meanCosines: number[];
  };
  ledger: LedgerEntry[];
  residentBytesPerImage: number;
  diskBytesPerImage: number;
  served: Served[];
}

export function scaleTable(result: ScaleResult): string {
  const { build, encoding, truth } = result;
  const phases = Object.entries(build.phases)
    .filter(([, seconds]) => (seconds ?? 0) >= 0.5)
    .map(([phase, seconds]) => `${phase} ${seconds?.toFixed(0)} s`);
  const cosines = truth.meanCosines.map((cosine) => cosine.toFixed(3)).join(', ');
  return [
    machineLine(result.machine),
    `${count(result.rows)} synthetic rows, levels ${result.levels.join(' ')}, ` +
      `${count(result.lists)} lists of ${count(result.rowsPerList)} rows`,
    `build: ${build.seconds.toFixed(0)} s${(build.runs ?? 1) > 1 ? ` in ${build.runs} runs` : ''}, ${count(build.rowsPerSecond)} rows/s (${phases.join(', ')})`,
    `  ${memoryLine(build, build.process)}; disk ${gigabytes(build.diskBytes)}, at most ` +
      `${gigabytes(build.peakDiskBytes)}`,
    ...(encoding === undefined
      ? []
      : [
          `encoding alone: ${count(encoding.rowsPerSecond)} rows/s from half floats, ` +
            `${encoding.threads} threads; generating rows alone: ${count(encoding.made)} rows/s`,
        ]),
    `exact search: ${truth.queries} queries in ${truth.seconds.toFixed(0)} s, ` +
      `${count(truth.rowsPerSecond)} rows/s; cosine of the 1st, 10th, 100th ${cosines}`,
    `bytes per image: ${result.residentBytesPerImage.toFixed(3)} resident, ` +
      `${result.diskBytesPerImage.toFixed(2)} on disk`,
    ...result.ledger.map(
      ({ name, residentBytes, diskBytes }) =>
        `  ${name.padEnd(16)}${count(residentBytes).padStart(16)} resident` +
        `${count(diskBytes).padStart(18)} on disk`,
    ),
    ...result.served.flatMap(servedLines),
    '',
  ].join('\n');
}

function servedLines(served: Served): string[] {
  const { openMs, cold, asked, exactScan, process } = served.report;
  const { firstSeconds, seconds, plainReadSeconds } = exactScan;
  return [
    `served: ${memoryLine(served, process)}; read ${gigabytes(process.readBytes)}`,
    `  open ${openMs.toFixed(1)} ms; cold queries ${latencyLine(cold)}`,
    `  exact scan of all codes ${seconds.toFixed(3)} s, ${(seconds / plainReadSeconds).toFixed(2)} ` +
      `times a plain read (${plainReadSeconds.toFixed(3)} s); the first ${firstSeconds.toFixed(2)} s`,
    ...asked.flatMap((one) => [
      `  levels ${one.levels.join(' ')} at effort ${one.effort}: float ten within 300 ` +
        `${one.recallWithin300.toFixed(4)}, within 10 ${one.recallWithin10.toFixed(4)}; ` +
        `${one.meanProbedLists.toFixed(0)} lists, ${count(one.meanScannedRows)} rows per query`,
      `    new queries ${latencyLine(one.fresh)}`,
      `    repeated    ${latencyLine(one.repeated)}`,
      `    in batches ${count(one.batchQueriesPerSecond)} queries/s`,
    ]),
  ];
}

function memoryLine({ limitBytes, memory }: Limited, { peakRssBytes }: ProcessAccount): string {
  if (memory === null) return `no limit; resident at most ${gigabytes(peakRssBytes)}`;
  return (
    `limit ${gigabytes(limitBytes ?? 0)}, peak ${gigabytes(memory.peakBytes)} with page cache, ` +
    `process ${gigabytes(peakRssBytes)} mapped files included`
  );
}

function latencyLine({ p50, p99, max, readBytesPerQuery }: Latency): string {
  return (
    `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, max ${max.toFixed(2)} ms, ` +
    `${count(readBytesPerQuery / 1024)} KiB read per query`
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
