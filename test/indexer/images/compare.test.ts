// What a second build makes of files that are new, changed, gone, bad or out of sight.
import { rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { compareImages } from '../../../src/indexer/images/compare.js';
import { readSkipped, writeSkipped } from '../../../src/indexer/images/skipped.js';
import type { SkippedFile } from '../../../src/indexer/settings/options.js';
import { openSources } from '../../../src/indexer/sources/open.js';
import type { KnownFile } from '../../../src/store/catalog.js';
import { catalogTime } from '../../../src/store/catalog-writer.js';

const MODIFIED_MS = 1_600_000_000_250;
const options = { signal: undefined, onFile: () => {} };

async function openImages(...paths: string[]) {
  const opened = await openSources(paths, {});
  if (opened.kind !== 'images') throw new Error('expected images');
  return opened;
}

function known(id: number, path: string, bytes = 3): KnownFile {
  const captionFields = { caption: null, metadata: null };
  return { id, path, bytes, modified: catalogTime(MODIFIED_MS), sha256: 'x', ...captionFields };
}

function folder(t: Test, names: string[]): string {
  const dir = t.testdir(Object.fromEntries(names.map((name) => [name, 'abc'])));
  for (const name of names) utimesSync(join(dir, name), 0, MODIFIED_MS / 1000);
  return dir;
}

t.test('size and time tell what must be read', async (t) => {
  const dir = folder(t, ['same.jpg', 'new.jpg', 'longer.jpg', 'touched.jpg']);
  utimesSync(join(dir, 'touched.jpg'), 0, 1);
  const catalog = [
    known(1, join(dir, 'same.jpg')),
    known(2, join(dir, 'longer.jpg'), 2),
    known(3, join(dir, 'touched.jpg')),
    known(4, join(dir, 'gone.jpg')),
    known(5, join(`${dir}2`, 'elsewhere.jpg')),
  ];
  const result = await compareImages(await openImages(dir), catalog, new Map(), options);
  t.equal(result.unchanged, 1);
  t.same(
    result.pending.map(({ key, previous }) => [key, previous?.id ?? null]),
    [
      ['longer.jpg', 2],
      ['new.jpg', null],
      ['touched.jpg', 3],
    ],
  );
  t.same(
    result.vanished.map(({ id }) => id),
    [4],
    'other folders are left alone',
  );
});

t.test('what cannot be looked at is not taken for gone', async (t) => {
  const dir = folder(t, ['a.jpg', 'b.jpg']);
  rmSync(join(dir, 'b.jpg'));
  symlinkSync(join(dir, 'nowhere'), join(dir, 'b.jpg'));
  const catalog = [
    known(1, join(dir, 'a.jpg')),
    known(2, join(dir, 'b.jpg')),
    known(3, join(dir, 'b.jpg', 'below.jpg')),
  ];
  const result = await compareImages(await openImages(dir), catalog, new Map(), options);
  t.same(result.vanished, []);
  t.match(result.unreadable, [{ path: join(dir, 'b.jpg'), code: 'ERR_NOT_FOUND' }]);
});

t.test('a skipped file is tried again only when it has changed or may read now', async (t) => {
  const dir = folder(t, ['bad.jpg', 'mended.jpg', 'locked.jpg']);
  const skip = (name: string, code: string, bytes: number): [string, SkippedFile] => {
    const path = join(dir, name);
    return [path, { path, code, reason: 'r', bytes, modifiedMs: MODIFIED_MS }];
  };
  const skipped = new Map([
    skip('bad.jpg', 'ERR_IMAGE_DECODE', 3),
    skip('mended.jpg', 'ERR_IMAGE_DECODE', 2),
    skip('locked.jpg', 'ERR_PERMISSION', 3),
  ]);
  await writeSkipped(dir, skipped.values());
  const back = await readSkipped(dir);
  t.same(back, skipped);
  const result = await compareImages(await openImages(dir), [], back, options);
  t.same(
    result.stillSkipped.map(({ path }) => path),
    [join(dir, 'bad.jpg')],
  );
  t.same(
    result.pending.map(({ key }) => key),
    ['locked.jpg', 'mended.jpg'],
  );
});

t.test(
  'new captions update the caption fields alone, and absent ones change nothing',
  async (t) => {
    const dir = folder(t, ['a.jpg', 'b.jpg', 'c.jpg']);
    writeFileSync(
      join(dir, 'captions.jsonl'),
      '{"file":"a.jpg","caption":"new"}\n{"file":"b.jpg","caption":"old","n":1}\n',
    );
    const catalog = [
      { ...known(1, join(dir, 'a.jpg')), caption: 'old' },
      { ...known(2, join(dir, 'b.jpg')), caption: 'old', metadata: '{"n":1}' },
      { ...known(3, join(dir, 'c.jpg')), caption: 'kept' },
    ];
    const result = await compareImages(await openImages(dir), catalog, new Map(), options);
    t.same(result.recaptioned, [{ id: 1, caption: 'new', metadata: null }]);
    t.equal(result.pending.length, 0);
  },
);
