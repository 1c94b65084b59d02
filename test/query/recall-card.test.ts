// The recall card: measured and stored by a build, and confirmed by other queries.
import { join } from 'node:path';
import t from 'tap';
import { openIndex, type RecallCard } from '../../src/index.js';
import { buildIndex } from '../../src/indexer/build-index.js';
import { effortFor, recallAt } from '../../src/query/recall/recall-card.js';
import { clusteredVectors, nearest, rowOf } from './fixture.js';

const DIMS = 64;
const ROWS = 6000;

const card: RecallCard = {
  rows: 1000,
  queries: 100,
  steps: [
    { effort: 0, probedLists: 1, scannedRows: 10, recall: { '64': { at10: 0.4, at100: 0.2 } } },
    { effort: 0.5, probedLists: 9, scannedRows: 90, recall: { '64': { at10: 0.8, at100: 0.6 } } },
    { effort: 1, probedLists: 99, scannedRows: 990, recall: { '64': { at10: 0.8, at100: 0.9 } } },
  ],
};

t.test('efforts and recalls are interpolated', async (t) => {
  t.equal(recallAt(card, 0, '64', 10), 0.4);
  t.ok(Math.abs((recallAt(card, 0.25, '64', 10) as number) - 0.6) < 1e-12);
  t.ok(Math.abs((recallAt(card, 0.75, '64', 100) as number) - 0.75) < 1e-12);
  t.equal(recallAt(card, 0.5, '512', 10), null);
  t.ok(Math.abs(effortFor(card, 0.6, '64', 10) - 0.25) < 1e-12);
  t.equal(effortFor(card, 0.9, '64', 10), 1, 'no effort reaches it');
  t.ok(Math.abs(effortFor(card, 0.75, '64', 100) - 0.75) < 1e-12);
});

t.test('a build measures what its efforts find', async (t) => {
  const path = join(t.testdir(), 'v.corvid');
  const all = clusteredVectors(ROWS + 300, DIMS, 200, 3);
  const vectors = all.subarray(0, ROWS * DIMS);
  const batches = async function* () {
    yield { vectors };
  };
  const stream = { name: 'all', dims: DIMS, batches: batches() };
  await buildIndex({ sources: [stream], out: path, vectors: 'none', lists: 24, threads: 2 });
  await using index = await openIndex(path, { threads: 2 });
  const { recallCard } = await index.info();
  t.ok(recallCard);
  const { steps, queries, rows } = recallCard as RecallCard;
  t.equal(rows, ROWS);
  t.ok(queries >= 200, `${queries} queries`);
  t.equal(steps.at(-1)?.probedLists, 24, 'effort 1 scans all lists');
  const first = steps[0]?.recall['64']?.at10 as number;
  const last = steps.at(-1)?.recall['64']?.at10 as number;
  t.ok(first < last, `${first} at effort 0, ${last} at effort 1`);
  t.ok(
    steps.every((step, i) => step.scannedRows >= (steps[i - 1]?.scannedRows ?? 0) * 0.9 || i < 2),
  );

  t.same(await index.measureRecall(), recallCard, 'measured again, it is the same');

  const fresh = Array.from({ length: 300 }, (_, i) => rowOf(all, DIMS, ROWS + i));
  const neighbours = fresh.map((query) => nearest(vectors, query, 10));
  for (const share of [0.7, 0.9]) {
    const targetRecall = first + share * (last - first);
    const results = await index.searchBatch(fresh, { targetRecall });
    let found = 0;
    results.forEach(({ ids }, i) => {
      found += neighbours[i]?.filter((id) => ids.includes(id)).length ?? 0;
    });
    const expected = results[0]?.expectedRecall as number;
    t.ok(Math.abs(expected - targetRecall) < 1e-6, 'the expected recall is the target');
    // Two samples of 300 and 256 queries: three standard errors are .04.
    const recall = found / 3000;
    t.ok(Math.abs(recall - targetRecall) < 0.04, `recall ${recall}, target ${targetRecall}`);
  }
  const beyond = await index.search(fresh[0] as Float32Array, { targetRecall: 0.999 });
  t.ok(
    (beyond.expectedRecall as number) < 0.999,
    'a recall that no effort reaches is not promised',
  );
  const filtered = await index.search(fresh[0] as Float32Array, { where: 'id < 3000' });
  t.equal(filtered.expectedRecall, null, 'the card does not hold with filters');
});

t.test('a small index has no card', async (t) => {
  const path = join(t.testdir(), 'v.corvid');
  const vectors = clusteredVectors(300, DIMS, 20, 4);
  const batches = async function* () {
    yield { vectors };
  };
  await buildIndex({ sources: [{ name: 'few', dims: DIMS, batches: batches() }], out: path });
  await using index = await openIndex(path);
  t.equal((await index.info()).recallCard, null);
  t.equal(await index.measureRecall(), null);
  await t.rejects(index.search(rowOf(vectors, DIMS, 0), { targetRecall: 0.9 }), {
    code: 'ERR_USAGE',
  });
});
