// Runs the compiled tests by tap; the last line reads `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HELP = `usage: node scripts/test.mjs [--fast] [--grep <name>] [part of a test file's path …]

Runs the compiled tests (npm run build compiles them): all files, or those whose path contains one
of the given parts.

  --fast         leave out the files whose first line is "// slow: <why>"
  --grep <name>  run only the tests of these files whose name matches this regular expression

Examples:
  node scripts/test.mjs query/plan
  node scripts/test.mjs cli/repl --grep 'Tab completes'

The TAP output of the last run is kept in dist/test.tap.`;

/** A file that takes longer in a fast run is reported: it should be marked as slow. */
const FAST_FILE_SECONDS = 10;

const { options, parts } = readCommandLine();

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stream = join(root, 'dist', 'test.tap');

function readCommandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        fast: { type: 'boolean', default: false },
        grep: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (!values.help) return { options: values, parts: positionals };
    console.log(HELP);
    process.exit(0);
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(2);
  }
}

const sourceOf = (path) => join(root, path.replace(/^dist/, '').replace(/js$/, 'ts'));
const isSlow = (path) => /^\/\/ slow: \S/.test(readFileSync(sourceOf(path), 'utf8'));

function testFiles() {
  return (
    readdirSync(join(root, 'dist', 'test'), { recursive: true })
      .map((name) => join('dist', 'test', String(name)))
      .filter((path) => path.endsWith('.test.js'))
      // The compiled file of a deleted source may still be there.
      .filter((path) => existsSync(sourceOf(path)))
      .filter((path) => parts.length === 0 || parts.some((part) => path.includes(part)))
      .filter((path) => !options.fast || !isSlow(path))
      .sort()
  );
}

function runTap(files) {
  const tap = createRequire(import.meta.url).resolve('tap/package.json');
  rmSync(stream, { force: true });
  const { status } = spawnSync(
    process.execPath,
    [
      join(dirname(tap), 'dist', 'esm', 'run.mjs'),
      '--disable-coverage',
      '--allow-empty-coverage',
      '--jobs=2',
      '--timeout=600',
      `--reporter=${process.stdout.isTTY ? 'base' : 'terse'}`,
      `--output-file=${stream}`,
      ...(options.grep === undefined ? [] : [`--grep=${options.grep}`]),
      ...files,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  return { status, output: readFileSync(stream, 'utf8') };
}

function reportSlowFiles(output) {
  for (const [, path, ms] of output.matchAll(/^(?:not )?ok \d+ - (\S+) # time=([\d.]+)ms$/gm)) {
    if (Number(ms) < 1000 * FAST_FILE_SECONDS) continue;
    const seconds = (Number(ms) / 1000).toFixed(0);
    console.log(`\n${path} took ${seconds} s: begin its source with "// slow: <why>"`);
  }
}

const files = testFiles();
if (files.length === 0) {
  console.error(`no test file matches: ${parts.join(' ')}`);
  process.exit(2);
}
const { status, output } = runTap(files);
// The last `# { total: … }` line counts the assertions of all files.
const totals = [...output.matchAll(/^# \{ ([^}]*) \}$/gm)].at(-1)?.[1] ?? '';
const count = (kind) => Number(new RegExp(`${kind}: (\\d+)`).exec(totals)?.[1] ?? 0);
if (options.grep !== undefined && count('pass') + count('fail') === 0) {
  console.error(`no test of these files is named: ${options.grep}`);
  process.exit(2);
}
// A runner that died without a failed assertion has failed all the same.
const failed = status === 0 || count('fail') > 0 ? count('fail') : 1;
// With --grep, what does not match counts as skipped.
if (count('skip') > 0 && options.grep === undefined)
  console.log(`\n${count('skip')} skipped: the output above says why`);
if (options.fast) reportSlowFiles(output);
console.log(`\n${count('pass')} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
