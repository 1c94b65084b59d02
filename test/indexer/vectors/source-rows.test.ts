// Rows of a source: read from any row on they carry the same vectors, ids and items, and picked rows
// are the rows asked for.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { VectorSource } from '../../../src/formats/vector-source.js';
import { openSources } from '../../../src/indexer/sources/open.js';
import { SourceRows } from '../../../src/indexer/vectors/source-rows.js';
import { writeNpy } from '../vector-files.js';

/** @param firstId item id of the first row */
async function open(path: string, firstId = 0): Promise<SourceRows> {
  const opened = await openSources([path], {});
  if (opened.kind !== 'vectors') throw new Error('expected vectors');
  return new SourceRows(opened.sources[0] as VectorSource, 1, firstId);
}

t.test('rows carry their ids and items, from whichever row reading starts', async (t) => {
  const dims = 8;
  const lines = Array.from({ length: 7 }, (_, row) =>
    JSON.stringify({ vector: Array(dims).fill(row + 1), caption: `row ${row}` }),
  );
  const dir = t.testdir({ 'a.jsonl': lines.join('\n') });
  const source = await open(join(dir, 'a.jsonl'), 100);
  t.equal(source.hasItems, true);
  for (const start of [0, 3, 6, 0]) {
    let next = start;
    for await (const { firstRow, vectors, ids, items } of source.read(start, 2, undefined)) {
      t.equal(firstRow, next);
      const rows = Array.from(ids, (_, i) => firstRow + i);
      t.same(
        rows.map((_, i) => vectors[i * dims]),
        rows.map((row) => row + 1),
      );
      t.same(
        Array.from(ids),
        rows.map((row) => 100 + row),
      );
      t.match(
        items,
        rows.map((row) => ({
          id: 100 + row,
          source: 1,
          key: `${100 + row}`,
          caption: `row ${row}`,
        })),
      );
      next += rows.length;
    }
    t.equal(next, source.rows, `all rows from ${start} on`);
  }
});

t.test('rows picked by position and while reading are the rows asked for', async (t) => {
  const dir = t.testdir();
  const rows = 3000;
  const dims = 8;
  const vectors = Float32Array.from({ length: rows * dims }, (_, i) => Math.floor(i / dims));
  writeNpy(join(dir, 'a.npy'), vectors, dims);
  const lines = Array.from({ length: rows }, (_, row) => JSON.stringify(Array(dims).fill(row)));
  writeFileSync(join(dir, 'a.jsonl'), lines.join('\n'));
  const rowSources = [await open(join(dir, 'a.npy')), await open(join(dir, 'a.jsonl'))];
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(rows - 1), { maxLength: 700 }), async (some) => {
      const picks = Float64Array.from(some).sort();
      for (const source of rowSources) {
        const found: number[] = [];
        for await (const batch of source.pick(picks, undefined)) found.push(...batch);
        if (found.length !== picks.length * dims) return false;
        if (found.some((value, i) => value !== picks[Math.floor(i / dims)])) return false;
      }
      return true;
    }),
    { seed, numRuns: 40 },
  );
});
