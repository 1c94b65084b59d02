// When a build trains, rewrites or only adds.
import t from 'tap';
import { type Before, planCommit } from '../../../src/indexer/plan/plan.js';
import type { CodecInfo } from '../../../src/native/addon.js';

const codec = { method: 'trained' } as CodecInfo;
const method = (rows: number) => (rows < 4000 ? 'rotation' : 'trained') as CodecInfo['method'];
const segments = (...rows: number[]) =>
  rows.map((count, i) => ({ number: i + 1, uuid: `${i}`, rows: count, bytes: 0 }));
const before = (changes: Partial<Before>): Before => ({
  codec,
  rowsAtTraining: 10_000,
  segments: segments(10_000),
  vectors: true,
  removedRows: 0,
  ...changes,
});

t.test('a new index trains', async (t) => {
  const empty = before({ codec: null, segments: [], rowsAtTraining: 0, vectors: false });
  t.same(planCommit(empty, 500, 'auto', method), {
    rows: 500,
    train: true,
    rewrite: [],
    vectors: true,
  });
  t.equal(planCommit(empty, 2e6, 'auto', method).vectors, false, 'no vectors above a million');
  t.equal(planCommit(empty, 2e6, 'int8', method).vectors, true);
  t.equal(planCommit(empty, 500, 'none', method).vectors, false);
});

t.test('a few new rows become one segment with the codec there is', async (t) => {
  const plan = planCommit(before({}), 100, 'auto', method);
  t.same(plan, { rows: 10_100, train: false, rewrite: [], vectors: true });
});

t.test('a collection that has doubled, or outgrown its method, is trained anew', async (t) => {
  t.match(planCommit(before({}), 9_999, 'auto', method), { train: false });
  t.match(planCommit(before({}), 10_000, 'auto', method), { train: true, rewrite: [{}] });
  const small = before({
    codec: { method: 'rotation' } as CodecInfo,
    rowsAtTraining: 3000,
    segments: segments(3000),
  });
  t.match(planCommit(small, 999, 'auto', method), { train: false });
  t.match(planCommit(small, 1000, 'auto', method), { train: true });
  const bare = before({ vectors: false });
  t.match(planCommit(bare, 1e6, 'auto', method), { train: false, rewrite: [], vectors: false });
});

t.test('removed rows are written away when they are many', async (t) => {
  t.match(planCommit(before({ removedRows: 2500 }), 0, 'auto', method), { rewrite: [] });
  t.match(planCommit(before({ removedRows: 2501 }), 0, 'auto', method), {
    rewrite: [{ number: 1 }],
    train: false,
    rows: 7499,
  });
  t.match(planCommit(before({ removedRows: 10_000 }), 0, 'auto', method), { rows: 0 });
});

t.test('many segments become one, the large ones left alone', async (t) => {
  const gathered = before({ segments: segments(10_000, 50, 60, 70, 80, 90, 100, 110) });
  const plan = planCommit(gathered, 40, 'auto', method);
  t.same(
    plan.rewrite.map(({ number }) => number),
    [2, 3, 4, 5, 6, 7, 8],
  );
  const fewer = before({ segments: segments(10_000, 50, 60, 70, 80, 90, 100) });
  t.same(planCommit(fewer, 40, 'auto', method).rewrite, []);
});
