// Runs the tests (built output, by tap) and closes with the plain line `N passed, N failed`.
//
// usage: node scripts/test.mjs [part of a test file's path …]
// Without words all of dist/test runs. The TAP stream of the last run is kept in dist/test.tap.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const wanted = process.argv.slice(2);
const files = readdirSync(join(root, 'dist', 'test'), { recursive: true })
  .map((name) => join('dist', 'test', String(name)))
  .filter((path) => path.endsWith('.test.js'))
  // What was compiled from a source that is gone is no test any more.
  .filter((path) => existsSync(join(root, path.replace(/^dist/, '').replace(/js$/, 'ts'))))
  .filter((path) => wanted.length === 0 || wanted.some((word) => path.includes(word)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches: ${wanted.join(' ')}`);
  process.exit(2);
}

const tap = createRequire(import.meta.url).resolve('tap/package.json');
const stream = join(root, 'dist', 'test.tap');
rmSync(stream, { force: true });
const run = spawnSync(
  process.execPath,
  [
    join(dirname(tap), 'dist', 'esm', 'run.mjs'),
    '--disable-coverage',
    '--allow-empty-coverage',
    '--jobs=2',
    '--timeout=240',
    `--reporter=${process.stdout.isTTY ? 'base' : 'terse'}`,
    `--output-file=${stream}`,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);

// The stream's last `# { total: … }` line counts every assertion of every file.
const totals = [...readFileSync(stream, 'utf8').matchAll(/^# \{ ([^}]*) \}$/gm)].at(-1)?.[1] ?? '';
const count = (word) => Number(new RegExp(`${word}: (\\d+)`).exec(totals)?.[1] ?? 0);
const failed = count('fail');
// A runner that died without a failed assertion has failed all the same.
const broken = run.status === 0 || failed > 0 ? failed : 1;
if (count('skip') > 0) console.log(`\n${count('skip')} skipped: the output above says why`);
console.log(`\n${count('pass')} passed, ${broken} failed`);
process.exit(broken === 0 ? 0 : 1);
