// `npm run bench -- <name> [arguments]`: finds the bench of that name beside this file and runs it.
//
// A bench is a file <name>.ts, or a folder <name>/ with a bench.ts, that exports `describe` (one
// line) and `run(args)`. Files that export no `run` are helpers. Results go to stdout,
// progress to stderr.
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CorvidError } from '../src/errors.js';

/** What a bench's module exports. */
export interface Bench {
  /** One line for the list of benches. */
  describe: string;
  /** `args`: what followed the bench's name on the command line. */
  run(args: string[]): Promise<void>;
}

const here = dirname(fileURLToPath(import.meta.url));

/** Module files that may be benches, by name. */
function candidates(): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(here, { withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.js') && entry.name !== 'main.js') {
      found.set(entry.name.slice(0, -'.js'.length), join(here, entry.name));
    }
    const nested = join(here, entry.name, 'bench.js');
    if (entry.isDirectory() && existsSync(nested)) found.set(entry.name, nested);
  }
  return found;
}

async function load(file: string): Promise<Bench | null> {
  const module = (await import(pathToFileURL(file).href)) as Partial<Bench>;
  return module.run === undefined || module.describe === undefined ? null : (module as Bench);
}

async function list(): Promise<void> {
  process.stdout.write('usage: npm run bench -- <name> [arguments]\n\n');
  for (const [name, file] of [...candidates()].sort()) {
    const bench = await load(file);
    if (bench !== null) process.stdout.write(`  ${name.padEnd(10)} ${bench.describe}\n`);
  }
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    await list();
    return name === undefined ? 2 : 0;
  }
  const file = candidates().get(name);
  const bench = file === undefined ? null : await load(file);
  if (bench === null) {
    throw new CorvidError('ERR_USAGE', `there is no bench "${name}"`, {
      hint: 'run "npm run bench" for the list',
    });
  }
  await bench.run(args);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof CorvidError;
  process.stderr.write(`${known ? error.message : ((error as Error)?.stack ?? error)}\n`);
  process.exitCode = known && error.code === 'ERR_USAGE' ? 2 : 1;
}
