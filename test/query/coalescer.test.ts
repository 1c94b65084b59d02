// Concurrent queries share calls to the workers, and every answer stays the same.
import t from 'tap';
import { openIndex } from '../../src/index.js';
import { clusteredVectors, makeIndex, rowOf } from './fixture.js';

const DIMS = 128;
const ROWS = 2000;
const vectors = clusteredVectors(ROWS, DIMS, 40, 3);
const queries = Array.from({ length: 40 }, (_, i) => rowOf(vectors, DIMS, i * 49));

t.test('concurrent callers get what each would get alone', async (t) => {
  const path = await makeIndex({ dims: DIMS, parts: [vectors], levels: [64, 128] });
  await using index = await openIndex(path, { threads: 2 });
  const wide = { effort: 0.9, limit: 20 };
  const narrow = { effort: 0.8, limit: 10, where: 'id % 3 = 0' };
  const alone = [];
  for (const [i, query] of queries.entries()) {
    alone.push((await index.search(query, i % 2 === 0 ? wide : narrow)).hits);
  }
  const together = await Promise.all(
    queries.map((query, i) => index.search(query, i % 2 === 0 ? wide : narrow)),
  );
  t.same(
    together.map(({ hits }) => hits),
    alone,
  );
});

t.test('an aborted query does not affect those coalesced with it', async (t) => {
  const path = await makeIndex({ dims: DIMS, parts: [vectors], levels: [64, 128] });
  await using index = await openIndex(path, { threads: 1 });
  const given = new AbortController();
  const calls = queries.map((query, i) =>
    index.search(query, { effort: 0.9, ...(i % 4 === 3 ? { signal: given.signal } : {}) }),
  );
  setImmediate(() => given.abort());
  const settled = await Promise.allSettled(calls);
  settled.forEach((result, i) => {
    if (result.status === 'fulfilled') t.equal(result.value.hits.length, 10);
    else t.ok(i % 4 === 3 && result.reason.code === 'ERR_ABORTED', `${result.reason}`);
  });
  t.ok(
    settled.some(({ status }) => status === 'rejected'),
    'some had not begun',
  );
});

t.test('closing waits for coalesced queries', async (t) => {
  const path = await makeIndex({ dims: DIMS, parts: [vectors], levels: [64, 128] });
  const index = await openIndex(path, { threads: 1 });
  const calls = queries.map((query) => index.search(query, { effort: 0.9 }));
  await index.close();
  for (const { hits } of await Promise.all(calls)) t.equal(hits.length, 10);
});
