// The searcher merges parts in one total order, for any split of the rows.
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { native } from '../../src/native/addon.js';
import type { ScoredRows, SearchPlan } from '../../src/native/search.js';
import { makeCodec, makeSegment, randomVectors } from '../store/fixture.js';

const ROWS = 300;
const folder = t.testdir();
const codec = await makeCodec(join(folder, 'codec.bin'));
const { segment } = await makeSegment(folder, codec, ROWS);
const searcher = native.openSearcher(codec, [segment]);
/** Item id of every row; rows lie in list order, so not in the order of ids. */
const ids = segment.itemIds(Float64Array.from({ length: ROWS }, (_, row) => row));
const query = randomVectors(1, 7);

const anyScores = fc.array(
  fc.oneof(
    fc.constantFrom(-1, -0.5, 0, 0.5, 1, 1e-30, -1e-30),
    fc.float({ noNaN: true, min: -1000, max: 1000 }).map((value) => value + 0),
  ),
  { maxLength: ROWS },
);
const anyLimit = fc.integer({ min: 1, max: ROWS + 20 });

/** A plan that keeps the scores of the parts. */
function planOf(wanted: number, shortlist: number): SearchPlan {
  return {
    scoring: 'asymmetric',
    wanted,
    probes: 1,
    scanAll: true,
    shortlist,
    minRows: 0,
    stopLogOdds: Number.NEGATIVE_INFINITY,
    normRank: 1,
    normLists: 1,
    refineBits: 0,
    rescore: false,
  };
}

function partOf(rows: readonly number[], scores: readonly number[]): ScoredRows {
  return {
    rows: Float64Array.from(rows),
    scores: Float32Array.from(rows, (row) => scores[row] as number),
    scannedRows: rows.length,
    final: false,
  };
}

/** Rows by score descending, then `tie` ascending: the naive reference. */
function ranked(
  rows: readonly number[],
  scores: Float32Array,
  tie: (row: number) => number,
): number[] {
  return [...rows].sort((a, b) => (scores[b] as number) - (scores[a] as number) || tie(a) - tie(b));
}

t.test('items are ranked by score descending, then id ascending', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyScores, anyLimit, (scores, limit) => {
        const rows = scores.map((_, row) => row);
        const found = searcher.finish(query, planOf(limit, ROWS), [partOf(rows, scores)]);
        const expected = ranked(rows, Float32Array.from(scores), (row) => ids[row] as number)
          .slice(0, limit)
          .map((row) => ids[row]);
        return JSON.stringify([...found.ids]) === JSON.stringify(expected);
      }),
      { verbose: 1 },
    ),
  );
});

t.test('merged parts are the shortlist of all rows', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        anyScores,
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: ROWS, maxLength: ROWS }),
        anyLimit,
        (scores, owner, shortlist) => {
          const rows = scores.map((_, row) => row);
          const parts = [0, 1, 2, 3, 4].map((part) =>
            partOf(
              rows.filter((row) => owner[row] === part),
              scores,
            ),
          );
          const found = searcher.finish(query, planOf(ROWS, shortlist), parts);
          // The shortlist drops the last rows by score, then row.
          const floats = Float32Array.from(scores);
          const kept = ranked(rows, floats, (row) => row).slice(0, shortlist);
          const expected = ranked(kept, floats, (row) => ids[row] as number);
          return (
            JSON.stringify([...found.ids]) === JSON.stringify(expected.map((row) => ids[row])) &&
            JSON.stringify([...found.scores]) ===
              JSON.stringify(expected.map((row) => floats[row])) &&
            found.shortlists[0] === kept.length
          );
        },
      ),
      { verbose: 1 },
    ),
  );
});

t.test('a part with a row outside the index is refused', async (t) => {
  const part = { rows: Float64Array.of(ROWS), scores: Float32Array.of(1) };
  t.throws(
    () => searcher.finish(query, planOf(1, 1), [{ ...part, scannedRows: 1, final: false }]),
    { code: 'ERR_USAGE' },
  );
});
