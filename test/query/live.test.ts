// slow: searches while builds go on.
//
// Readers while a build commits; and answers on every instruction set.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { addPart } from '../../bench/vector-index.js';
import { type Hit, openIndex } from '../../src/index.js';
import { native } from '../../src/native/addon.js';
import { IndexWriter } from '../../src/store/index-folder.js';
import { clusteredVectors, makeIndex, rowOf } from './fixture.js';

const DIMS = 96;
const ROWS = 3000;
const all = clusteredVectors(ROWS, DIMS, 40, 9);
const first = all.slice(0, 2000 * DIMS);
const second = all.slice(2000 * DIMS);

t.test('every instruction set gives the same answers', async (t) => {
  const path = await makeIndex({ dims: DIMS, parts: [all] });
  const script = fileURLToPath(new URL('./answers.js', import.meta.url));
  const queries = JSON.stringify([3, 700, 2100].map((row) => [...rowOf(all, DIMS, row)]));
  const levels = native.simdLevels();
  t.ok(levels.includes('scalar'));
  const answers = levels.map((simd) => {
    const env = { ...process.env, CORVID_SIMD: simd };
    const output = execFileSync(process.execPath, [script, path, queries], { env });
    const { simd: used, answers } = JSON.parse(output.toString());
    t.equal(used, simd);
    return JSON.stringify(answers);
  });
  for (const answer of answers) t.equal(answer === answers[0], true);
});

t.test('a search reads the last commit, an iteration the one it began with', async (t) => {
  const path = await makeIndex({ dims: DIMS, train: all, parts: [first] });
  await using index = await openIndex(path);
  const query = rowOf(all, DIMS, 2500);
  const before = (await index.search(query, { limit: 100 })).hits;
  t.notOk(before.some(({ id }) => id >= 2000));
  const iteration = index.iterate(query);
  const given: Hit[] = [(await iteration.next()).value];

  const writer = IndexWriter.open(path);
  try {
    const codec = native.openCodec(`${path}/${writer.catalog.settings().codec?.name}`);
    await addPart(writer, codec, second, 2000, { dims: DIMS });
    const after = await index.search(query);
    t.equal(after.hits[0]?.id, 2500, 'a new image is found');
    t.equal(after.rows, ROWS);
    t.equal((await index.info()).segments, 2);
    // The old segment is dropped, with its files.
    writer.publish({
      dropSegments: [writer.catalog.segments()[0]?.number as number],
      removeIds: Array.from({ length: 2000 }, (_, id) => id),
      forgetRemoved: true,
    });
  } finally {
    writer.close();
  }
  const now = await index.search(query, { limit: 1000 });
  t.equal(now.rows, 1000);
  t.equal(now.hits.length, 1000);
  t.ok(now.hits.every(({ id }) => id >= 2000));
  for await (const hit of iteration) {
    given.push(hit);
    if (given.length === 100) break;
  }
  t.same(
    given.map(({ id }) => id),
    before.map(({ id }) => id),
    'what an iteration began with stays readable',
  );
});

t.test('an item removed during an iteration is not a hit of it', async (t) => {
  const item = (id: number) => ({ key: `${id}.jpg` });
  const path = await makeIndex({ dims: DIMS, train: all, parts: [first], item });
  await using index = await openIndex(path);
  const query = rowOf(all, DIMS, 77);
  const before = (await index.search(query, { limit: 50 })).hits;
  const iteration = index.iterate(query, { limit: 5 });
  const given: Hit[] = [(await iteration.next()).value];
  const gone = before[30]?.id as number;
  const writer = IndexWriter.open(path);
  try {
    writer.publish({ removeIds: [gone] });
  } finally {
    writer.close();
  }
  for await (const hit of iteration) {
    given.push(hit);
    if (given.length === 49) break;
  }
  t.same(
    given,
    before.filter(({ id }) => id !== gone),
  );
});

t.test('consecutive searches yield to the event loop', async (t) => {
  const path = await makeIndex({ dims: DIMS, train: all, parts: [first] });
  await using index = await openIndex(path);
  let ticks = 0;
  const timer = setInterval(() => {
    ticks++;
  }, 1);
  const start = performance.now();
  let searches = 0;
  while (ticks < 5 && performance.now() - start < 5000) {
    await index.search(rowOf(all, DIMS, searches++ % 2000), { effort: 0 });
  }
  clearInterval(timer);
  t.ok(ticks >= 5, `${ticks} ticks while ${searches} searches went on`);
});

t.test('searches succeed while a build commits', async (t) => {
  const path = await makeIndex({ dims: DIMS, train: all, parts: [first] });
  await using index = await openIndex(path, { threads: 2 });
  let stop = false;
  let searches = 0;
  let short = 0;
  const clients = Array.from({ length: 4 }, async (_, client) => {
    while (!stop) {
      const query = rowOf(all, DIMS, (searches * 7 + client) % 2000);
      const { hits } = await index.search(query, { effort: client / 4 });
      if (hits.length !== 10) short++;
      searches++;
    }
  });
  const writer = IndexWriter.open(path);
  try {
    const codec = native.openCodec(`${path}/${writer.catalog.settings().codec?.name}`);
    for (let part = 0; part < 10; part++) {
      const rows = second.slice(part * 100 * DIMS, (part + 1) * 100 * DIMS);
      await addPart(writer, codec, rows, 2000 + part * 100, { dims: DIMS });
      const [oldest] = writer.catalog.segments().slice(1);
      if (part % 3 === 2) writer.publish({ dropSegments: [oldest?.number as number] });
      const atCommit = searches;
      while (searches < atCommit + 4) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    writer.close();
    stop = true;
  }
  await Promise.all(clients);
  t.equal(short, 0, 'every search gave its ten hits');
});

t.test('an index without its longest plane answers, and reports the missing level', async (t) => {
  const path = await makeIndex({ dims: DIMS, parts: [first], levels: [64] });
  const longer = await makeIndex({ dims: 128, parts: [clusteredVectors(2000, 128, 20, 4)] });
  rmSync(join(longer, 'segments', '000002', 'plane-128.bin'));
  await using short = await openIndex(longer);
  const info = await short.info();
  t.same(info.levels, [64]);
  t.same(info.missingLevels, [128]);
  const result = await short.search({ item: 5 });
  t.equal(result.hits.length, 10);
  t.same(result.levels, [64]);
  await t.rejects(short.search({ item: 5 }, { levels: [64, 128] }), { code: 'ERR_USAGE' });
  await using whole = await openIndex(path);
  t.same((await whole.info()).missingLevels, []);
});

t.test('an index whose items were all removed has no hits', async (t) => {
  const path = await makeIndex({ dims: DIMS, train: all, parts: [first] });
  await using index = await openIndex(path);
  const query = rowOf(all, DIMS, 1);
  const writer = IndexWriter.open(path);
  const empty = async () => {
    for (const options of [{}, { exact: true }, { effort: 1 }, { where: 'id > 3' }]) {
      const { hits, rows } = await index.search(query, options);
      t.same([hits, rows], [[], 0]);
    }
    t.same(await index.searchBatch([query, query]).then((all) => all.flatMap((r) => r.hits)), []);
    t.same(await index.iterate(query).next(), { done: true, value: undefined });
    t.equal((await index.info()).images, 0);
  };
  try {
    writer.publish({ removeIds: Array.from({ length: 2000 }, (_, id) => id) });
    await empty();
    const dropSegments = writer.catalog.segments().map(({ number }) => number);
    writer.publish({ dropSegments, forgetRemoved: true });
    await empty();
  } finally {
    writer.close();
  }
});
