// Plans: monotone in effort, within limits at any size, equal for pages of one step.
import fc from 'fast-check';
import t from 'tap';
import { CorvidError } from '../../src/errors.js';
import { type IndexShape, makePlan, probesFor, validate } from '../../src/query/plan/plan.js';
import type { SearchOptions } from '../../src/query/types.js';

const shapeOf = (lists: number, vectors = false): IndexShape => ({
  rows: lists * 100,
  lists,
  levels: [64, 128, 256, 512],
  vectors,
});
const plan = (options: SearchOptions, shape: IndexShape, kind: 'image' | 'text' = 'image') =>
  makePlan(validate(options, shape, null), shape, kind, 1, 0);

t.test('more effort never plans less work', async (t) => {
  const effort = fc.double({ min: 0, max: 1, noNaN: true });
  const lists = fc.integer({ min: 1, max: 2 ** 18 });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(effort, effort, lists, fc.constantFrom('image', 'text'), (a, b, lists, kind) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const [less, more] = [
          plan({ effort: low }, shapeOf(lists), kind as 'image'),
          plan({ effort: high }, shapeOf(lists), kind as 'image'),
        ];
        return (
          less.probes >= 1 &&
          less.probes <= more.probes &&
          more.probes <= lists &&
          less.shortlist <= more.shortlist
        );
      }),
      { verbose: 1 },
    ),
  );
});

t.test('effort 0 probes one list, effort 1 all lists', async (t) => {
  for (const lists of [1, 2, 3, 16, 1024, 2 ** 18]) {
    t.equal(probesFor(0, lists, 'image'), 1);
    t.equal(probesFor(1, lists, 'image'), lists);
    t.ok(probesFor(0.5, lists, 'text') >= probesFor(0.5, lists, 'image'));
  }
  t.equal(probesFor(0.5, 1000, 'image'), 80);
  t.equal(probesFor(0.5, 2 ** 18, 'image'), 512);
});

t.test('a filter that keeps less probes more', async (t) => {
  const shape = shapeOf(1024);
  const request = validate({}, shape, null);
  const all = makePlan(request, shape, 'image', 1, 0).probes;
  const half = makePlan(request, shape, 'image', 0.5, 0).probes;
  t.equal(half, 2 * all);
  t.equal(makePlan(request, shape, 'image', 0.001, 0).probes, 1024);
});

t.test('pages of one step share a plan', async (t) => {
  const shape = shapeOf(1024);
  const first = plan({ limit: 10 }, shape);
  const later = plan({ limit: 10, offset: 90 }, shape);
  t.strictSame({ ...first, wanted: 0 }, { ...later, wanted: 0 });
  t.ok(plan({ limit: 101 }, shape).shortlist > first.shortlist);
});

t.test('levels choose the steps', async (t) => {
  const shape = shapeOf(64);
  const steps = (options: SearchOptions, vectors = false) => {
    const made = plan(options, shapeOf(64, vectors));
    return {
      bits: made.refineBits,
      rescore: made.rescore,
      levels: made.levels,
    };
  };
  t.strictSame(steps({ levels: [64] }), { bits: 64, rescore: false, levels: [64] });
  t.strictSame(steps({ levels: [64, 512] }), { bits: 512, rescore: false, levels: [64, 512] });
  t.strictSame(steps({ levels: [256] }), { bits: 256, rescore: false, levels: [64, 256] });
  t.strictSame(steps({}, true), { bits: 0, rescore: true, levels: [64] });
  t.strictSame(steps({ levels: [64, 512] }, true).rescore, false);
  t.strictSame(steps({ scoring: 'hamming' }, true), { bits: 0, rescore: false, levels: [64] });
  t.equal(plan({}, shape).refineBits, 512);
});

t.test('options out of range are refused by name', async (t) => {
  const shape = shapeOf(64);
  const wrong: SearchOptions[] = [
    { limit: 0 },
    { limit: 1.5 },
    { limit: 1e9 },
    { offset: -1 },
    { effort: 1.1 },
    { effort: Number.NaN },
    { targetRecall: 1 },
    { targetRecall: 0.9, effort: 0.5 },
    { minScore: Number.NaN },
    { levels: [] },
    { levels: [96] },
    { scoring: 'cosine' as 'hamming' },
    { where: 1 as unknown as string },
  ];
  for (const options of wrong) {
    try {
      validate(options, shape, null);
      t.fail(`accepted ${JSON.stringify(options)}`);
    } catch (error) {
      t.ok(error instanceof CorvidError && error.code === 'ERR_USAGE', JSON.stringify(options));
    }
  }
});
