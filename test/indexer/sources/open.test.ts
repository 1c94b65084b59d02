// What a caller may name as a source: folders of images with captions, vectors with metadata, and what
// is refused.
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import type { VectorSource } from '../../../src/formats/vector-source.js';
import { openSources } from '../../../src/indexer/sources/open.js';
import { DIMS, openVectors, readAll, refuses } from '../../formats/read-source.js';
import { npyBytes } from '../vector-files.js';

const FIXTURES = resolve('test/fixtures/vectors');

t.test('the clip-retrieval layout keeps rows and metadata together', async (t) => {
  const dir = t.testdir({ img_emb: {}, metadata: {} });
  for (const part of [0, 1, 2, 10]) {
    const vectors = new Float32Array(3 * DIMS).fill(part + 1);
    writeFileSync(join(dir, `img_emb/img_emb_${part}.npy`), npyBytes('<f4', 3, DIMS, vectors));
    const rows = [0, 1, 2].map((row) => JSON.stringify({ video: part, frame: row }));
    writeFileSync(join(dir, `metadata/metadata_${part}.jsonl`), rows.join('\n'));
  }
  const sources = await openVectors(dir);
  const parts = [];
  for (const source of sources) {
    const { items } = await readAll(source, 2);
    t.same(
      items.map((item) => (item as { metadata: { frame: number } }).metadata.frame),
      [0, 1, 2],
    );
    parts.push((items[0] as { metadata: { video: number } }).metadata.video);
  }
  t.same(parts, [0, 1, 2, 10], 'in the order of the numbers');

  writeFileSync(join(dir, 'metadata/metadata_1.jsonl'), '{"frame": 0}\n');
  await refuses(t, openSources([dir], {}), 'ERR_SOURCE_INVALID', /different numbers of rows/);
});

t.test('metadata may lie beside one file of vectors', async (t) => {
  const dir = t.testdir({ 'm.jsonl': '{"key":"x"}\n{"key":"y"}\n' });
  writeFileSync(join(dir, 'v.npy'), npyBytes('<f4', 2, DIMS, new Float32Array(2 * DIMS)));
  const [source] = await openVectors(join(dir, 'v.npy'), { metadata: join(dir, 'm.jsonl') });
  t.same((await readAll(source as VectorSource, 1)).items, [{ key: 'x' }, { key: 'y' }]);
});

t.test('folders of images are listed with their captions', async (t) => {
  const dir = t.testdir({
    'b.jpg': 'x',
    'IMG_10.JPG': 'x',
    'IMG_2.JPG': 'x',
    'notes.txt': 'x',
    '.hidden.jpg': 'x',
    'live.heic': 'x',
    'captions.jsonl': '{"file": "b.jpg", "caption": "a bee", "season": "May"}\n',
    sub: { 'c.png': 'x', 'metadata.jsonl': '{"file_name": "c.png", "text": "a cat"}\n' },
    thumbs: { 'd.png': 'x' },
    'old.corvid': { 'e.png': 'x' },
    'more.jsonl': '{"file": "b.jpg", "place": "Kew"}\n',
  });
  const opened = await openSources([dir], {
    ignore: ['**/thumbs/**'],
    metadata: join(dir, 'more.jsonl'),
  });
  if (opened.kind !== 'images') throw new Error('expected images');
  t.same(
    opened.files.map((file) => file.key),
    ['b.jpg', 'IMG_2.JPG', 'IMG_10.JPG', 'live.heic', 'sub/c.png'],
  );
  t.same(opened.captions.get(join(dir, 'b.jpg')), {
    caption: 'a bee',
    metadata: { season: 'May', place: 'Kew' },
  });
  t.same(opened.captions.get(join(dir, 'sub/c.png')), { caption: 'a cat' });

  const twice = await openSources([dir, join(dir, 'sub'), join(dir, 'b.jpg')], {});
  if (twice.kind !== 'images') throw new Error('expected images');
  t.equal(twice.files.length, 6, 'a file named twice is listed once');
});

t.test('what cannot be listed is reported, not passed over', async (t) => {
  const dir = t.testdir({ 'a.jpg': 'x' });
  symlinkSync(join(dir, 'gone'), join(dir, 'dangling'));
  const opened = await openSources([dir], {});
  if (opened.kind !== 'images') throw new Error('expected images');
  t.equal(opened.unreadable.length, 1);
  t.equal(opened.unreadable[0]?.path, join(dir, 'dangling'));
});

t.test('sources that cannot be used', async (t) => {
  const dir = t.testdir({ empty: {}, 'a.docx': 'x', images: { 'a.jpg': 'x' }, noext: 'x' });
  writeFileSync(join(dir, 'v.npy'), npyBytes('<f4', 1, DIMS, new Float32Array(DIMS)));
  mkdirSync(join(dir, 'clip/img_emb'), { recursive: true });
  const open = (...paths: string[]) =>
    openSources(
      paths.map((path) => join(dir, path)),
      {},
    );
  await refuses(t, open('missing'), 'ERR_NOT_FOUND');
  await refuses(t, open('empty'), 'ERR_SOURCE_EMPTY');
  await refuses(t, open('a.docx'), 'ERR_SOURCE_UNKNOWN', /\.docx/);
  await refuses(t, open('noext'), 'ERR_SOURCE_UNKNOWN');
  await refuses(t, open('clip'), 'ERR_SOURCE_EMPTY', /img_emb_N/);
  await refuses(t, open('images', 'v.npy'), 'ERR_USAGE', /images and ready-made vectors/);
  await refuses(t, open('v.npy', 'images'), 'ERR_USAGE');
});

t.test('metadata in parquet beside vectors', async (t) => {
  const dir = t.testdir({ img_emb: {}, metadata: {} });
  const vectors = npyBytes('<f4', 5, DIMS, new Float32Array(5 * DIMS));
  writeFileSync(join(dir, 'img_emb/img_emb_0.npy'), vectors);
  copyFileSync(join(FIXTURES, 'metadata-five.parquet'), join(dir, 'metadata/metadata_0.parquet'));
  const [source] = await openVectors(dir);
  const { items } = await readAll(source as VectorSource, 2, 3);
  t.same(items, [
    { caption: 'p3', metadata: { url: 'u' } },
    { caption: 'p4', metadata: { url: 'u' } },
  ]);
});
