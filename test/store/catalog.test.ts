// The catalog: what is committed is what readers see, and faults are named.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import t from 'tap';
import { Catalog } from '../../src/store/catalog.js';
import {
  CatalogWriter,
  type InitialSettings,
  type NewItem,
} from '../../src/store/catalog-writer.js';

const SETTINGS: InitialSettings = {
  writtenBy: '0.1.0',
  dims: 512,
  encoder: { id: 'abc', model: 'clip-nano' },
  vectors: true,
  hasItems: true,
  nextId: 0,
  recallCard: null,
  build: { levels: [64, 128] },
};

const item = (id: number, more: Partial<NewItem> = {}): NewItem => ({
  id,
  key: `pictures/${id}.jpg`,
  ...more,
});

function inFolder(t: { testdir: () => string }): string {
  return join(t.testdir(), 'catalog.sqlite');
}

t.test('items appear with the commit that raises nextId, and only then', async (t) => {
  const path = inFolder(t);
  const writer = CatalogWriter.create(path, SETTINGS);
  const reader = Catalog.open(path);
  const before = reader.version();
  writer.addItems([item(0), item(1, { taken: '2022-05-01 10:00:00', metadata: { a: [1] } })]);
  t.strictSame(reader.itemsByIds([0, 1]), [null, null]);
  t.equal(reader.itemByKey('pictures/1.jpg'), null);
  t.strictSame([...reader.where('1')], []);
  t.equal(reader.itemCount(), 0);
  writer.commit({
    settings: { nextId: 2 },
    addSegments: [{ number: 3, uuid: 'u', rows: 2, bytes: 9 }],
  });
  t.not(reader.version(), before, 'a reader notices the commit');
  t.match(reader.itemsByIds([1, 7, 0]), [
    { id: 1, metadata: { a: [1] }, damaged: false, width: null },
    null,
    { id: 0 },
  ]);
  t.strictSame(reader.segments(), [{ number: 3, uuid: 'u', rows: 2, bytes: 9 }]);
  t.match(reader.settings(), { ...SETTINGS, nextId: 2, generation: 1 });
  writer.addItems([item(2)]);
  writer.dropUncommitted();
  writer.commit({ settings: { nextId: 3 } });
  t.equal(reader.itemCount(), 2, 'what was dropped does not come back');
  reader.close();
  t.throws(() => reader.itemCount(), { code: 'ERR_CLOSED' });
  writer.close();
});

t.test('removed items stay known by their ids until their rows are gone', async (t) => {
  const path = inFolder(t);
  const writer = CatalogWriter.create(path, { ...SETTINGS, nextId: 100 });
  writer.addItems([]);
  writer.commit({ removeIds: [7, 3, 4, 5, 99] });
  t.strictSame([...writer.removedIds()], [3, 4, 5, 7, 99]);
  t.equal(writer.removedCount(), 5);
  writer.commit({ forgetRemoved: true, removeIds: [1] });
  t.strictSame([...writer.removedIds()], []);
  writer.close();
});

t.test('sources and updated items are kept', async (t) => {
  const path = inFolder(t);
  const writer = CatalogWriter.create(path, SETTINGS);
  writer.addItems([item(0, { source: 1, bytes: 10, modified: '2020-01-01T00:00:00.000Z' })]);
  const source = {
    number: 1,
    path: '/photos',
    type: 'images',
    rows: 1,
    bytes: 10,
    modified: null,
    firstId: null,
    details: { ignore: ['*.tmp'] },
  };
  writer.commit({ settings: { nextId: 1 }, putSources: [source] });
  t.strictSame(writer.sources(), [source]);
  writer.commit({
    updateItems: [item(0, { key: 'moved.jpg', source: 1, sha256: 'ff' })],
    dropSources: [1],
  });
  t.match([...writer.files()], [{ id: 0, sha256: 'ff', bytes: null, caption: null }]);
  const database = new Database(writer.path, { readonly: true });
  const row = database.prepare('SELECT key, source FROM item').get();
  t.strictSame(row, { key: 'moved.jpg', source: 1 });
  database.close();
  t.strictSame(writer.sources(), []);
  writer.close();
});

t.test('where gives sorted ids, compares years with dates, and names the columns', async (t) => {
  const path = inFolder(t);
  const writer = CatalogWriter.create(path, SETTINGS);
  const years = ['2023-02-01 00:00:00', '2021-12-31 23:59:59', '2022-01-01 00:00:00'];
  writer.addItems(years.map((taken, id) => item(id, { taken, path: `/lake/${id}.jpg` })));
  writer.commit({ settings: { nextId: 3 } });
  const reader = Catalog.open(path);
  t.strictSame([...reader.where("taken >= 2022 and path like '%lake%'")], [0, 2]);
  t.strictSame([...reader.where('id = 1 -- a comment')], [1]);
  t.strictSame([...reader.where("path like '%with%' or id = 0")], [0]);
  const endless = 'id in (with c(x) as (select 1 union all select x + 1 from c) select x from c)';
  for (const wrong of ['colour = 3', 'id = ', '', '1; drop table item', 'id = ?', endless]) {
    t.throws(
      () => reader.where(wrong),
      { code: 'ERR_WHERE', path: wrong, expected: /id, key, path, bytes, modified/ },
      `refuses ${wrong}`,
    );
  }
  reader.close();
  writer.close();
});

t.test('two writers do not mix, and an open reader does not stop a writer', async (t) => {
  const path = inFolder(t);
  const writer = CatalogWriter.create(path, SETTINGS);
  const reader = Catalog.open(path);
  t.equal(reader.settings().generation, 0);
  writer.commit({});
  t.equal(reader.settings().generation, 1);
  reader.close();
  writer.close();
});

t.test('a file that is no catalog, or a newer one, is refused by name', async (t) => {
  const path = inFolder(t);
  t.throws(() => Catalog.open(path), { code: 'ERR_NOT_AN_INDEX', path });
  new Database(path).exec('CREATE TABLE other (x)').close();
  t.throws(() => Catalog.open(path), { code: 'ERR_NOT_AN_INDEX', path });
  writeFileSync(path, 'no database at all, but long enough to have a header of SQLite: '.repeat(9));
  t.throws(() => Catalog.open(path), { code: 'ERR_FORMAT_CORRUPT', path });

  const newer = join(t.testdir({ sub: {} }), 'newer.sqlite');
  CatalogWriter.create(newer, SETTINGS).close();
  const database = new Database(newer);
  database.pragma('user_version = 99');
  database.close();
  for (const open of [Catalog.open, CatalogWriter.open]) {
    t.throws(() => open.call(CatalogWriter, newer), {
      code: 'ERR_FORMAT_TOO_NEW',
      path: newer,
      actual: '99',
      hint: /upgrade/,
    });
  }
});

t.test('a damaged catalog is found', async (t) => {
  const path = inFolder(t);
  const writer = CatalogWriter.create(path, SETTINGS);
  t.strictSame(writer.integrityFaults(), []);
  writer.addItems(Array.from({ length: 2000 }, (_, id) => item(id)));
  writer.commit({ settings: { nextId: 2000 } });
  writer.close();
  const raw = new Database(path, { fileMustExist: true });
  raw.unsafeMode();
  raw.pragma('writable_schema = ON');
  raw.exec(`DELETE FROM setting WHERE name = 'nextId'`);
  raw.close();
  const reader = Catalog.open(path);
  t.throws(() => reader.settings(), { code: 'ERR_FORMAT_CORRUPT', message: /nextId/ });
  reader.close();
});
