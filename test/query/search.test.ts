// Searching vectors: hits agree with brute force over the floats, in a total order, page by page.
import { inspect } from 'node:util';
import t from 'tap';
import {
  type CorvidError,
  type Hit,
  openIndex,
  type QueryInput,
  type SearchOptions,
  type SearchResult,
} from '../../src/index.js';
import {
  clusteredVectors,
  cosines,
  makeIndex,
  nearest,
  recall,
  rowOf,
  sharedIndex,
} from './fixture.js';

const DIMS = 128;
const ROWS = 4500;
const all = clusteredVectors(ROWS, DIMS, 45, 1);
const queries = Array.from({ length: 40 }, (_, i) => rowOf(all, DIMS, i * 111));
const thirds = [0, 1, 2].map((i) => all.slice((i * ROWS * DIMS) / 3, ((i + 1) * ROWS * DIMS) / 3));

const codes = () => sharedIndex('codes', { dims: DIMS, parts: [all] });
const withVectors = () => sharedIndex('vectors', { dims: DIMS, parts: [all], vectors: true });
const segments = () => sharedIndex('segments', { dims: DIMS, train: all, parts: thirds });
const neighbours = queries.map((query) => nearest(all, query, 10));

const failing = async (call: Promise<unknown>): Promise<CorvidError> =>
  call.then(
    () => {
      throw new Error('was not refused');
    },
    (error) => error,
  );

async function meanRecall(path: string, options: SearchOptions): Promise<number> {
  await using index = await openIndex(path);
  let sum = 0;
  for (const [i, query] of queries.entries()) {
    const { hits } = await index.search(query, options);
    sum += recall(
      hits.map(({ id }) => id),
      neighbours[i] as number[],
    );
  }
  return sum / queries.length;
}

t.test('codes alone find most of the true neighbours', async (t) => {
  const path = await codes();
  const fast = await meanRecall(path, { effort: 0.1, levels: [64] });
  const normal = await meanRecall(path, {});
  const exhaustive = await meanRecall(path, { effort: 1 });
  const exact = await meanRecall(path, { exact: true });
  t.comment({ fast, normal, exhaustive, exact });
  t.ok(normal > 0.6, `recall@10 of ${normal}`);
  t.ok(normal > fast);
  t.ok(exhaustive >= normal - 0.01);
  t.ok(exact >= exhaustive - 0.01);
});

t.test('with stored vectors the answer is nearly exact', async (t) => {
  const path = await withVectors();
  t.ok((await meanRecall(path, { effort: 1 })) > 0.93);
  t.ok((await meanRecall(path, { exact: true })) > 0.93);
  await using index = await openIndex(path);
  const query = queries[3] as Float32Array;
  const { hits, exact, scannedRows, rescored } = await index.search(query, { exact: true });
  t.equal(exact, true);
  t.equal(scannedRows, ROWS);
  t.equal(rescored, true);
  const exactCosines = cosines(all, query);
  for (const { id, score } of hits) t.ok(Math.abs(score - (exactCosines[id] as number)) < 0.01);
  t.same(
    hits.map(({ score }) => score),
    hits.map(({ score }) => score).sort((a, b) => b - a),
  );
});

t.test('a result describes its search', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const result = await index.search(queries[0] as Float32Array);
  t.match(result, { exact: false, rows: ROWS, matchingRows: ROWS, lists: 64 });
  t.ok(result.probedLists > 0 && result.probedLists < 64);
  t.ok(result.scannedRows > 0 && result.scannedRows < ROWS);
  t.strictSame(result.levels.at(-1), 128);
  const { totalMs, ...steps } = result.timings;
  const sum = Object.values(steps).reduce((a, b) => a + b, 0);
  t.ok(totalMs >= sum * 0.99, 'the steps are part of the whole');
  t.equal(result.hits[0]?.id, 0, 'an image is nearest to itself');
  t.equal(result.hits[0]?.path, null);
});

t.test('several segments give the answers of one', async (t) => {
  const one = await codes();
  const three = await segments();
  await using single = await openIndex(one);
  await using several = await openIndex(three);
  for (const query of queries.slice(0, 10)) {
    const options = { effort: 1, limit: 20 };
    const [a, b] = [await single.search(query, options), await several.search(query, options)];
    t.same(
      b.hits.map(({ id, score }) => [id, score]),
      a.hits.map(({ id, score }) => [id, score]),
    );
  }
});

t.test('any number of workers gives the same answers', async (t) => {
  const path = await segments();
  const some = queries.slice(0, 12);
  const options: SearchOptions[] = [{}, { effort: 1, limit: 300 }, { exact: true }];
  const reference: string[] = [];
  for (const threads of [1, 2, 4]) {
    await using index = await openIndex(path, { threads });
    for (const [i, option] of options.entries()) {
      const alone: Hit[][] = [];
      for (const query of some) alone.push((await index.search(query, option)).hits);
      // Concurrently, so that workers answer whole queries; and as a batch.
      const together = await Promise.all(some.map((query) => index.search(query, option)));
      const batch = await index.searchBatch(some, option);
      const answer = JSON.stringify(alone);
      reference[i] ??= answer;
      t.equal(answer === reference[i], true, `${threads} threads, ${JSON.stringify(option)}`);
      t.equal(JSON.stringify(together.map(({ hits }) => hits)) === answer, true, 'together');
      t.equal(JSON.stringify(batch.map(({ hits }) => hits)) === answer, true, 'as a batch');
    }
  }
});

t.test('hits of equal score are ordered by id', async (t) => {
  const same = new Float32Array(DIMS * 300);
  for (let i = 0; i < 300; i++) same.set(rowOf(all, DIMS, i % 3), i * DIMS);
  const path = await makeIndex({ dims: DIMS, train: all, parts: [same], lists: 8 });
  await using index = await openIndex(path);
  const { hits } = await index.search(rowOf(all, DIMS, 1), { limit: 100 });
  t.same(
    hits.map(({ id }) => id),
    Array.from({ length: 100 }, (_, i) => 3 * i + 1),
  );
});

t.test('pages are consecutive parts of one answer', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const query = queries[5] as Float32Array;
  const long = (await index.search(query, { limit: 100 })).hits;
  t.equal(long.length, 100);
  for (const offset of [0, 10, 50, 90]) {
    const { hits } = await index.search(query, { offset, limit: 10 });
    t.same(hits, long.slice(offset, offset + 10));
  }
  const iterated = [];
  for await (const hit of index.iterate(query, { limit: 7 })) {
    iterated.push(hit);
    if (iterated.length === 250) break;
  }
  t.same(iterated.slice(0, 100), long);
  t.equal(new Set(iterated.map(({ id }) => id)).size, 250, 'nothing comes twice');
});

t.test('an iteration ends after every item', async (t) => {
  const few = all.slice(0, 300 * DIMS);
  const path = await makeIndex({ dims: DIMS, train: all, parts: [few], lists: 16 });
  await using index = await openIndex(path);
  const ids = [];
  for await (const { id } of index.iterate(queries[0] as Float32Array)) ids.push(id);
  t.same(
    ids.sort((a, b) => a - b),
    Array.from({ length: 300 }, (_, i) => i),
  );
  const { hits } = await index.search(queries[0] as Float32Array, { limit: 1000, effort: 0 });
  t.equal(hits.length, 300, 'a search gives as many hits as there are, at any effort');
});

t.test(
  'less effort never scans more rows, even for more hits than the nearest lists hold',
  async (t) => {
    const path = await makeIndex({ dims: DIMS, parts: [all], lists: 512 });
    await using index = await openIndex(path);
    for (const limit of [10, 100, 700]) {
      let before = 0;
      for (const effort of [0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]) {
        let scanned = 0;
        for (const query of queries) {
          const result = await index.search(query, { limit, effort, levels: [64] });
          t.equal(result.hits.length, limit);
          scanned += result.scannedRows;
        }
        t.ok(
          scanned >= before,
          `${limit} hits at effort ${effort}: ${scanned} rows after ${before}`,
        );
        before = scanned;
      }
      t.equal(before, ROWS * queries.length, 'all at effort 1');
    }
  },
);

t.test('minScore excludes hits below it', async (t) => {
  const path = await withVectors();
  await using index = await openIndex(path);
  const query = queries[2] as Float32Array;
  const { hits } = await index.search(query, { limit: 50 });
  const minScore = hits[20]?.score as number;
  const cut = await index.search(query, { limit: 50, minScore });
  t.same(cut.hits, hits.slice(0, 21));
  const iterated = [];
  for await (const hit of index.iterate(query, { minScore })) iterated.push(hit);
  t.same(iterated, cut.hits);
  t.same((await index.search(query, { minScore: 2 })).hits, []);
});

t.test('scoring by Hamming distance counts bits', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const { hits } = await index.search(queries[0] as Float32Array, { scoring: 'hamming' });
  for (const { score } of hits) t.ok(Number.isInteger(((1 - score) / 2) * 64), `${score}`);
  t.ok((hits[0]?.score as number) > 0.6);
});

t.test('an invalid query is refused with a specific error', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const refused = async (query: unknown, code: string, options: SearchOptions = {}) =>
    t.equal((await failing(index.search(query as string, options))).code, code, code);
  await refused(new Float32Array(DIMS + 1).fill(1), 'ERR_DIMENSION');
  await refused(new Float32Array(DIMS), 'ERR_VECTOR_INVALID');
  await refused(new Float32Array(DIMS).fill(Number.NaN), 'ERR_VECTOR_INVALID');
  await refused('a dog', 'ERR_NO_ENCODER');
  await refused('', 'ERR_QUERY');
  await refused([], 'ERR_QUERY');
  await refused({}, 'ERR_QUERY');
  await refused({ text: 'a', item: 1 }, 'ERR_QUERY');
  await refused({ item: 1, weight: 0 }, 'ERR_QUERY');
  await refused({ item: ROWS }, 'ERR_ITEM_NOT_FOUND');
  await refused({ item: 'no such key' }, 'ERR_ITEM_NOT_FOUND');
  await refused({ item: 1 }, 'ERR_USAGE', { limit: -1 });
  await refused({ item: 1 }, 'ERR_USAGE', { levels: [4096] });
  await refused({ item: 1 }, 'ERR_USAGE', { limits: 3 } as SearchOptions);
  await refused({ item: 1 }, 'ERR_USAGE', 10 as SearchOptions);
  for (const opening of [
    openIndex(undefined as unknown as string),
    openIndex(path, { thread: 1 } as object),
  ]) {
    t.equal((await failing(opening)).code, 'ERR_USAGE');
  }
  await refused({ item: 1 }, 'ERR_WHERE', { where: 'colour = 1' });
  const cancelling = [{ item: 1 }, { item: 1, weight: -1 }];
  await refused(cancelling, 'ERR_QUERY');
});

t.test('parts of a query are added and subtracted', async (t) => {
  const path = await withVectors();
  await using index = await openIndex(path);
  const ids = async (query: Parameters<typeof index.search>[0]) =>
    (await index.search(query, { limit: 20, effort: 1 })).hits.map(({ id }) => id);
  const [a, b] = [rowOf(all, DIMS, 10), rowOf(all, DIMS, 11)];
  const sum = a.map((v, d) => v + (b[d] as number));
  t.same(await ids([{ vector: a }, { vector: b }]), await ids(sum));
  const less = a.map((v, d) => 2 * v - 0.5 * (b[d] as number));
  const parts = [
    { vector: a, weight: 2 },
    { vector: b, weight: -0.5 },
  ];
  t.same(await ids(parts), await ids(less));
  t.same(
    await ids({ vector: a, weight: 3 }),
    await ids(a),
    'the weight of a single part does not matter',
  );
  const like = await ids({ item: 10 });
  t.notOk(like.includes(10), 'an item of the query is not a hit');
  const near = (await ids(a)).filter((id) => id !== 10);
  t.ok(recall(like, near.slice(0, 10)) > 0.9);
});

t.test('an aborted search ends with ERR_ABORTED', async (t) => {
  const path = await codes();
  await using index = await openIndex(path);
  const query = queries[0] as Float32Array;
  const signal = AbortSignal.abort();
  t.equal((await failing(index.search(query, { signal }))).code, 'ERR_ABORTED');
  const later = new AbortController();
  const call = index.searchBatch(queries, { exact: true, signal: later.signal });
  later.abort();
  t.equal((await failing(call)).code, 'ERR_ABORTED');
  t.equal((await index.search(query)).hits.length, 10, 'the index still answers');
});

t.test('close() waits for running searches, then refuses new ones', async (t) => {
  const path = await codes();
  const index = await openIndex(path);
  const running = queries.map((query) => index.search(query, { effort: 1 }));
  const closing = index.close();
  t.equal((await Promise.all(running)).length, queries.length);
  await closing;
  await index.close();
  const query = queries[0] as Float32Array;
  t.equal((await failing(index.search(query))).code, 'ERR_CLOSED');
  t.equal((await failing(index.searchBatch([query]))).code, 'ERR_CLOSED');
  t.equal((await failing(index.iterate(query).next())).code, 'ERR_CLOSED');
  t.equal((await failing(index.get(1))).code, 'ERR_CLOSED');
  t.equal((await failing(index.info())).code, 'ERR_CLOSED');
  t.equal((await failing(index.verify())).code, 'ERR_CLOSED');
});

t.test('eight concurrent clients get the answers of one', async (t) => {
  await using index = await openIndex(await codes(), { threads: 2 });
  const alone: string[] = [];
  for (const query of queries) alone.push(JSON.stringify((await index.search(query)).hits));
  let different = 0;
  await Promise.all(
    Array.from({ length: 8 }, async (_, client) => {
      for (let i = 0; i < queries.length; i++) {
        const which = (i + client * 5) % queries.length;
        const { hits } = await index.search(queries[which] as Float32Array);
        if (JSON.stringify(hits) !== alone[which]) different++;
      }
    }),
  );
  t.equal(different, 0);
});

t.test(
  'a batch of several kinds of queries gives each the answer it would get alone',
  async (t) => {
    await using index = await openIndex(await codes(), { threads: 2 });
    const few = queries.slice(0, 10) as Float32Array[];
    // Vectors, parts, and items, which are planned differently.
    const mixed: QueryInput[] = few.flatMap((vector, i) => [
      vector,
      [{ vector }, { vector: few[(i + 1) % few.length] as Float32Array, weight: -0.3 }],
      { item: i * 7 },
    ]);
    const alone: string[] = [];
    for (const query of mixed) alone.push(JSON.stringify((await index.search(query)).hits));
    const hitsOf = (results: SearchResult[]) => results.map(({ hits }) => JSON.stringify(hits));
    t.strictSame(hitsOf(await index.searchBatch(mixed)), alone);
    // Concurrent batches do not share memory, nor does a smaller batch after a larger one.
    const bare = (rows: Float32Array[]) => index.searchBatch(rows).then(hitsOf);
    const expected = await bare(few);
    const [first, again, turned] = await Promise.all([
      bare(few),
      bare(few),
      bare(few.toReversed()),
    ]);
    t.strictSame([first, again, turned], [expected, expected, expected.toReversed()]);
    t.strictSame(await bare(few.slice(3)), expected.slice(3));
    // A hole is not a query, although its memory holds a vector of an earlier batch.
    const holed = new Array<Float32Array>(3).concat(few.slice(0, 1));
    t.equal((await failing(index.searchBatch(holed))).code, 'ERR_QUERY');
  },
);

t.test('a result prints its hits in JSON and in the console', async (t) => {
  await using index = await openIndex(await codes());
  const result = await index.search(queries[0] as Float32Array, { limit: 3 });
  const printed = JSON.parse(JSON.stringify(result));
  t.strictSame(printed.hits, JSON.parse(JSON.stringify(result.hits)));
  t.equal(printed.timings.totalMs, result.timings.totalMs);
  t.notOk('ids' in printed, 'and does not repeat them as arrays');
  t.strictSame(JSON.parse(JSON.stringify({ ...result.toJSON() })), printed);
  t.match(inspect(result), `id: ${result.hits[0]?.id}`);
  t.same(
    result.hits.map(({ id, score }) => [id, score]),
    Array.from(result.ids, (id, i) => [id, result.scores[i]]),
  );
});
