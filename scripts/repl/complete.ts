// What Tab offers: commands, files for those that take one, columns for `.where`.
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Columns of the catalog's view `items` that people filter by. */
const COLUMNS = [
  'path',
  'key',
  'taken',
  'modified',
  'bytes',
  'width',
  'height',
  'latitude',
  'longitude',
  'caption',
  'metadata',
  'damaged',
];

const TAKES_A_FILE = new Set(['.image', '.sheet']);

/** @returns what may stand in place of `fragment`, the end of the line, as readline wants it */
export function completions(line: string, commands: Iterable<string>): [string[], string] {
  if (!line.startsWith('.')) return [[], line];
  const space = line.indexOf(' ');
  if (space < 0) return [[...commands].filter((name) => name.startsWith(line)), line];
  const command = line.slice(0, space);
  const fragment = line.slice(space + 1).trimStart();
  if (TAKES_A_FILE.has(command)) return [files(fragment), fragment];
  if (command === '.where') {
    const word = /[a-z]*$/i.exec(fragment)?.[0] ?? '';
    return [word === '' ? COLUMNS : COLUMNS.filter((name) => name.startsWith(word)), word];
  }
  return [[], line];
}

function files(fragment: string): string[] {
  const folder = fragment.endsWith('/') ? fragment : dirname(fragment);
  const start = fragment.endsWith('/') ? '' : basename(fragment);
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start))
      .map((entry) => `${join(folder, entry.name)}${entry.isDirectory() ? '/' : ''}`)
      .map((path) => (fragment.startsWith('./') ? `./${path}` : path));
  } catch {
    // No such folder (yet): there is nothing to offer, and nothing to complain of while typing.
    return [];
  }
}
