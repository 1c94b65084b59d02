// The strategy of a query: each kind is chosen in its circumstances, and only there.
import fc from 'fast-check';
import t from 'tap';
import {
  type Circumstances,
  chooseStrategy,
  estimateMs,
  type Strategy,
} from '../../src/query/execute/strategy.js';
import type { Filter } from '../../src/query/plan/filter.js';
import { type IndexShape, makePlan, type Plan, validate } from '../../src/query/plan/plan.js';
import type { SearchOptions } from '../../src/query/types.js';

const SMALL: IndexShape = { rows: 5000, lists: 64, levels: [64, 128, 256, 512], vectors: false };
const LARGE: IndexShape = { ...SMALL, rows: 50_000_000, lists: 32_768 };

function planOf(options: SearchOptions, shape: IndexShape, keepShare = 1): Plan {
  return makePlan(validate(options, shape, null), shape, 'image', keepShare, 0);
}

const idle = (shape: IndexShape): Circumstances => ({
  shape,
  mayBeOnDisk: false,
  threads: 4,
  idleThreads: 4,
  busy: false,
  crowded: false,
  usesGraph: false,
});

function filterOf(rows: number, few: boolean): Filter {
  const fewRows = few ? Float64Array.from({ length: rows }, (_, row) => row) : null;
  return { rows, handles: Float64Array.of(1), fewRows };
}

t.test('a small query runs inline', async (t) => {
  t.strictSame(chooseStrategy(planOf({}, SMALL), null, idle(SMALL)), { kind: 'inline' });
});

t.test('a large query runs on one worker', async (t) => {
  const plan = planOf({ effort: 0.9 }, LARGE);
  t.strictSame(chooseStrategy(plan, null, idle(LARGE)), { kind: 'worker' });
});

t.test('a query that may read from the disk runs on a worker, however small', async (t) => {
  const plan = planOf({ effort: 0 }, LARGE);
  t.strictSame(chooseStrategy(plan, null, idle(LARGE)), { kind: 'inline' });
  t.strictSame(chooseStrategy(plan, null, { ...idle(LARGE), mayBeOnDisk: true }), {
    kind: 'worker',
  });
});

t.test('when busy, large queries are coalesced', async (t) => {
  const plan = planOf({ effort: 0.9 }, LARGE);
  t.strictSame(chooseStrategy(plan, null, { ...idle(LARGE), busy: true }), { kind: 'coalesced' });
  t.strictSame(chooseStrategy(plan, null, { ...idle(LARGE), busy: true, usesGraph: true }), {
    kind: 'worker',
  });
});

t.test('when crowded, small queries leave the calling thread too', async (t) => {
  const plan = planOf({}, SMALL);
  t.strictSame(chooseStrategy(plan, null, { ...idle(SMALL), busy: true, crowded: true }), {
    kind: 'coalesced',
  });
});

t.test('a large scan of all rows is split, unless others wait or no worker is idle', async (t) => {
  const plan = planOf({ effort: 1 }, LARGE);
  t.strictSame(chooseStrategy(plan, null, { ...idle(LARGE), idleThreads: 3 }), {
    kind: 'split',
    parts: 3,
    finish: 'worker',
  });
  const short = planOf({ effort: 1, levels: [64] }, LARGE);
  t.strictSame(chooseStrategy(short, null, idle(LARGE)), {
    kind: 'split',
    parts: 4,
    finish: 'caller',
  });
  t.match(chooseStrategy(short, null, { ...idle(LARGE), mayBeOnDisk: true }), { finish: 'worker' });
  t.strictSame(chooseStrategy(plan, null, { ...idle(LARGE), busy: true }), { kind: 'coalesced' });
  t.strictSame(chooseStrategy(plan, null, { ...idle(LARGE), idleThreads: 1 }), { kind: 'worker' });
  const small = planOf({ effort: 1, levels: [64] }, SMALL);
  t.strictSame(chooseStrategy(small, null, idle(SMALL)), { kind: 'inline' });
});

t.test('an exact search scores all rows, on all threads if it is large', async (t) => {
  t.strictSame(chooseStrategy(planOf({ exact: true }, LARGE), null, idle(LARGE)), {
    kind: 'exhaustive',
    parts: 4,
    thread: 'worker',
    finish: 'caller',
  });
  const tiny = { ...SMALL, rows: 1000 };
  t.strictSame(chooseStrategy(planOf({ exact: true }, tiny), null, idle(tiny)), {
    kind: 'exhaustive',
    parts: 1,
    thread: 'caller',
    finish: 'caller',
  });
});

t.test('an exact search by 64 bits is a scan of all rows', async (t) => {
  const plan = planOf({ exact: true, levels: [64] }, LARGE);
  t.equal(chooseStrategy(plan, null, idle(LARGE)).kind, 'split');
});

t.test('a filter that keeps few rows has them scored without a scan', async (t) => {
  const filter = filterOf(3, true);
  const plan = planOf({}, LARGE, 3 / LARGE.rows);
  t.strictSame(chooseStrategy(plan, filter, idle(LARGE)), {
    kind: 'filtered',
    rows: filter.fewRows,
    thread: 'caller',
  });
  const many = filterOf(1000, true);
  t.match(chooseStrategy(plan, many, { ...idle(LARGE), crowded: true }), {
    kind: 'filtered',
    thread: 'worker',
  });
  const by64 = planOf({ levels: [64] }, LARGE, 3 / LARGE.rows);
  t.not(chooseStrategy(by64, filter, idle(LARGE)).kind, 'filtered');
  t.not(chooseStrategy(plan, filterOf(3, false), idle(LARGE)).kind, 'filtered');
});

t.test('the estimate never decreases with effort', async (t) => {
  const at = (effort: number) => estimateMs(planOf({ effort }, SMALL), SMALL);
  for (let step = 1; step <= 20; step++) t.ok(at(step / 20) >= at((step - 1) / 20));
});

t.test(
  'every strategy can be executed: its parts cover all rows and its threads exist',
  async (t) => {
    const kinds = new Set<Strategy['kind']>();
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(
          fc.record({
            effort: fc.double({ min: 0, max: 1, noNaN: true }),
            exact: fc.boolean(),
            by64: fc.boolean(),
            large: fc.boolean(),
            few: fc.option(fc.integer({ min: 0, max: 1000 })),
            mayBeOnDisk: fc.boolean(),
            threads: fc.integer({ min: 1, max: 16 }),
            working: fc.nat(16),
            busy: fc.boolean(),
            crowded: fc.boolean(),
            usesGraph: fc.boolean(),
          }),
          ({ effort, exact, by64, large, few, working, ...rest }) => {
            const shape = large ? LARGE : SMALL;
            const plan = planOf({ effort, exact, ...(by64 ? { levels: [64] } : {}) }, shape);
            const filter = few === null ? null : filterOf(few, true);
            const idleThreads = Math.max(0, rest.threads - working);
            const strategy = chooseStrategy(plan, filter, { ...rest, shape, idleThreads });
            kinds.add(strategy.kind);
            if (strategy.kind === 'split')
              return strategy.parts > 1 && strategy.parts <= idleThreads;
            if (strategy.kind === 'exhaustive') {
              return exact && strategy.parts >= 1 && strategy.parts <= rest.threads;
            }
            if (strategy.kind === 'filtered') return strategy.rows.length === few;
            return !(strategy.kind === 'coalesced' && rest.usesGraph);
          },
        ),
        { verbose: 1, numRuns: 1000 },
      ),
    );
    t.equal(kinds.size, 6, 'all six were met');
  },
);
