// The training sample holds each row at most once, comes from all sources, and repeats for a seed.
import fc from 'fast-check';
import t from 'tap';
import { chooseRows } from '../../../src/indexer/rows/sample.js';

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
