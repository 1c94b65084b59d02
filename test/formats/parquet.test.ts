// Parquet files with a column of vectors, and files that are refused.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import t from 'tap';
import type { VectorSource } from '../../src/formats/vector-source.js';
import { openSources } from '../../src/indexer/sources/open.js';
import { DIMS, openVectors, readAll, refuses } from './read-source.js';

const FIXTURES = resolve('test/fixtures/vectors');

t.test('parquet with a column of vectors', async (t) => {
  const row = (r: number) => Array.from({ length: DIMS }, (_, k) => (r * 10 + k) / 4);
  const expected = Array.from({ length: 7 }, (_, r) => row(r));
  const [source] = await openVectors(join(FIXTURES, 'seven.parquet'));
  t.match(source, { rows: 7, dims: DIMS, hasItems: true });
  for (const [batchRows, firstRow] of [
    [2, 0],
    [100, 0],
    [2, 4],
  ] as const) {
    const { numbers, items } = await readAll(source as VectorSource, batchRows, firstRow);
    t.same(numbers, expected.slice(firstRow).flat());
    t.same(items[0], {
      key: `k${firstRow}`,
      caption: `picture ${firstRow}`,
      metadata: { views: firstRow },
    });
  }
  const [bare] = await openVectors(join(FIXTURES, 'only-vectors.parquet'));
  t.equal(bare?.hasItems, false);
  t.same((await readAll(bare as VectorSource, 3)).numbers, expected.flat());

  const fails = (name: string, text: RegExp) =>
    refuses(t, openSources([join(FIXTURES, name)], {}), 'ERR_SOURCE_INVALID', text);
  await fails('no-vectors.parquet', /column of vectors is ambiguous or missing/);
  await fails('two-lists.parquet', /columns a, b/);
  const [ragged] = await openVectors(join(FIXTURES, 'ragged.parquet'));
  await refuses(t, readAll(ragged as VectorSource, 3), 'ERR_SOURCE_INVALID', /row 4/);

  const whole = readFileSync(join(FIXTURES, 'seven.parquet'));
  const dir = t.testdir();
  for (const length of [0, 3, 8, 40, whole.length - 1, whole.length - 9]) {
    writeFileSync(join(dir, 'cut.parquet'), whole.subarray(0, length));
    await refuses(t, openSources([join(dir, 'cut.parquet')], {}), 'ERR_SOURCE_INVALID');
  }
});
