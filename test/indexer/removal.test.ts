// What a build is told to remove leaves the index, whether or not it is still there to be indexed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildIndex, openIndex } from '../../src/index.js';
import { copyPictures, NAMES } from './pictures.js';
import { readIndex } from './read-index.js';
import { TinyEmbedder } from './tiny-embedder.js';
import { clusteredVectors, writeNpy } from './vector-files.js';

const DIMS = 64;

t.test('folders and files of images', async (t) => {
  const dir = t.testdir();
  const [one, two] = [copyPictures(join(dir, 'one'), 0, 8), copyPictures(join(dir, 'two'), 8, 6)];
  const out = join(dir, 'photos.corvid');
  const embedder = new TinyEmbedder('a');
  await buildIndex({ sources: [one, two], out, embedder });

  const planned = await buildIndex({ sources: [], remove: [one], out, dryRun: true });
  t.match(planned, { kind: 'images', removed: 8, rows: 14 });
  t.equal((await readIndex(out)).items.length, 14, 'a dry run removes nothing');

  const missing = join(dir, 'three');
  await t.rejects(buildIndex({ sources: [], remove: [one, missing], out }), {
    code: 'ERR_NOT_FOUND',
    path: missing,
  });
  t.equal((await readIndex(out)).items.length, 14, 'nor does a path that is not in the index');
  for (const [sources, remove] of [
    [[one], [one]],
    [[dir], [one]],
    [[join(one, NAMES[0] as string)], [one]],
  ] as [string[], string[]][]) {
    await t.rejects(buildIndex({ sources, remove, out, embedder }), { code: 'ERR_USAGE' });
  }

  const summary = await buildIndex({ sources: [], remove: [one], out });
  t.match(summary, { removed: 8, rows: 6, added: 0 });
  t.ok(existsSync(join(one, NAMES[0] as string)), 'the files stay');
  t.same(
    (await readIndex(out)).items.map(({ key }) => key),
    NAMES.slice(8, 14),
  );
  const file = join(two, NAMES[8] as string);
  t.match(await buildIndex({ sources: [one], remove: [file], out, embedder }), {
    removed: 1,
    added: 8,
    rows: 13,
  });
});

t.test('the last folder: an index without images, to which some can come again', async (t) => {
  const dir = t.testdir();
  const folder = copyPictures(join(dir, 'photos'), 0, 5);
  const out = join(dir, 'photos.corvid');
  const embedder = new TinyEmbedder('a');
  await buildIndex({ sources: [folder], out, embedder });
  t.match(await buildIndex({ sources: [], remove: [folder], out }), { removed: 5, rows: 0 });
  {
    await using index = await openIndex(out, { embedder });
    t.same((await index.search('anything')).hits, []);
    t.equal((await index.info()).images, 0);
  }
  t.match(await buildIndex({ sources: [folder], out, embedder }), { added: 5, rows: 5 });
  await using index = await openIndex(out, { embedder });
  t.equal((await index.search('anything')).hits.length, 5);
});

t.test('files and tables of vectors', async (t) => {
  const dir = t.testdir();
  const [a, b] = ['a.npy', 'b.npy'].map((name) => join(dir, name)) as [string, string];
  writeNpy(a, clusteredVectors(300, DIMS, 1), DIMS);
  writeNpy(b, clusteredVectors(200, DIMS, 2), DIMS);
  const own = clusteredVectors(100, DIMS, 3);
  const table = {
    name: 'mine',
    dims: DIMS,
    rows: 100,
    read: (first: number, rows: number) => own.slice(first * DIMS, (first + rows) * DIMS),
  };
  const out = join(dir, 'v.corvid');
  await buildIndex({ sources: [a, b, table], out });
  t.match(await buildIndex({ sources: [], remove: [a], out }), { removed: 300, rows: 300 });
  t.same((await readIndex(out)).ids.slice(0, 2), [300, 301], 'ids are not given again');
  t.match(await buildIndex({ sources: [b], remove: ['mine'], out }), { removed: 100, rows: 200 });
  await t.rejects(buildIndex({ sources: [], remove: ['mine'], out }), { code: 'ERR_NOT_FOUND' });
});

t.test('without an index there is nothing to remove', async (t) => {
  const out = join(t.testdir(), 'none.corvid');
  await t.rejects(buildIndex({ sources: [], remove: ['x'], out }), { code: 'ERR_NOT_FOUND' });
  t.notOk(existsSync(out));
  await t.rejects(buildIndex({ sources: [], remove: [], out }), { code: 'ERR_USAGE' });
  const remove = 'x' as unknown as string[];
  await t.rejects(buildIndex({ sources: [], remove, out }), { code: 'ERR_USAGE', path: 'remove' });
});
