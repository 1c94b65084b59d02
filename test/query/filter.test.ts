// Filters: hits satisfy the condition, there are as many as exist, and removed items are never hits.
import t from 'tap';
import { openIndex } from '../../src/index.js';
import { IndexWriter } from '../../src/store/index-folder.js';
import { clusteredVectors, makeIndex, nearest, recall, rowOf, sharedIndex } from './fixture.js';

const DIMS = 96;
const ROWS = 6000;
const all = clusteredVectors(ROWS, DIMS, 60, 2);
const halves = [all.slice(0, (ROWS / 2) * DIMS), all.slice((ROWS / 2) * DIMS)];
const queries = Array.from({ length: 25 }, (_, i) => rowOf(all, DIMS, i * 231 + 5));
const item = (id: number) => ({
  key: `album/${String(id).padStart(5, '0')}.jpg`,
  path: `/pictures/album/${id}.jpg`,
  width: 100 + (id % 7),
  height: 80,
  taken: `20${10 + (id % 10)}-05-0${1 + (id % 9)} 10:00:00`,
  latitude: id % 100,
  metadata: { shelf: id % 20 },
});

const codes = () => sharedIndex('codes', { dims: DIMS, parts: [all], item });
const withVectors = () =>
  sharedIndex('vectors', { dims: DIMS, train: all, parts: halves, vectors: true, item });

t.test('a filter keeps its hits at any share of the rows', async (t) => {
  const path = await withVectors();
  await using index = await openIndex(path);
  const unfiltered = await meanRecall(() => true);
  const cases: [where: string, keep: (id: number) => boolean][] = [
    ['id % 2 = 0', (id) => id % 2 === 0],
    [`json_extract(metadata, '$.shelf') = 3`, (id) => id % 20 === 3],
    ['latitude = 7 and width > 102', (id) => id % 100 === 7 && id % 7 > 2],
    ['id in (17, 4100, 5999)', (id) => [17, 4100, 5999].includes(id)],
  ];
  for (const [where, keep] of cases) {
    const kept = Array.from({ length: ROWS }, (_, id) => id).filter(keep).length;
    for (const query of queries.slice(0, 5)) {
      const { hits, matchingRows, rows } = await index.search(query, { where, limit: 10 });
      t.equal(rows, ROWS);
      t.equal(matchingRows, kept);
      t.equal(hits.length, Math.min(10, kept), where);
      t.ok(hits.every(({ id }) => keep(id)));
    }
    const filtered = await meanRecall(keep, where);
    t.ok(filtered >= unfiltered - 0.02, `${where}: recall ${filtered}, unfiltered ${unfiltered}`);
  }

  async function meanRecall(keep: (id: number) => boolean, where?: string): Promise<number> {
    let sum = 0;
    for (const query of queries) {
      const { hits } = await index.search(query, { where });
      const neighbours = nearest(all, query, 10, keep);
      sum += recall(
        hits.map(({ id }) => id),
        neighbours,
      );
    }
    return sum / queries.length;
  }
});

t.test('a rare filter is exact without a scan', async (t) => {
  const path = await withVectors();
  await using index = await openIndex(path);
  const where = 'id % 500 = 1';
  const result = await index.search(queries[0] as Float32Array, { where, limit: 16 });
  t.equal(result.exact, true);
  t.equal(result.scannedRows, 0);
  t.equal(result.hits.length, 12);
});

t.test('a condition that no row satisfies gives no hits', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const result = await index.search(queries[0] as Float32Array, { where: 'id < 0' });
  t.same(result.hits, []);
  t.equal(result.matchingRows, 0);
});

t.test('dates compare as text, with quotes or without', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  for (const where of ['taken >= 2017', `taken >= '2017'`, `taken >= '2017-01-01'`]) {
    const { matchingRows } = await index.search(queries[0] as Float32Array, { where });
    t.equal(matchingRows, (ROWS * 3) / 10, where);
  }
});

t.test('hits carry the fields of the catalog', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const { hits } = await index.search(rowOf(all, DIMS, 42));
  t.match(hits[0], {
    id: 42,
    key: 'album/00042.jpg',
    path: '/pictures/album/42.jpg',
    width: 100,
    height: 80,
    takenAt: '2012-05-07 10:00:00',
    latitude: 42,
    longitude: null,
    caption: null,
    metadata: { shelf: 2 },
    damaged: false,
  });
  t.match(await index.get(42), { id: 42, key: 'album/00042.jpg' });
  t.match(await index.get('album/00042.jpg'), { id: 42 });
  t.equal(await index.get(ROWS), null);
  t.equal(await index.get('none'), null);
  const like = await index.search({ item: 'album/00042.jpg' });
  t.notOk(like.hits.some(({ id }) => id === 42));
});

t.test('removed items are not found, also by an index that was open before', async (t) => {
  const path = await makeIndex({ dims: DIMS, train: all, parts: halves, item });
  await using index = await openIndex(path);
  const query = rowOf(all, DIMS, 42);
  t.equal((await index.search(query)).hits[0]?.id, 42);
  const before = (await index.info()).generation;
  const writer = IndexWriter.open(path);
  try {
    writer.publish({ removeIds: [42, 43, 5000] });
  } finally {
    writer.close();
  }
  for (const options of [{}, { exact: true }, { where: 'id < 100' }, { effort: 1 }]) {
    const { hits, rows } = await index.search(query, { ...options, limit: 50 });
    t.equal(rows, ROWS - 3);
    t.equal(hits.length, 50);
    t.notOk(hits.some(({ id }) => [42, 43, 5000].includes(id)));
  }
  t.equal(await index.get(42), null);
  t.equal((await index.info()).images, ROWS - 3);
  t.ok((await index.info()).generation > before);
  await t.rejects(index.search({ item: 42 }), { code: 'ERR_ITEM_NOT_FOUND' });
  t.match(await index.verify(), { files: Number, bytes: Number });
});
