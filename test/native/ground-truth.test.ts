// The nearest rows found while a collection passes by are those of a plain comparison of all pairs.
import t from 'tap';
import { seededRandom } from '../../src/indexer/rows/seeded-random.js';
import { native } from '../../src/native/addon.js';

const DIMS = 24;
const ROWS = 1500;
const KEPT = 10;
/** Queries are these rows; 40 is the same as 41, and 900 as 7. */
const ASKED = [0, 41, 900, 1499];

const random = seededRandom(11);
const rows = native.toUnit(
  Float32Array.from({ length: ROWS * DIMS }, () => random() - 0.5),
  DIMS,
);
const rowOf = (row: number) => rows.subarray(row * DIMS, (row + 1) * DIMS);
rows.set(rowOf(41), 40 * DIMS);
rows.set(rowOf(7), 900 * DIMS);
const queries = new Float32Array(ASKED.length * DIMS);
ASKED.forEach((row, i) => {
  queries.set(rowOf(row), i * DIMS);
});

/** All pairs in double precision; ids are row + 100. */
function nearest(self: number, query: number): number[] {
  const cosine = (row: number) =>
    rowOf(row).reduce((sum, x, d) => sum + x * (rowOf(query)[d] as number), 0);
  return Array.from({ length: ROWS }, (_, row) => ({ row, cosine: cosine(row) }))
    .filter(({ row }) => row !== self)
    .sort((a, b) => b.cosine - a.cosine || a.row - b.row)
    .slice(0, KEPT)
    .map(({ row }) => row + 100);
}

async function found(cuts: readonly number[], threads: number, selves?: Float64Array) {
  const truth = new native.GroundTruth(queries, DIMS, KEPT, selves);
  let first = 0;
  for (const count of cuts) {
    const ids = Float64Array.from({ length: count }, (_, i) => first + i + 100);
    await truth.add(rows.slice(first * DIMS, (first + count) * DIMS), ids, threads);
    first += count;
  }
  return truth.result();
}

for (const [cuts, threads] of [
  [[ROWS], 1],
  [[ROWS], 3],
  [[1, 39, 1, 600, 859], 2],
] as const) {
  t.test(`blocks of ${cuts.join(', ')} rows, ${threads} threads`, async (t) => {
    const given = await found(
      cuts,
      threads,
      Float64Array.from(ASKED, (row) => row + 100),
    );
    t.strictSame([...given.selves], [100, 141, 1000, 1599]);
    t.strictSame([...given.counts], [KEPT, KEPT, KEPT, KEPT]);
    t.strictSame(
      [...given.ids],
      ASKED.flatMap((row) => nearest(row, row)),
    );

    const recognised = await found(cuts, threads);
    t.strictSame([...recognised.selves], [100, 140, 107, 1599], 'the first row that equals it');
    const firsts = [0, 40, 7, 1499];
    t.strictSame(
      [...recognised.ids],
      ASKED.flatMap((row, i) => nearest(firsts[i] as number, row)),
    );

    const outside = await found(cuts, threads, new Float64Array(ASKED.length).fill(-1));
    t.strictSame([...outside.selves], [-1, -1, -1, -1]);
    t.strictSame(
      [...outside.ids],
      ASKED.flatMap((row) => nearest(-1, row)),
    );
  });
}

t.test('fewer rows than are kept', async (t) => {
  const truth = new native.GroundTruth(queries, DIMS, KEPT);
  await truth.add(rows.slice(0, 3 * DIMS), Float64Array.of(5, 6, 7), 2);
  const { counts, selves } = truth.result();
  t.strictSame([...counts], [2, 3, 3, 3], 'the first query is the first row');
  t.strictSame([...selves], [5, -1, -1, -1]);
});

t.test('arguments that do not fit are refused', async (t) => {
  const code = 'ERR_USAGE';
  t.throws(() => new native.GroundTruth(queries, DIMS, 0), { code });
  t.throws(() => new native.GroundTruth(queries, DIMS - 1, KEPT), { code });
  t.throws(() => new native.GroundTruth(queries, DIMS, KEPT, new Float64Array(1)), { code });
});
