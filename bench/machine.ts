// The machine that a bench ran on, and the record of what it measured there.
//
// A record is one JSON file under bench/record/, named by bench, processor and date. Records are
// committed; they name no host and no user.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { native } from '../src/native/addon.js';

export interface Machine {
  processor: string;
  cores: number;
  /** Instruction set that the kernels use. */
  simd: string;
  memoryBytes: number;
  platform: string;
  node: string;
}

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const RECORDS = join(ROOT, 'bench', 'record');

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    simd: native.simdLevel(),
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}

/** One line for tables and logs. */
export function machineLine({ processor, cores, simd, memoryBytes, node }: Machine): string {
  const gigabytes = (memoryBytes / 2 ** 30).toFixed(0);
  return `${processor}, ${cores} cores, ${simd}, ${gigabytes} GiB, Node ${node}`;
}

/** Path of today's record of a bench on this machine. @param ending e.g. "json" */
export function recordPath(bench: string, ending: string): string {
  const { processor, simd } = describeMachine();
  const slug = `${processor} ${simd}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const day = new Date().toISOString().slice(0, 10);
  mkdirSync(RECORDS, { recursive: true });
  return join(RECORDS, `${bench}-${slug}-${day}.${ending}`);
}

/** What replaces paths in records, by the option before: paths mean nothing on another machine. */
const PATHS: Readonly<Record<string, string>> = {
  '--train': '<embeddings>',
  '--base': '<embeddings>',
  '--real': '<embeddings>',
  '--index': '<index>',
  '--out': '<folder>',
};

/** Writes `result` with the machine and the date. Prints the path to stderr. */
export function writeRecord(bench: string, args: readonly string[], result: object): void {
  const path = recordPath(bench, 'json');
  const record = {
    bench,
    arguments: args.map((arg, i) => PATHS[args[i - 1] ?? ''] ?? arg),
    date: new Date().toISOString(),
    machine: describeMachine(),
    result,
  };
  // The result may contain the same paths, or files below them.
  const text = args.reduce(
    (written, arg, i) => {
      const shown = PATHS[args[i - 1] ?? ''];
      if (shown === undefined) return written;
      const below = written.replaceAll(JSON.stringify(resolve(arg)).slice(0, -1), `"${shown}`);
      return below.replaceAll(JSON.stringify(arg), `"${shown}"`);
    },
    JSON.stringify(record, null, 2),
  );
  writeFileSync(path, `${text}\n`);
  process.stderr.write(`record: ${relative(ROOT, path)}\n`);
}
