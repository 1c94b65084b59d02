// Routing: the graph finds nearly the lists that brute force over the centroids finds, and its file is
// read only if its checksum matches.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type NativeCodec, native } from '../../src/native/addon.js';
import type { RoutedLists } from '../../src/native/search.js';
import {
  buildRoutingGraph,
  GRAPH_MIN_LISTS,
  needsRoutingGraph,
  Router,
  verifyRoutingFile,
} from '../../src/query/routing/graph.js';
import { clusteredVectors, recall, rowOf } from './fixture.js';

const DIMS = 64;
const LISTS = 512;
const PROBES = 8;
const vectors = clusteredVectors(8192, DIMS, 300, 5);
const folder = mkdtempSync(join(tmpdir(), 'corvid-routing-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

let codec: NativeCodec;
const path = join(folder, 'routing.hnsw');

const fileOf = (name: string) => {
  const bytes = readFileSync(name);
  return { bytes: bytes.length, crc32c: native.crc32c(bytes) };
};

t.before(async () => {
  const training = native.startTraining(vectors, {
    dims: DIMS,
    method: 'trained',
    levels: [64],
    lists: LISTS,
    groups: 1,
    outerGroups: 1,
    seed: 7,
    threads: 2,
  });
  codec = await training.result;
  await buildRoutingGraph(codec, path);
});

t.test('few lists need no graph', async (t) => {
  t.equal(needsRoutingGraph(1), false);
  t.equal(needsRoutingGraph(GRAPH_MIN_LISTS), true);
  const router = new Router(codec, null);
  t.equal(router.ready(PROBES), true);
  t.equal(router.usesGraph(PROBES), false);
});

t.test('the graph finds nearly the lists that brute force finds, best first', async (t) => {
  const router = new Router(codec, { path, file: fileOf(path) });
  t.equal(router.ready(PROBES), false, 'the graph is read when it is needed');
  t.equal(router.ready(LISTS), true, 'most of the lists are found without it');
  await router.load();
  t.equal(router.ready(PROBES), true);
  let found = 0;
  let first = 0;
  const count = 100;
  for (let i = 0; i < count; i++) {
    const query = rowOf(vectors, DIMS, i * 81);
    const exact = codec.nearestLists(query, PROBES);
    const { lists, similarities } = router.byGraph(query, PROBES) as RoutedLists;
    t.same(similarities, Float32Array.from(similarities).sort().reverse(), 'best first');
    t.equal(new Set(lists).size, PROBES);
    found += recall([...lists], [...exact]) / count;
    first += lists[0] === exact[0] ? 1 / count : 0;
  }
  t.ok(found > 0.97, `recall ${found}`);
  t.ok(first > 0.97, `first ${first}`);
});

t.test('the same codec gives the same graph', async (t) => {
  const again = join(folder, 'again.hnsw');
  const progress: number[] = [];
  await buildRoutingGraph(codec, again, { onProgress: (done) => progress.push(done) });
  t.same(readFileSync(again), readFileSync(path));
  t.equal(progress.at(-1), LISTS);
});

t.test('building can be aborted', async (t) => {
  const signal = AbortSignal.abort();
  const building = buildRoutingGraph(codec, join(folder, 'no.hnsw'), { signal });
  await t.rejects(building, { code: 'ERR_ABORTED' });
});

t.test('a damaged graph is refused before it is read', async (t) => {
  const file = fileOf(path);
  const bytes = readFileSync(path);
  const damaged = join(folder, 'damaged.hnsw');
  const cases: [string, Buffer][] = [
    ['cut short', bytes.subarray(0, bytes.length - 8)],
    ['empty', bytes.subarray(0, 0)],
    ['one bit turned', Buffer.from(bytes.map((b, i) => (i === 5000 ? b ^ 1 : b)))],
  ];
  for (const [name, content] of cases) {
    writeFileSync(damaged, content);
    const router = new Router(codec, { path: damaged, file });
    await t.rejects(router.load(), { code: 'ERR_FORMAT_CORRUPT', path: damaged }, name);
  }
  await t.rejects(verifyRoutingFile(join(folder, 'none'), file), { code: 'ERR_NOT_FOUND' });
  await verifyRoutingFile(path, file);
});
