// ARCHITECTURE.md is a map of the tree: every folder of code is on it.
import { dirname } from 'node:path';
import t from 'tap';
import { filesBelow, NATIVE, read } from './tree.js';

t.test('every folder stands in ARCHITECTURE.md', async (t) => {
  const map = read('ARCHITECTURE.md');
  const folders = new Set(
    [...filesBelow('src', /\.ts$/), ...filesBelow(NATIVE, /\.(h|cc)$/)].map(dirname),
  );
  t.ok(folders.size > 30, 'the folders were found at all');
  for (const top of ['src', NATIVE]) folders.delete(top);
  const missing = [...folders].filter((folder) => !map.includes(`(${folder})`));
  t.strictSame(missing, [], 'link to the folder, as [`query`](src/query)');
});
