// Shortlists hold one total order, however the rows were split.
import fc from 'fast-check';
import t from 'tap';
import { best, merge, rank, type Shortlist } from '../../src/query/execute/shortlist.js';

const scores = fc.array(
  fc.oneof(
    fc.constantFrom(-1, -0.5, 0, 0.5, 1, 1e-30, -1e-30),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  ),
  { maxLength: 300 },
);

/** The order by comparison: the naive reference. */
function reference(values: number[], limit: number): number[] {
  return values
    .map((_, i) => i)
    .sort((a, b) => (values[b] as number) - (values[a] as number) || a - b)
    .slice(0, limit);
}

t.test('rank is the order by score descending, then tie ascending', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        scores,
        fc.integer({ min: 1, max: 320 }),
        fc.boolean(),
        (values, limit, mirror) => {
          const floats = Float32Array.from(values);
          // Ties against the order of the positions, so that a sort by position alone is found out.
          const ties = Float64Array.from(values, (_, i) => (mirror ? values.length - i : i));
          const shown = [...rank(floats, ties, limit)];
          const expected = mirror
            ? reference([...floats].reverse(), limit).map((i) => values.length - 1 - i)
            : reference([...floats], limit);
          return JSON.stringify(shown) === JSON.stringify(expected);
        },
      ),
      { verbose: 1 },
    ),
  );
});

t.test('merged parts are the shortlist of all rows', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        scores,
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 300, maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        (values, owner, limit) => {
          const rows = Float64Array.from(values, (_, i) => 2 ** 33 + i);
          const all = best(rows, Float32Array.from(values), limit);
          const parts = [0, 1, 2, 3, 4].map((part): Shortlist => {
            const own = values.map((_, i) => i).filter((i) => owner[i] === part);
            const ownRows = Float64Array.from(own, (i) => rows[i] as number);
            return best(
              ownRows,
              Float32Array.from(own, (i) => values[i] as number),
              limit,
            );
          });
          const merged = merge(parts, limit);
          return (
            JSON.stringify([...merged.rows]) === JSON.stringify([...all.rows]) &&
            JSON.stringify([...merged.scores]) === JSON.stringify([...all.scores])
          );
        },
      ),
      { verbose: 1 },
    ),
  );
});
