// Tab completion: commands, files for those that take one, columns for `.where`.
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

/** @returns completions, and the end of the line that they replace, as readline expects them */
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

/** A command with an argument is completed with a space after it. */
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
    // No such folder (yet): there is nothing to complete, and typing must not raise an error.
    return [];
  }
}
