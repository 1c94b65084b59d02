// What Tab offers: commands, files for those that take one, columns for `.where`.
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { COMMANDS, expandHome } from './commands.js';

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

/** @returns what may stand in place of the second, the end of the line, as readline wants it */
export function completions(line: string): [string[], string] {
  if (!line.startsWith('.')) return [[], line];
  const space = line.indexOf(' ');
  if (space < 0) return [commands(line), line];
  const completes = COMMANDS.get(line.slice(0, space))?.completes;
  const argument = line.slice(space + 1).trimStart();
  if (completes === 'file') {
    const fragment = argument.replace(/^[+-]?\s*(?:[\d.]+\*)?["']?/, '');
    return [files(fragment), fragment];
  }
  if (completes === 'column') {
    const word = /[a-z]*$/i.exec(argument)?.[0] ?? '';
    return [COLUMNS.filter((name) => name.startsWith(word)).map((name) => `${name} `), word];
  }
  return [[], line];
}

/** A command that takes something is followed by a blank, so that one can go on typing. */
function commands(start: string): string[] {
  return [...COMMANDS]
    .filter(([name]) => name.startsWith(start))
    .map(([name, { argument }]) => (argument === '' ? name : `${name} `));
}

function files(fragment: string): string[] {
  const folder = /[/~]$/.test(fragment) ? fragment : dirname(fragment);
  const start = fragment.slice(fragment.lastIndexOf('/') + 1);
  try {
    return readdirSync(expandHome(folder), { withFileTypes: true })
      .filter(({ name }) => name.startsWith(start))
      .filter(({ name }) => start !== '' || !name.startsWith('.'))
      .map(
        (entry) =>
          `${fragment.slice(0, fragment.length - start.length)}${entry.name}${entry.isDirectory() ? '/' : ''}`,
      );
  } catch {
    // No such folder (yet): there is nothing to offer, and nothing to complain of while typing.
    return [];
  }
}
