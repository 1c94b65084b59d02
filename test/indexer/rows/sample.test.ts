// The training sample holds each row at most once, comes from all sources, and repeats for a seed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { VectorSource } from '../../../src/formats/vector-source.js';
import { chooseRows } from '../../../src/indexer/rows/sample.js';
import { openSources } from '../../../src/indexer/sources/open.js';
import { SourceRows } from '../../../src/indexer/vectors/source-rows.js';
import { writeNpy } from '../vector-files.js';

t.test('rows are chosen without repeats, in order, and again for the same seed', async () => {
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  fc.assert(
    fc.property(fc.nat(5000), fc.nat(5000), fc.nat(), (a, b, rowSeed) => {
      const [count, total] = a < b ? [a, b] : [b, a];
      const rows = chooseRows(total, count, rowSeed);
      const ascending = rows.every((row, i) => i === 0 || row > (rows[i - 1] as number));
      const inside = rows.every((row) => Number.isInteger(row) && row >= 0 && row < total);
      const again = chooseRows(total, count, rowSeed).every((row, i) => row === rows[i]);
      return rows.length === count && ascending && inside && again;
    }),
    { seed, numRuns: 200 },
  );
});

t.test('every row is as likely as any other', async (t) => {
  const counts = new Float64Array(10);
  for (let seed = 0; seed < 4000; seed++) {
    for (const row of chooseRows(10, 3, seed)) counts[row] = (counts[row] ?? 0) + 1;
  }
  t.ok(
    counts.every((count) => Math.abs(count - 1200) < 150),
    counts.join(' '),
  );
});

t.test('a billion rows cost no more than the sample', async (t) => {
  const rows = chooseRows(1e9, 1000, 3);
  t.equal(new Set(rows).size, 1000);
  t.ok((rows.at(-1) as number) > 9e8);
});

t.test('rows picked by position and while reading are the rows asked for', async (t) => {
  const dir = t.testdir();
  const rows = 3000;
  const dims = 8;
  const vectors = Float32Array.from({ length: rows * dims }, (_, i) => Math.floor(i / dims));
  writeNpy(join(dir, 'a.npy'), vectors, dims);
  const lines = Array.from({ length: rows }, (_, row) => JSON.stringify(Array(dims).fill(row)));
  writeFileSync(join(dir, 'a.jsonl'), lines.join('\n'));
  const open = async (name: string) => {
    const opened = await openSources([join(dir, name)], {});
    if (opened.kind !== 'vectors') throw new Error('expected vectors');
    return new SourceRows(opened.sources[0] as VectorSource, 1, 0);
  };
  const rowSources = [await open('a.npy'), await open('a.jsonl')];
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
