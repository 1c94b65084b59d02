// An index of ready-made vectors: ids are positions, sources are skipped, added and removed whole,
// the codec grows with the collection, and vectors that cannot be right are refused.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toHalf } from '../../src/formats/float16.js';
import { buildIndex } from '../../src/indexer/build-index.js';
import type { VectorBatch, VectorTable } from '../../src/indexer/options.js';
import { cosine, readIndex } from './read-index.js';
import { binBytes, clusteredVectors, npyBytes, writeNpy } from './vector-files.js';

const DIMS = 64;
const row = (vectors: Float32Array, i: number) => vectors.subarray(i * DIMS, (i + 1) * DIMS);

t.test('ids are positions over all sources', async (t) => {
  const dir = t.testdir({ v: {} });
  const vectors = clusteredVectors(700, DIMS, 1);
  writeNpy(join(dir, 'v', 'part-2.npy'), vectors.subarray(0, 300 * DIMS), DIMS);
  const halves = toHalf(vectors.subarray(300 * DIMS, 500 * DIMS));
  writeFileSync(join(dir, 'v', 'part-10.npy'), npyBytes('<f2', 200, DIMS, halves));
  const rest = vectors.slice(500 * DIMS).map((value) => value * 7);
  writeFileSync(join(dir, 'v', 'part-11.fbin'), binBytes(200, DIMS, rest));
  const out = join(dir, 'v.corvid');
  const summary = await buildIndex({ sources: [join(dir, 'v')], out });
  t.match(summary, { kind: 'vectors', rows: 700, added: 700, vectors: true, trained: true });
  const index = await readIndex(out);
  t.same(index.items, [], 'bare vectors have no items');
  t.same(
    index.ids,
    Array.from({ length: 700 }, (_, i) => i),
  );
  for (const [id, stored] of index.vectors) {
    if (cosine(row(vectors, id), stored) < 0.995) t.fail(`row ${id}`);
  }
});

t.test('sources are skipped, added, replaced and removed whole', async (t) => {
  const dir = t.testdir({ v: {} });
  const part = (n: number) => join(dir, 'v', `part-${n}.npy`);
  const write = (n: number, rows: number, seed = n) =>
    writeNpy(part(n), clusteredVectors(rows, DIMS, seed), DIMS);
  const out = join(dir, 'v.corvid');
  const build = () => buildIndex({ sources: [join(dir, 'v')], out });
  write(0, 500);
  write(1, 500);
  await build();
  t.match(await build(), { unchanged: 1000, added: 0, trained: false, rows: 1000 });
  t.equal((await readIndex(out)).generation, 1);

  write(2, 300);
  const more = await build();
  t.match(more, { unchanged: 1000, added: 300, trained: false, rows: 1300, segments: 2 });

  rmSync(part(1));
  t.match(await build(), { removed: 500, rows: 800 });
  const index = await readIndex(out);
  t.equal(index.segments, 1, 'so many removed rows are written away');
  t.same(index.ids.slice(498, 502), [498, 499, 1000, 1001]);

  write(2, 200, 77);
  t.match(await build(), { changed: 200, rows: 700 });
  const after = await readIndex(out);
  t.same(after.ids.slice(-1), [1499]);
  t.equal(after.ids.length, 700);
  const vectors = clusteredVectors(200, DIMS, 77);
  t.ok(cosine(row(vectors, 0), after.vectors.get(1300) as Float32Array) > 0.99);
});

t.test('a collection that grows gets a trained codec', async (t) => {
  const dir = t.testdir({ v: {} });
  const out = join(dir, 'v.corvid');
  const vectors = clusteredVectors(9000, DIMS, 5, 60);
  const build = () => buildIndex({ sources: [join(dir, 'v')], out });
  writeNpy(join(dir, 'v', 'a.npy'), vectors.subarray(0, 900 * DIMS), DIMS);
  t.match(await build(), { codec: { method: 'rotation', lists: 1 } });
  writeNpy(join(dir, 'v', 'b.npy'), vectors.subarray(900 * DIMS), DIMS);
  const grown = await build();
  t.match(grown, { trained: true, rows: 9000, segments: 1, codec: { method: 'trained' } });
  t.ok((grown.codec?.lists ?? 0) > 1);
  const index = await readIndex(out);
  let worst = 1;
  for (const [id, stored] of index.vectors) {
    worst = Math.min(worst, cosine(row(vectors, id), stored));
  }
  t.ok(worst > 0.98, `worst cosine ${worst}`);
});

t.test('metadata becomes items', async (t) => {
  const dir = t.testdir({ clip: { img_emb: {}, metadata: {} } });
  for (const part of [0, 1]) {
    const vectors = clusteredVectors(50, DIMS, part + 1);
    writeNpy(join(dir, `clip/img_emb/img_emb_${part}.npy`), vectors, DIMS);
    const lines = Array.from({ length: 50 }, (_, i) =>
      JSON.stringify({ video: part, frame: i, caption: `c${part}-${i}` }),
    );
    writeFileSync(join(dir, `clip/metadata/metadata_${part}.jsonl`), lines.join('\n'));
  }
  const out = join(dir, 'v.corvid');
  t.match(await buildIndex({ sources: [join(dir, 'clip')], out }), { rows: 100 });
  const { items } = await readIndex(out);
  t.equal(items.length, 100);
  t.match(items[63], { id: 63, caption: 'c1-13', metadata: { video: 1, frame: 13 } });
});

t.test("an app's own vectors come as a stream", async (t) => {
  const dir = t.testdir();
  const out = join(dir, 'v.corvid');
  const vectors = clusteredVectors(250, DIMS, 3);
  async function* batches(): AsyncGenerator<VectorBatch> {
    for (let start = 0; start < 250; start += 100) {
      const rows = Math.min(100, 250 - start);
      yield {
        vectors: vectors.slice(start * DIMS, (start + rows) * DIMS),
        items: Array.from({ length: rows }, (_, i) => ({
          key: `k${start + i}`,
          metadata: { text: 'kept as it is' },
        })),
      };
    }
  }
  const stream = () => ({ name: 'mine', dims: DIMS, batches: batches() });
  t.match(await buildIndex({ sources: [stream()], out }), { rows: 250, added: 250 });
  const index = await readIndex(out);
  t.match(index.items[249], { key: 'k249', metadata: { text: 'kept as it is' } });
  t.ok(cosine(row(vectors, 249), index.vectors.get(249) as Float32Array) > 0.99);
  t.notOk(existsSync(join(out, 'staging')), 'what was spooled is gone');
  t.match(await buildIndex({ sources: [stream()], out }), { rows: 250, changed: 250 });
  t.equal((await readIndex(out)).items.length, 250);

  const bad = (batch: VectorBatch, code: string) =>
    t.rejects(
      buildIndex({
        sources: [
          {
            name: 'bad',
            dims: DIMS,
            batches: (async function* () {
              yield batch;
            })(),
          },
        ],
        out: join(dir, 'bad.corvid'),
      }),
      { code },
    );
  await bad({ vectors: new Float32Array(DIMS + 1) }, 'ERR_DIMENSION');
  await bad({ vectors: new Float32Array(DIMS).fill(1), items: [] }, 'ERR_SOURCE_INVALID');
  await bad({ vectors: new Float32Array(0) }, 'ERR_SOURCE_EMPTY');
  await bad({ vectors: [1, 2] as never }, 'ERR_SOURCE_INVALID');
});

t.test("an app's own vectors are read in place from a table", async (t) => {
  const dir = t.testdir();
  const vectors = clusteredVectors(5000, DIMS, 3);
  const read = (first: number, rows: number) =>
    Promise.resolve(vectors.slice(first * DIMS, (first + rows) * DIMS));
  const table = { name: 'mine', dims: DIMS, rows: 5000, read };
  const build = (source: VectorTable, out = join(dir, 'table.corvid')) =>
    buildIndex({ sources: [source], out, lists: 8 });
  t.match(await build(table), { rows: 5000, added: 5000, trained: true });
  const file = join(dir, 'v.npy');
  writeNpy(file, vectors, DIMS);
  await buildIndex({ sources: [file], out: join(dir, 'file.corvid'), lists: 8 });
  const [fromTable, fromFile] = [
    await readIndex(join(dir, 'table.corvid')),
    await readIndex(join(dir, 'file.corvid')),
  ];
  t.same(fromTable.ids, fromFile.ids);
  t.same(fromTable.vectors, fromFile.vectors, 'as from a file with the same rows');

  t.match(await build(table), { unchanged: 5000, added: 0 });
  t.match(await build({ ...table, modifiedMs: 1 }), { unchanged: 0, changed: 5000 });

  const bad = (change: Partial<VectorTable>, code: string) =>
    t.rejects(build({ ...table, ...change }, join(dir, 'bad.corvid')), { code });
  await bad({ rows: 0 }, 'ERR_SOURCE_EMPTY');
  await bad({ rows: 1.5 }, 'ERR_USAGE');
  await bad({ dims: 3 }, 'ERR_SOURCE_INVALID');
  await bad({ read: () => vectors }, 'ERR_SOURCE_INVALID');
  await bad({ read: () => [1, 2] as never }, 'ERR_SOURCE_INVALID');
});

t.test('vectors that cannot be right are refused by row', async (t) => {
  const dir = t.testdir();
  const out = join(dir, 'v.corvid');
  const fails = async (name: string, change: (vectors: Float32Array) => void, text: RegExp) => {
    const vectors = clusteredVectors(30, DIMS, 1);
    change(vectors);
    writeNpy(join(dir, name), vectors, DIMS);
    await t.rejects(buildIndex({ sources: [join(dir, name)], out }), {
      code: 'ERR_VECTOR_INVALID',
      message: text,
    });
  };
  await fails(
    'nan.npy',
    (vectors) => vectors.fill(Number.NaN, 17 * DIMS + 3, 17 * DIMS + 4),
    /row 17/,
  );
  await fails('infinite.npy', (vectors) => vectors.fill(Infinity, 2 * DIMS, 2 * DIMS + 1), /row 2/);
  await fails('zero.npy', (vectors) => vectors.fill(0, 29 * DIMS), /row 29/);

  writeNpy(join(dir, 'good.npy'), clusteredVectors(30, DIMS, 1), DIMS);
  t.match(await buildIndex({ sources: [join(dir, 'good.npy')], out }), { rows: 30 });
  writeNpy(join(dir, 'wide.npy'), clusteredVectors(30, 128, 1), 128);
  const wide = join(dir, 'wide.npy');
  await t.rejects(buildIndex({ sources: [wide], out }), {
    code: 'ERR_DIMENSION',
    message: /64.*128/,
  });
  const both = buildIndex({ sources: [wide, join(dir, 'good.npy')], out: join(dir, 'n.corvid') });
  await t.rejects(both, { code: 'ERR_DIMENSION' });
  t.match(await readIndex(out), { generation: 1 }, 'the index is as it was');
});

t.test('a trained codec is used again after an interruption', async (t) => {
  const dir = t.testdir();
  const out = join(dir, 'v.corvid');
  writeNpy(join(dir, 'v.npy'), clusteredVectors(6000, DIMS, 5, 40), DIMS);
  const controller = new AbortController();
  const interrupted = buildIndex({
    sources: [join(dir, 'v.npy')],
    out,
    signal: controller.signal,
    onProgress: ({ phase }) => phase === 'encode' && controller.abort(),
  });
  await t.rejects(interrupted, { code: 'ERR_ABORTED' });
  const phases = new Set<string>();
  const summary = await buildIndex({
    sources: [join(dir, 'v.npy')],
    out,
    onProgress: ({ phase }) => phases.add(phase),
  });
  t.match(summary, { rows: 6000, trained: true });
  t.notOk(phases.has('train'));
  t.notOk(existsSync(join(out, 'staging')));

  const again = join(dir, 'w.corvid');
  const half = new AbortController();
  const other = buildIndex({
    sources: [join(dir, 'v.npy')],
    out: again,
    signal: half.signal,
    onProgress: ({ phase }) => phase === 'encode' && half.abort(),
  });
  await t.rejects(other, { code: 'ERR_ABORTED' });
  utimesSync(join(dir, 'v.npy'), 5, 5);
  phases.clear();
  await buildIndex({
    sources: [join(dir, 'v.npy')],
    out: again,
    onProgress: ({ phase }) => phases.add(phase),
  });
  t.ok(phases.has('train'), 'a source that has changed is trained on anew');
});

t.test('what cannot fit is refused before it begins', async (t) => {
  const dir = t.testdir();
  const rows = 62_000;
  const source = join(dir, 'v.npy');
  writeFileSync(source, npyBytes('|i1', rows, DIMS, new Int8Array(rows * DIMS)));
  const options = { sources: [source], out: join(dir, 'v.corvid') };
  const memoryBytes = 64 * 1024 * 1024;
  const greedy = buildIndex({ ...options, lists: 60_000, memoryBytes });
  await t.rejects(greedy, { code: 'ERR_MEMORY' });
  await t.rejects(buildIndex({ ...options, memoryBytes: 5 }), { code: 'ERR_USAGE' });
  await t.rejects(buildIndex({ ...options, memory: 1e9 } as object as typeof options), {
    code: 'ERR_USAGE',
    path: 'memory',
  });
  await t.rejects(buildIndex({ ...options, lists: 63_000 }), { code: 'ERR_USAGE' });
});

t.test('a file named twice is indexed once', async (t) => {
  const dir = t.testdir({ v: {} });
  const file = join(dir, 'v', 'a.npy');
  writeNpy(file, clusteredVectors(40, DIMS, 1), DIMS);
  const summary = await buildIndex({
    sources: [file, join(dir, 'v'), file],
    out: join(dir, 'v.corvid'),
  });
  t.match(summary, { rows: 40, added: 40 });
});

t.test('a first build that was interrupted binds the next one to nothing', async (t) => {
  const dir = t.testdir();
  const out = join(dir, 'v.corvid');
  writeNpy(join(dir, 'a.npy'), clusteredVectors(300, DIMS, 1), DIMS);
  const controller = new AbortController();
  const first = buildIndex({
    sources: [join(dir, 'a.npy')],
    out,
    signal: controller.signal,
    onProgress: ({ phase }) => phase === 'encode' && controller.abort(),
  });
  await t.rejects(first, { code: 'ERR_ABORTED' });
  writeNpy(join(dir, 'b.npy'), clusteredVectors(50, 32, 1), 32);
  const sources = [join(dir, 'b.npy')];
  const planned = await buildIndex({ sources, out, dryRun: true });
  t.match(planned, { dryRun: true, rows: 0, added: 50, estimate: { diskBytes: Number } });
  t.match(await buildIndex({ sources, out }), { rows: 50, codec: { dims: 32, levels: [64] } });
  t.same((await readIndex(out)).ids.at(-1), 49);
});

t.test('a collection may have more files than a process may open', async (t) => {
  const dir = t.testdir({ v: {} });
  for (let part = 0; part < 120; part++) {
    writeNpy(join(dir, 'v', `${part}.npy`), clusteredVectors(3, DIMS, part), DIMS);
  }
  const options = JSON.stringify({ sources: [join(dir, 'v')], out: join(dir, 'v.corvid') });
  const command = 'ulimit -n 80 && exec "$0" dist/test/indexer/build-child.js "$1"';
  const { status, stderr } = spawnSync('sh', ['-c', command, process.execPath, options]);
  t.equal(status, 0, stderr.toString());
  t.equal((await readIndex(join(dir, 'v.corvid'))).ids.length, 360);
});

t.test('lists that the training rows are too few for are found among more', async (t) => {
  const dims = 512;
  const vectors = clusteredVectors(9000, dims, 3);
  const table: VectorTable = {
    name: 'table',
    dims,
    rows: 9000,
    read: (first, count) => vectors.slice(first * dims, (first + count) * dims),
  };
  const out = join(t.testdir(), 'v.corvid');
  const limits = { memoryBytes: 64 * 2 ** 20, vectors: 'none', levels: [64] } as const;
  const summary = await buildIndex({ ...limits, sources: [table], out, lists: 2000 });
  t.match(summary, { rows: 9000, codec: { lists: 2000 } });
  t.same((await readIndex(out)).ids.length, 9000);
  const tooMany = { ...limits, sources: [table], out: join(t.testdir(), 'w.corvid'), lists: 9001 };
  await t.rejects(buildIndex(tooMany), { code: 'ERR_USAGE', path: 'lists' });
});
