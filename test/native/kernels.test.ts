// slow: compiles the kernels and runs them under each instruction set.
//
// The kernels of every instruction set against the scalar reference, by the C++ test beside them:
// on this machine, and for arm64 under emulation where a cross compiler is installed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const source = join(root, 'native-bindings', 'test', 'kernels_test.cc');
const folder = mkdtempSync(join(tmpdir(), 'corvid-kernels-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const found = (command: string) => spawnSync(command, ['--version']).status === 0;

/** The report of the C++ test: one line per instruction set and kernel. */
function report(command: string, args: string[]) {
  const run = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 24 });
  const lines = run.stdout.split('\n');
  return {
    status: run.status,
    seed: lines.find((line) => line.startsWith('# seed')) ?? 'no seed',
    checks: lines.filter((line) => /^(not )?ok /.test(line)),
    errors: run.stderr,
  };
}

function runSuite(t: Test, compiler: string, extra: string[], runner: string[]): string[] {
  const binary = join(folder, `kernels-${compiler}`);
  const script = join(root, 'scripts', 'compile-kernels');
  const compiled = spawnSync('bash', [script, source, binary, compiler, ...extra], {
    encoding: 'utf8',
  });
  t.equal(compiled.status, 0, 'compiles');
  t.equal(compiled.stderr, '', 'without a warning');
  const [command = binary, ...args] = [...runner, binary];
  const { status, seed, checks, errors } = report(command, args);
  t.comment(seed, errors);
  for (const line of checks) t.ok(line.startsWith('ok'), line.replace(/^(not )?ok \d+ - /, ''));
  t.equal(status, 0, `no check failed (${seed})`);
  return checks;
}

const compiler = process.env.CXX ?? 'c++';
const noCompiler = found(compiler) ? false : `no C++ compiler ${compiler}`;

t.test(
  'kernels of every instruction set of this machine equal the scalar ones',
  { skip: noCompiler },
  async (t) => {
    const checks = runSuite(t, compiler, [], []);
    t.ok(
      checks.some((line) => line.includes('canary')),
      'the canary was run',
    );
  },
);

const cross = 'aarch64-linux-gnu-g++';
const emulator = 'qemu-aarch64-static';
const noCross = found(cross) && found(emulator) ? false : `${cross} or ${emulator} is missing`;

t.test('NEON kernels equal the scalar ones under emulation', { skip: noCross }, async (t) => {
  const checks = runSuite(t, cross, ['-static'], [emulator]);
  t.ok(
    checks.some((line) => line.includes('neon: scan_tables')),
    'NEON was tested',
  );
});
