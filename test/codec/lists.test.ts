// Lists found in two levels among more rows than the codec is trained on.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encodeEmbeddings, findLists, saveCodec, trainCodec } from '../../src/codec/codec.js';
import { type NativeByteSample, type NativeCodec, native } from '../../src/native/addon.js';
import { clusteredRows } from './synthetic.js';

const DIMS = 96;
const ROWS = 6000;
const TRAINING_ROWS = 600;
const OPTIONS = {
  dims: DIMS,
  method: 'trained',
  levels: [64],
  groups: 4,
  outerGroups: 1,
  seed: 7,
  threads: 2,
} as const;
const rows = clusteredRows(ROWS, DIMS, 1);
const training = rows.slice(0, TRAINING_ROWS * DIMS);
const dir = mkdtempSync(join(tmpdir(), 'corvid-lists-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

function byteSample(): NativeByteSample {
  const sample = new native.ByteSample(ROWS, DIMS);
  const half = (ROWS / 2) * DIMS;
  sample.add(rows.subarray(0, half));
  sample.add(rows.subarray(half));
  return sample;
}

async function codecWith(lists: number, threads: number, twoLevels: boolean): Promise<NativeCodec> {
  const found = twoLevels ? await findLists(byteSample(), { lists, seed: 7, threads }) : null;
  const options = { ...OPTIONS, levels: [64], lists, threads };
  return trainCodec(twoLevels ? training : rows, options, found);
}

/** Mean cosine between rows and the center of their list. */
async function closeness(codec: NativeCodec): Promise<number> {
  const { lists } = await encodeEmbeddings(codec, rows, { vectors: false, threads: 2 });
  const centers = codec.routingCentroids();
  let sum = 0;
  for (let row = 0; row < ROWS; row++) {
    const center = (lists[row] as number) * DIMS;
    for (let d = 0; d < DIMS; d++) {
      sum += (rows[row * DIMS + d] as number) * (centers[center + d] as number);
    }
  }
  return sum / ROWS;
}

t.test(
  'rows lie nearly as close to lists found in two levels as to those found in one',
  async (t) => {
    const [one, two] = [await codecWith(128, 2, false), await codecWith(128, 2, true)];
    const [near, nearly] = [await closeness(one), await closeness(two)];
    t.ok(1 - nearly < 1.1 * (1 - near), `cosine ${nearly} beside ${near}`);
  },
);

t.test('there may be more lists than training rows, and all are reached', async (t) => {
  const codec = await codecWith(1000, 2, true);
  t.equal(codec.info().lists, 1000);
  const { lists } = await encodeEmbeddings(codec, rows, { vectors: false, threads: 2 });
  t.ok(new Set(lists).size > 800, `${new Set(lists).size} lists have rows`);
  t.ok((await closeness(codec)) > (await closeness(await codecWith(128, 2, true))));
});

t.test('a code depends on its row alone', async (t) => {
  const codec = await codecWith(1000, 2, true);
  const bytes = codec.info().levels.length * 8;
  const whole = await encodeEmbeddings(codec, rows, { vectors: false, threads: 3 });
  for (const [first, count] of [
    [0, 1],
    [777, 33],
    [2000, 1500],
  ] as const) {
    const part = rows.slice(first * DIMS, (first + count) * DIMS);
    for (const threads of [1, 2]) {
      const { lists, codes } = await encodeEmbeddings(codec, part, { vectors: false, threads });
      t.same(lists, whole.lists.slice(first, first + count), `lists of ${count} rows`);
      t.same(codes, whole.codes.slice(first * bytes, (first + count) * bytes), 'and their codes');
    }
  }
});

t.test('the same seed gives the same bytes for any number of threads', async (t) => {
  const files = [1, 3].map((threads) => ({ threads, path: join(dir, `${threads}.bin`) }));
  for (const { threads, path } of files) await saveCodec(await codecWith(200, threads, true), path);
  const [one, three] = files.map(({ path }) => readFileSync(path));
  t.ok(three !== undefined && one?.equals(three));
});

t.test('lists serve one training only, and more lists than rows are refused', async (t) => {
  const found = await findLists(byteSample(), { lists: 64, seed: 7, threads: 2 });
  const options = { ...OPTIONS, levels: [64], lists: 64 };
  await trainCodec(training, options, found);
  await t.rejects(trainCodec(training, options, found), { code: 'ERR_USAGE' });
  const tooMany = { lists: ROWS + 1, seed: 7, threads: 2 };
  await t.rejects(findLists(byteSample(), tooMany), { code: 'ERR_USAGE' });
  const freed = byteSample();
  freed.free();
  t.throws(() => freed.add(training), { code: 'ERR_USAGE' });
  await t.rejects(findLists(freed, { lists: 4, seed: 7, threads: 2 }), { code: 'ERR_USAGE' });
});

t.test('finding lists can be cancelled', async (t) => {
  const controller = new AbortController();
  const options = { lists: 2000, seed: 7, threads: 1, signal: controller.signal };
  const run = findLists(byteSample(), options);
  controller.abort();
  await t.rejects(run, { code: 'ERR_ABORTED' });
});
