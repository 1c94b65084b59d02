// The messages between the bench and its child processes, and how a child runs in a control group.
// Each kind of work is a separate process, so that the kernel's accounting covers it alone.
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
  /** Queries that are compared with the rows while they are read, and the file of the result. */
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
  /** Half floats to codes: the median over batches. */
  rowsPerSecond: number;
  /** Synthetic rows generated per second, as half floats. */
  made: number;
}

export interface ServeJob {
  path: string;
  /** queries x dims: those whose neighbours are known, then others. */
  queries: Float32Array;
  /** The ten nearest rows of each of the first queries. */
  truth: Float64Array;
  /** Share of them that the first 300 hits must hold. */
  targetRecall: number;
}

/** Memory and I/O of one process, from /proc. */
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
  /** Read from the disk per query. */
  readBytesPerQuery: number;
}

/** Measurements at the chosen effort: by 64 bits alone, or refined by all levels. */
export interface EffortReport {
  levels: number[];
  effort: number;
  /** Share of the float ten nearest in the first 300 hits, and in the first ten. */
  recallWithin300: number;
  recallWithin10: number;
  meanScannedRows: number;
  meanProbedLists: number;
  /** New queries, then the same again. Milliseconds, 300 hits each. */
  fresh: Latency;
  repeated: Latency;
  batchQueriesPerSecond: number;
}

export interface ServeReport {
  info: IndexInfo;
  openMs: number;
  /** The first queries, with nothing in memory. */
  cold: Latency;
  /** Recall and median latency by effort, for each choice of levels. */
  efforts: {
    levels: number[];
    effort: number;
    recallWithin300: number;
    recallWithin10: number;
    p50: number;
  }[];
  asked: EffortReport[];
  /** All 64-bit codes: scored, and only read. Seconds; the first scan reads from the disk. */
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
  | { kind: 'log'; line: string }
  | { kind: 'done'; report: Report };

/** Runs `job` in a new process, within `group` if there is one. */
export async function runJob<R extends Report>(
  job: Job,
  group: ControlGroup | null,
  onProgress: (progress: BuildProgress) => void,
): Promise<R> {
  const file = fileURLToPath(new URL(`./${job.kind}-child.js`, import.meta.url));
  const command = [process.execPath, file];
  const [program, args] = group?.wrap(command) ?? [process.execPath, [file]];
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  let report: R | undefined;
  child.on('message', (message: Message) => {
    if (message.kind === 'progress') onProgress(message.progress);
    else if (message.kind === 'log') process.stderr.write(`${message.line}\n`);
    else report = message.report as R;
  });
  child.send(job);
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve([code, signal]));
  });
  if (report !== undefined && code === 0) return report;
  throw new CorvidError('ERR_IO', `the ${job.kind} process did not finish`, {
    actual: signal === null ? `exit code ${code}` : `ended by ${signal}`,
    hint:
      signal === 'SIGKILL'
        ? 'the kernel kills a process that needs more memory than the limit; run again with --resume'
        : 'see the messages above',
  });
}

/** In a child: takes the job, sends the report of `work`, and ends; at once if the parent is gone. */
export function answerJob<J extends Job>(work: (job: J['job']) => Promise<object>): void {
  // exit() would wait for native work, which may take minutes.
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

export function send(message: Message): void {
  process.send?.(message);
}

/** Of this process so far; zeros where there is no /proc. */
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
