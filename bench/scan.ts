// bench scan: the kernels of every instruction set of this machine, in cache and from memory.
//
// usage: npm run bench -- scan [--bytes 1073741824] [--threads n] [--json] [--record]
//
// Compiles native-bindings/bench/kernels_bench.cc with the flags of the addon and runs it; it checks
// every result against the scalar kernels. `--bytes` is the size of the data that is streamed
// from memory, by one thread and by `--threads`, beside a plain read of the same bytes.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CorvidError } from '../src/errors.js';
import { describeMachine, machineLine, writeRecord } from './machine.js';

export const describe = 'the kernels of every instruction set, in cache and from memory';

/** One line of kernels_bench: time of one `unit` (a row, a call, a GFLOP) of one case. */
interface KernelTime {
  part: 'cache' | 'memory';
  level: string;
  kernel: string;
  case: string;
  threads: number;
  unit: 'row' | 'call' | 'GFLOP';
  bestNs: number;
  medianNs: number;
  /** Rate of reading at the best time; 0 where it has no meaning. */
  gigabytesPerSecond: number;
}

interface ScanBench {
  bytes: number;
  threads: number;
  /** Load of the machine before the run. */
  loadAverage: number[];
  measured: KernelTime[];
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const PLAIN_READ = 'plain read';
/** Level of measurements that no instruction set affects. */
const ANY = 'any';

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      bytes: { type: 'string', default: String(2 ** 30) },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  const [bytes, threads] = [Number(values.bytes), Number(values.threads)];
  const loadAverage = loadavg();
  const result: ScanBench = { bytes, threads, loadAverage, measured: measure(bytes, threads) };
  if (values.record) writeRecord('scan', args, result);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
}

function measure(bytes: number, threads: number): KernelTime[] {
  const folder = mkdtempSync(join(tmpdir(), 'corvid-scan-'));
  try {
    const program = join(folder, 'kernels_bench');
    const source = join(root, 'native-bindings', 'bench', 'kernels_bench.cc');
    runProgram('bash', [join(root, 'scripts', 'compile-kernels'), source, program]);
    process.stderr.write('compiled; measuring takes about a minute\n');
    return runProgram(program, [String(bytes), String(threads)])
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as KernelTime);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns what the program wrote to stdout */
function runProgram(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  if (status === 0) return stdout;
  throw new CorvidError('ERR_NATIVE', 'the bench of the kernels failed', {
    path: command,
    actual: (error?.message ?? stderr).trim(),
    hint: 'a C++17 compiler and bash are needed',
  });
}

function table({ bytes, loadAverage, measured }: ScanBench): string {
  const levels = [...new Set(measured.map(({ level }) => level))].filter((level) => level !== ANY);
  const section = (part: KernelTime['part'], title: string, cell: (of: KernelTime) => string) => {
    const cases = measured.filter((m) => m.part === part);
    const rows = [...new Set(cases.map(nameOf))].map((name) => [
      name,
      ...levels.map((level) => {
        const found = cases.find((m) => nameOf(m) === name && [level, ANY].includes(m.level));
        return found === undefined ? '' : cell(found);
      }),
    ]);
    return `\n${[[title, ...levels], ...rows].map(columns).join('\n')}\n`;
  };
  const gibibytes = (bytes / 2 ** 30).toFixed(2);
  const load = loadAverage.map((l) => l.toFixed(1)).join(' ');
  return (
    `${machineLine(describeMachine())}; load before ${load}; best times\n` +
    section('cache', 'in cache', speed) +
    section('memory', `from ${gibibytes} GiB; share of a plain read's speed`, (m) =>
      `${speed(m)} ${share(m, measured)}`.trimEnd(),
    )
  );
}

function columns([name, ...cells]: string[]): string {
  return `${name?.padEnd(56)}${cells.map((cell) => cell.padStart(19)).join('')}`;
}

function nameOf({ kernel, case: name, threads }: KernelTime): string {
  return `${kernel}, ${name}${threads === 1 ? '' : `, ${threads} threads`}`;
}

function speed({ unit, bestNs }: KernelTime): string {
  if (unit === 'GFLOP') return `${(1e9 / bestNs).toFixed(1)} GFLOP/s`;
  return unit === 'row' ? `${bestNs.toFixed(3)} ns/row` : `${bestNs.toFixed(0)} ns`;
}

function share(of: KernelTime, measured: readonly KernelTime[]): string {
  const plain = measured.find((m) => m.kernel === PLAIN_READ && m.threads === of.threads);
  if (plain === undefined || plain === of) return '';
  return `${((100 * of.gigabytesPerSecond) / plain.gigabytesPerSecond).toFixed(0)} %`;
}
