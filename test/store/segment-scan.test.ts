// Scans against a naive model: the order is total, so any lists, limits, filters and splits give
// what sorting all rows would.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { native, type ScanRequest, type Scoring } from '../../src/native/addon.js';
import { DIMS, makeCodec, makeSegment, randomVectors } from './fixture.js';

const LISTS = 40;
const ROWS = 1237; // no multiple of a block
const folder = t.testdir();
const codec = await makeCodec(join(folder, 'codec.bin'), { lists: LISTS });
const { segment, dir, vectors } = await makeSegment(folder, codec, ROWS);
const allRows = Float64Array.from({ length: ROWS }, (_, row) => row);
const ids = segment.itemIds(allRows);
const queries = [...Array(8).keys()].map((n) =>
  randomVectors(8, 99).slice(n * DIMS, (n + 1) * DIMS),
);

interface Hit {
  row: number;
  score: number;
}

/** Every row with its score, best first: by score descending, then row ascending. */
function ranking(query: Float32Array, scoring: Scoring, normWeight: number): Hit[] {
  const request = { query, lists: null, scoring, normWeight, limit: ROWS, filter: 0 };
  const { rows, scores } = segment.scan(request);
  return Array.from(rows, (row, i) => ({ row, score: scores[i] as number })).sort(
    (a, b) => b.score - a.score || a.row - b.row,
  );
}

const scan = (request: ScanRequest): Hit[] => {
  const { rows, scores } = segment.scan(request);
  return Array.from(rows, (row, i) => ({ row, score: scores[i] as number }));
};

/** First row of every list, and the end. */
const firstRows = Array.from({ length: LISTS + 1 }, (_, list) =>
  segment.countRows(Uint32Array.from({ length: list }, (_, l) => l)),
);
const listOf = (row: number): number => firstRows.findLastIndex((first) => first <= row);

const anyScoring = fc.constantFrom<Scoring>('asymmetric', 'hamming');
const anyQuery = fc.constantFrom(...queries);
const anyWeight = fc.constantFrom(0, 0.4, 0.9, 3, -0.5);
const anyLists = fc.uniqueArray(fc.integer({ min: 0, max: LISTS - 1 }), { maxLength: LISTS });
const anyLimit = fc.oneof(
  fc.integer({ min: 0, max: 30 }),
  fc.constantFrom(1, 299, ROWS, 10 * ROWS),
);

t.test('the full scan finds every row once, in order', async (t) => {
  for (const scoring of ['asymmetric', 'hamming'] as const) {
    const request = { query: queries[0] as Float32Array, lists: null, scoring, normWeight: 0.9 };
    const found = scan({ ...request, limit: ROWS, filter: 0 });
    t.strictSame(found, ranking(request.query, scoring, 0.9));
    t.equal(new Set(found.map(({ row }) => row)).size, ROWS);
  }
});

t.test('any lists and any limit give the best of their rows', async (t) => {
  fc.assert(
    fc.property(anyQuery, anyScoring, anyWeight, anyLists, anyLimit, (...drawn) => {
      const [query, scoring, normWeight, lists, limit] = drawn;
      const within = new Set(lists);
      const expected = ranking(query, scoring, normWeight)
        .filter(({ row }) => within.has(listOf(row)))
        .slice(0, limit);
      const request = { query, scoring, normWeight, limit, filter: 0 };
      t.strictSame(scan({ ...request, lists: Uint32Array.from(lists) }), expected);
      t.equal(
        segment.scan({ ...request, lists: Uint32Array.from(lists) }).scannedRows,
        segment.countRows(Uint32Array.from(lists)),
      );
    }),
    { numRuns: 150, verbose: true },
  );
});

t.test(
  'a filter gives the best of what it keeps, and still as many as were asked for',
  async (t) => {
    fc.assert(
      fc.property(
        anyQuery,
        anyScoring,
        anyLimit,
        fc.option(anyLists),
        fc.constantFrom(0, 1, 3, 40, 700, ROWS),
        fc.constantFrom(0, 2, 600),
        fc.integer({ min: 1, max: 1000 }),
        (query, scoring, limit, lists, included, excluded, step) => {
          const pick = (count: number, start: number) =>
            Float64Array.from(
              { length: count },
              (_, n) => ids[(start + n * step) % ROWS] as number,
            );
          const include = included === ROWS ? null : pick(included, step);
          const exclude = excluded === 0 ? null : pick(excluded, 2 * step);
          const [kept, dropped] = [include && new Set(include), new Set(exclude)];
          const passes = ({ row }: Hit) => {
            const id = ids[row] as number;
            return (kept === null || kept.has(id)) && !dropped.has(id);
          };
          const filter = segment.createFilter(include, exclude);
          const all = ranking(query, scoring, 0.9).filter(passes);
          t.equal(filter.rows, all.length);
          const request = { query, scoring, normWeight: 0.9, limit, filter: filter.handle };
          const expected = all.filter(({ row }) => lists === null || lists.includes(listOf(row)));
          t.strictSame(
            scan({ ...request, lists: lists && Uint32Array.from(lists) }),
            expected.slice(0, limit),
          );
          filter.free();
          t.throws(() => scan({ ...request, lists: null }), { code: 'ERR_CLOSED' });
        },
      ),
      { numRuns: 150, verbose: true },
    );
  },
);

t.test('split by rows or by lists and merged, the answer is the same', async (t) => {
  fc.assert(
    fc.property(
      anyQuery,
      anyScoring,
      anyLimit,
      fc.array(fc.integer({ min: 0, max: ROWS }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 7 }),
      (query, scoring, limit, cuts, workers) => {
        const expected = ranking(query, scoring, 0.9).slice(0, limit);
        const request = { query, scoring, normWeight: 0.9, limit, filter: 0 };
        const merge = (parts: Hit[][]) =>
          parts
            .flat()
            .sort((a, b) => b.score - a.score || a.row - b.row)
            .slice(0, limit);
        const ends = [...cuts, ROWS].sort((a, b) => a - b);
        const byRows = ends.map((lastRow, n) =>
          scan({ ...request, lists: null, firstRow: ends[n - 1] ?? 0, lastRow }),
        );
        t.strictSame(merge(byRows), expected);
        const byLists = Array.from({ length: workers }, (_, worker) => {
          const lists = [...Array(LISTS).keys()].filter((list) => list % workers === worker);
          return scan({ ...request, lists: Uint32Array.from(lists.reverse()) });
        });
        t.strictSame(merge(byLists), expected);
      },
    ),
    { numRuns: 100, verbose: true },
  );
});

t.test('a row is found by its own vector, the better the more of it is read', async (t) => {
  const worst = { 64: 1, 128: 1, vectors: 1 };
  for (let row = 0; row < ROWS; row += 97) {
    const id = ids[row] as number;
    const query = vectors.slice(((id - 5) / 3) * DIMS, ((id - 5) / 3 + 1) * DIMS);
    const own = Float64Array.of(row);
    const at = (bits: number) => segment.refine(query, own, bits)[0] as number;
    worst[64] = Math.min(worst[64], at(64));
    worst[128] = Math.min(worst[128], at(128));
    worst.vectors = Math.min(worst.vectors, segment.rescore(query, own)[0] as number);
    const decoded = segment.reconstruct(own);
    const cosine = decoded.reduce((sum, x, d) => sum + x * (query[d] as number), 0);
    t.ok(cosine > 0.999, 'stored vectors give the embedding back');
    t.equal(at(64), segment.refine(query, own, 64)[0], 'the same question has the same answer');
  }
  t.ok(worst[64] > 0.6, `64 bits: ${worst[64]}`);
  t.ok(worst[128] > worst[64], `128 bits: ${worst[128]}`);
  t.ok(worst.vectors > 0.995, `vectors: ${worst.vectors}`);
});

t.test('refine and rescore answer in the order of the rows given', async (t) => {
  const query = queries[1] as Float32Array;
  const rows = Float64Array.from({ length: 200 }, (_, n) => (n * 631) % ROWS);
  const one = (score: (rows: Float64Array) => Float32Array) =>
    Float32Array.from(rows, (row) => score(Float64Array.of(row))[0] as number);
  for (const bits of [64, 128]) {
    t.strictSame(
      segment.refine(query, rows, bits),
      one((r) => segment.refine(query, r, bits)),
    );
  }
  t.strictSame(
    segment.rescore(query, rows),
    one((r) => segment.rescore(query, r)),
  );
});

t.test('the norm weight is near theta over the norm, whatever the lists', async (t) => {
  const query = queries[2] as Float32Array;
  const lists = codec.nearestLists(query, 8);
  const weight = segment.estimateNormWeight(query, lists, 100);
  const scores = segment.refine(query, allRows, 64).sort().reverse();
  const theta = scores[100] as number;
  t.ok(weight > 0 && weight > theta * 0.8, `weight ${weight}, theta ${theta}`);
  t.equal(segment.estimateNormWeight(query, lists, 100), weight);
  t.ok(Number.isFinite(segment.estimateNormWeight(query, new Uint32Array(0), 100)));
  t.ok(Number.isFinite(segment.estimateNormWeight(query, lists, 1e9)));
});

t.test('rows are found by their ids, and counted by lists', async (t) => {
  t.strictSame(
    [
      ...segment.findRows(
        Float64Array.of(ids[7] as number, 4, ids[0] as number, 9e15, ids[7] as number),
      ),
    ],
    [7, -1, 0, -1, 7],
  );
  t.strictSame(segment.findRows(ids), allRows);
  t.equal(segment.countRows(Uint32Array.from({ length: LISTS }, (_, l) => l)), ROWS);
});

t.test('wrong arguments are errors, not reads out of bounds', async (t) => {
  const usage = { code: 'ERR_USAGE' };
  const query = queries[0] as Float32Array;
  const request = { query, lists: null, scoring: 'asymmetric', normWeight: 1, limit: 5, filter: 0 };
  for (const wrong of [
    { query: query.subarray(1) },
    { lists: Uint32Array.of(LISTS) },
    { lastRow: ROWS + 1 },
    { firstRow: -1 },
    { limit: 1.5 },
    { scoring: 'other' },
    { normWeight: Number.NaN },
  ]) {
    t.throws(() => segment.scan({ ...request, ...wrong } as ScanRequest), usage);
  }
  const nan = query.slice();
  nan[3] = Number.NaN;
  t.throws(() => scan({ ...request, query: nan } as ScanRequest), { code: 'ERR_VECTOR_INVALID' });
  t.throws(() => scan({ ...request, filter: 12345 } as ScanRequest), { code: 'ERR_CLOSED' });
  for (const rows of [Float64Array.of(ROWS), Float64Array.of(-1), Float64Array.of(Number.NaN)]) {
    t.throws(() => segment.itemIds(rows), usage);
    t.throws(() => segment.refine(query, rows, 64), usage);
    t.throws(() => segment.rescore(query, rows), usage);
    t.throws(() => segment.reconstruct(rows), usage);
  }
  t.throws(() => segment.refine(query, Float64Array.of(0), 512), usage);
});

t.test('planes above 64 and vectors can be taken away', async (t) => {
  const copy = await makeSegment(join(folder, 'detached'), codec, 300);
  const query = queries[3] as Float32Array;
  const before = copy.segment.refine(query, Float64Array.of(5), 64);
  copy.segment.close();
  t.throws(() => copy.segment.info(), { code: 'ERR_CLOSED' });
  rmSync(join(copy.dir, 'plane-128.bin'));
  rmSync(join(copy.dir, 'vectors.i8'));
  const smaller = native.openSegment(copy.dir, codec);
  t.match(smaller.info(), {
    levels: [64],
    missingLevels: [128],
    vectors: false,
    missingVectors: true,
    rows: 300,
  });
  t.strictSame(smaller.refine(query, Float64Array.of(5), 64), before);
  t.throws(() => smaller.refine(query, Float64Array.of(5), 128), { code: 'ERR_USAGE' });
  t.throws(() => smaller.rescore(query, Float64Array.of(5)), {
    code: 'ERR_NOT_FOUND',
    path: join(copy.dir, 'vectors.i8'),
  });
  t.equal(smaller.reconstruct(Float64Array.of(5)).length, DIMS);
  t.match(await smaller.verify(), { files: 3 });
  smaller.close();
});

t.test(
  'a segment opened twice is one mapping, and closing one face leaves the other',
  async (t) => {
    const other = native.openSegment(dir, codec);
    const filter = other.createFilter(Float64Array.of(ids[0] as number), null);
    other.close();
    const request = { query: queries[0] as Float32Array, lists: null, scoring: 'hamming' as const };
    t.strictSame(
      scan({ ...request, normWeight: 0, limit: 9, filter: filter.handle }).map(({ row }) => row),
      [0],
    );
    filter.free();
  },
);
