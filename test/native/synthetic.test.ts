// slow: generates synthetic collections.
//
// The synthetic collection: rows are functions of their numbers, with the fitted statistics, and the
// exact neighbours found block by block are those of brute force.
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  COLLECTION_SEED,
  cachedBytes,
  dropCached,
  emptyNeighbours,
  FIRST_HELD_OUT,
  innerProducts,
  openGroundTruth,
  openSynthetic,
  principalVariances,
  ROWS_OF_EPOCH,
  readMapped,
  SYNTHETIC_DIMS,
} from '../../bench/synthetic/native.js';
import { describeRows, QUANTILES, RANKS } from '../../bench/synthetic/statistics.js';

const collection = openSynthetic(COLLECTION_SEED);
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
const rowsOf = (values: Float32Array) =>
  Array.from({ length: values.length / SYNTHETIC_DIMS }, (_, row) =>
    values.slice(row * SYNTHETIC_DIMS, (row + 1) * SYNTHETIC_DIMS),
  );

t.test('a row does not depend on the range that is generated', async (t) => {
  const first = ROWS_OF_EPOCH - 300;
  const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => value === b[i]);
  const whole = await collection.floats(first, 700, 2);
  const again = openSynthetic(COLLECTION_SEED);
  await fc.assert(
    fc.asyncProperty(fc.nat(660), fc.integer({ min: 1, max: 40 }), async (from, rows) => {
      const part = await again.floats(first + from, rows, 1);
      return same(part, whole.subarray(from * SYNTHETIC_DIMS));
    }),
    { numRuns: 10 },
  );
  const other = await openSynthetic(COLLECTION_SEED + 1).floats(first, 700, 2);
  t.notOk(same(other, whole), 'another seed gives other rows');
});

t.test('rows are unit vectors and distinct, also far beyond 2^32', async (t) => {
  const far = rowsOf(await collection.floats(5e9, 500, 2));
  t.ok(far.every((row) => Math.abs(dot(row, row) - 1) < 1e-5));
  t.equal(new Set(far.map((row) => row.join())).size, far.length);
});

t.test('held-out rows are not in the collection, and as near to it as its rows', async (t) => {
  const rows = await collection.floats(0, 20_000, 2);
  const nearest = (queries: Float32Array, inCollection: boolean) => {
    const products = innerProducts(queries, rows, SYNTHETIC_DIMS, 2);
    return Array.from({ length: 20 }, (_, query) =>
      products
        .subarray(query * 20_000, (query + 1) * 20_000)
        .reduce((best, x, row) => (inCollection && row === query ? best : Math.max(best, x)), -1),
    );
  };
  const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
  const held = nearest(await collection.floats(FIRST_HELD_OUT, 20, 1), false);
  const members = nearest(rows.slice(0, 20 * SYNTHETIC_DIMS), true);
  t.ok(Math.max(...held) < 0.99999, 'none is a row');
  t.ok(
    Math.abs(mean(held) - mean(members)) < 0.06,
    `as near as rows: ${mean(held)}, ${mean(members)}`,
  );
});

t.test('the collection has the fitted statistics', async (t) => {
  const rows = 20_000;
  const values = await collection.floats(0, rows, 2);
  const one = describeRows({ rows, dims: SYNTHETIC_DIMS, values }, 200, 1);
  const median = (quantiles: readonly number[]) => quantiles[QUANTILES.indexOf(0.5)] ?? 0;
  t.ok(Math.abs(one.meanLength - 0.709) < 0.03, `${one.meanLength}`);
  t.ok(Math.abs(one.variance - 0.498) < 0.04, `${one.variance}`);
  t.ok(Math.abs(median(one.pairCosines) - 0.49) < 0.05, `${median(one.pairCosines)}`);
  const tenth = median(one.neighbourCosines[RANKS.indexOf(10)]?.quantiles ?? []);
  t.ok(tenth > 0.8 && tenth < 0.92, `${tenth}`);
  t.ok(Math.abs((one.varianceShares.at(-4) ?? 0) - 0.606) < 0.05, `${one.varianceShares}`);
});

t.test('neighbours are those of brute force for any blocks and threads', async (t) => {
  const rows = rowsOf(await collection.floats(100, 3000, 2));
  const queries = await collection.floats(FIRST_HELD_OUT, 5, 1);
  const expected = rowsOf(queries).map((query) =>
    rows
      .map((row, i) => ({ row: 100 + i, cosine: dot(row, query) }))
      .sort((a, b) => b.cosine - a.cosine || a.row - b.row)
      .slice(0, 10),
  );
  for (const cuts of [[3000], [1, 1500, 1499], [512, 513, 1975]]) {
    let found = emptyNeighbours(5, 10);
    let first = 100;
    for (const count of cuts) {
      const nearest = openGroundTruth(queries, found);
      await nearest.compare(await collection.halves(first, count, 2), first, 2);
      found = nearest.found();
      first += count;
    }
    t.strictSame(
      Array.from(found.rows),
      expected.flatMap((best) => best.map(({ row }) => row)),
    );
    t.ok(
      expected.flat().every(({ cosine }, i) => Math.abs(cosine - (found.cosines[i] ?? 0)) < 1e-5),
    );
  }
  const few = openGroundTruth(queries, emptyNeighbours(5, 10));
  await few.compare(await collection.halves(0, 3, 1), 0, 1);
  t.equal(few.found().rows.filter((row) => row === -1).length, 5 * 7, 'unfilled places hold -1');
});

t.test('principal variances of a known cloud', async (t) => {
  const rows = 64;
  const values = new Float32Array(rows * 4);
  for (let i = 0; i < rows; i++) {
    values.set([5 + (i % 2 === 0 ? 3 : -3), 1 + (i % 4 < 2 ? 2 : -2), 7, 0], i * 4);
  }
  const variances = Array.from(principalVariances(values, 4), (value) => Math.round(value * 1e4));
  t.strictSame(variances, [90_000, 40_000, 0, 0]);
});

t.test('a file is read completely, and its pages can be dropped', async (t) => {
  const path = join(t.testdir(), 'file.bin');
  const words = new BigUint64Array(1 << 17).fill(3n);
  writeSync(openSync(path, 'w'), new Uint8Array(words.buffer));
  t.equal(await readMapped(path, 2), 3n * BigInt(words.length));
  t.equal(cachedBytes(path), words.byteLength);
  dropCached(path);
  if (process.platform === 'linux') t.ok(cachedBytes(path) < words.byteLength, 'on a real disk');
});
