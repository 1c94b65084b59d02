// How large the tree may grow: lines of a file, files of a folder.
import { dirname } from 'node:path';
import t from 'tap';
import { filesBelow, read } from './tree.js';

const LINES_PER_FILE = 400;
const FILES_PER_FOLDER = 15;

const code = [
  ...['src', 'scripts', 'bench', 'test'].flatMap((folder) => filesBelow(folder, /\.(ts|mjs)$/)),
  ...filesBelow('native-bindings', /\.(h|cc)$/),
];

t.test('no file is too long to read at once', async (t) => {
  t.ok(code.length > 300, 'the files were found at all');
  const long = code
    .map((path) => ({ path, lines: read(path).trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > LINES_PER_FILE);
  t.strictSame(long, []);
});

t.test('no folder holds too many files', async (t) => {
  const folders = new Map<string, Set<string>>();
  // A test folder holds its fixtures too.
  for (const path of code.filter((path) => !path.startsWith('test/'))) {
    // A header and its source count as one.
    const names = folders.get(dirname(path)) ?? new Set();
    folders.set(dirname(path), names.add(path.replace(/\.(h|cc)$/, '')));
  }
  const crowded = [...folders]
    .map(([folder, names]) => ({ folder, files: names.size }))
    .filter(({ files }) => files > FILES_PER_FOLDER);
  t.strictSame(crowded, []);
});
