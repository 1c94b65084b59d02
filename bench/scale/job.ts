// What the bench and its child processes say to each other, and how a child is run in a control
// group. Each kind of work is a process of its own, so that the kernel's account is of that alone.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CorvidError } from '../../src/errors.js';
import type { BuildProgress, BuildSummary, IndexInfo } from '../../src/index.js';
import type { ControlGroup } from './control-group.js';

export interface BuildJob {
  out: string;
  seed: number;
  rows: number;
  lists: number;
  levels: number[];
  memoryBytes: number;
  /** What is compared with the rows as they are made, and where that is kept. */
  truth: { path: string; queries: Float32Array; count: number };
}

export interface BuildReport {
  summary: BuildSummary;
  process: ProcessAccount;
}

export interface EncodeJob {
  path: string;
  seed: number;
}

export interface EncodeReport {
  threads: number;
  batchRows: number;
  /** Halves to codes: the median of some batches. */
  rowsPerSecond: number;
  /** Synthetic rows a second, as halves. */
  made: number;
}

export interface ServeJob {
  path: string;
  /** queries x dims: those with a known truth, then others. */
  queries: Float32Array;
  /** The ten nearest rows of the first queries, ten numbers each. */
  truth: Float64Array;
  /** Share of them that the first 300 hits must hold. */
  wantedRecall: number;
}

/** One process, as /proc tells. */
export interface ProcessAccount {
  peakRssBytes: number;
  /** Read from the disk, and written to it. */
  readBytes: number;
  writtenBytes: number;
}

export interface Latency {
  queries: number;
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
  /** Read from the disk, a query. */
  readBytesPerQuery: number;
}

/** One way of asking: by 64 bits alone, or refined by all levels. */
export interface Asked {
  levels: number[];
  effort: number;
  /** Share of the float ten nearest in the first 300 hits, and in the first ten. */
  recallWithin300: number;
  recallWithin10: number;
  meanScannedRows: number;
  meanProbedLists: number;
  /** Queries not asked before; the same once more. Milliseconds, 300 hits each. */
  fresh: Latency;
  repeated: Latency;
  batchQueriesPerSecond: number;
}

export interface ServeReport {
  info: IndexInfo;
  openMs: number;
  /** The first queries of all, everything on disk. */
  cold: Latency;
  /** Recall and median latency by effort, for each choice of levels. */
  efforts: {
    levels: number[];
    effort: number;
    recallWithin300: number;
    recallWithin10: number;
    p50: number;
  }[];
  asked: Asked[];
  /** All codes of 64 bits: scored exactly, and only read. Seconds; the first reads from the disk. */
  exactScan: { firstSeconds: number; seconds: number; plainReadSeconds: number; bytes: number };
  process: ProcessAccount;
}

export type Job =
  | { kind: 'build'; job: BuildJob }
  | { kind: 'encode'; job: EncodeJob }
  | { kind: 'serve'; job: ServeJob };
export type Report = BuildReport | EncodeReport | ServeReport;
export type Message =
  | { kind: 'progress'; progress: BuildProgress }
  | { kind: 'say'; line: string }
  | { kind: 'done'; report: Report };

/** Runs `job` in a new process, within `group` if there is one. */
export async function runJob<Own extends Report>(
  job: Job,
  group: ControlGroup | null,
  onProgress: (progress: BuildProgress) => void,
): Promise<Own> {
  const file = fileURLToPath(new URL(`./${job.kind}-child.js`, import.meta.url));
  const command = [process.execPath, file];
  const [program, args] = group?.wrap(command) ?? [process.execPath, [file]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let report: Own | undefined;
  child.on('message', (message: Message) => {
    if (message.kind === 'progress') onProgress(message.progress);
    else if (message.kind === 'say') process.stderr.write(`${message.line}\n`);
    else report = message.report as Own;
  });
  child.send(job);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  if (report !== undefined && code === 0) return report;
  throw new CorvidError('ERR_IO', `the process that was to ${job.kind} did not finish`, {
    actual: signal === null ? `exit code ${code}` : `ended by ${signal}`,
    hint:
      signal === 'SIGKILL'
        ? 'the kernel ends what needs more memory than the limit; run again with --resume'
        : 'see the messages above',
  });
}

/** In a child: takes the job, sends what `work` reports, and ends; at once if the parent is gone. */
export function answerJob<J extends Job>(work: (job: J['job']) => Promise<object>): void {
  // Not by exit(), which would wait for native work that may take minutes.
  const orphaned = () => process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', orphaned);
  process.once('message', async (message: J) => {
    try {
      const report = await work(message.job);
      process.off('disconnect', orphaned);
      process.send?.({ kind: 'done', report }, () => process.disconnect());
    } catch (error) {
      process.off('disconnect', orphaned);
      process.stderr.write(`${(error as Error).stack ?? error}\n`);
      process.exitCode = 1;
      process.disconnect();
    }
  });
}

export function tell(message: Message): void {
  process.send?.(message);
}

/** This process so far; zeros where there is no /proc. */
export function accountOfProcess(): ProcessAccount {
  const field = (file: string, name: string, unit: number) => {
    try {
      const line = readFileSync(`/proc/self/${file}`, 'utf8').match(
        new RegExp(`^${name}:\\s+(\\d+)`, 'm'),
      );
      return Number(line?.[1] ?? 0) * unit;
    } catch {
      return 0;
    }
  };
  return {
    peakRssBytes: field('status', 'VmHWM', 1024),
    readBytes: field('io', 'read_bytes', 1),
    writtenBytes: field('io', 'write_bytes', 1),
  };
}
