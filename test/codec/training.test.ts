// Training and codec files: determinism, cancellation, round trips, refusals.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encodeEmbeddings, openCodec, saveCodec, trainCodec } from '../../src/codec/codec.js';
import { CorvidError } from '../../src/errors.js';
import { clusteredRows } from './synthetic.js';

const DIMS = 128;
const ROWS = 3000;
const OPTIONS = {
  dims: DIMS,
  method: 'trained',
  levels: [64, 128],
  lists: 32,
  groups: 4,
  outerGroups: 2,
  seed: 7,
  threads: 2,
} as const;
const trained = () => ({ ...OPTIONS, levels: [...OPTIONS.levels] });
const sample = clusteredRows(ROWS, DIMS, 1);
const dir = mkdtempSync(join(tmpdir(), 'corvid-codec-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));

t.test('the same seed gives the same bytes for any number of threads', async (t) => {
  const one = await trainCodec(sample, { ...trained(), threads: 1 });
  const three = await trainCodec(sample, { ...trained(), threads: 3 });
  const other = await trainCodec(sample, { ...trained(), seed: 8 });
  t.equal(one.info().uuid, three.info().uuid);
  t.not(one.info().uuid, other.info().uuid);
  await saveCodec(one, join(dir, 'one.bin'));
  await saveCodec(three, join(dir, 'three.bin'));
  t.ok(readFileSync(join(dir, 'one.bin')).equals(readFileSync(join(dir, 'three.bin'))));
  const few = await encodeEmbeddings(one, sample, { vectors: true, threads: 1 });
  const many = await encodeEmbeddings(one, sample, { vectors: true, threads: 3 });
  t.same(few, many);
});

t.test('a codec that was saved and opened encodes and routes as before', async (t) => {
  for (const method of ['trained', 'rotation'] as const) {
    const counts = method === 'rotation' ? { lists: 1, groups: 1, outerGroups: 1 } : {};
    const codec = await trainCodec(sample, { ...trained(), ...counts, method });
    const path = join(dir, `${method}.bin`);
    await saveCodec(codec, path);
    const opened = openCodec(path);
    t.same(opened.info(), codec.info());
    t.equal(opened.info().method, method);
    t.equal(opened.info().fileBytes, readFileSync(path).length);
    const rows = clusteredRows(200, DIMS, 2);
    const options = { vectors: true, threads: 2 };
    t.same(
      await encodeEmbeddings(opened, rows, options),
      await encodeEmbeddings(codec, rows, options),
    );
    t.same(opened.routingCentroids(), codec.routingCentroids());
    t.same(opened.nearestLists(rows, 1), codec.nearestLists(rows, 1));
  }
});

t.test('training reports its phases and stops when the signal fires', async (t) => {
  const phases = new Set<string>();
  const big = clusteredRows(20_000, DIMS, 3);
  const controller = new AbortController();
  const run = trainCodec(big, {
    ...trained(),
    lists: 512,
    signal: controller.signal,
    onProgress: ({ phase, done, total }) => {
      phases.add(phase);
      t.ok(done <= total);
      controller.abort();
    },
  });
  await t.rejects(run, { code: 'ERR_ABORTED' });
  t.ok(phases.size > 0);
  await t.rejects(trainCodec(big, { ...trained(), signal: AbortSignal.abort() }), {
    code: 'ERR_ABORTED',
  });
});

t.test('options and samples that contradict each other are refused', async (t) => {
  const refused = async (options: object, code: string) =>
    t.rejects(trainCodec(sample, { ...trained(), ...options }), { code });
  await refused({ lists: ROWS + 1 }, 'ERR_USAGE');
  await refused({ groups: 33 }, 'ERR_USAGE');
  await refused({ outerGroups: 5 }, 'ERR_USAGE');
  await refused({ levels: [64, 128, 256] }, 'ERR_USAGE');
  await refused({ levels: [128] }, 'ERR_USAGE');
  await refused({ method: 'rotation' }, 'ERR_USAGE');
  await refused({ dims: 127 }, 'ERR_DIMENSION');
});

t.test('a damaged codec file is refused by name', async (t) => {
  const codec = await trainCodec(sample, trained());
  const path = join(dir, 'whole.bin');
  await saveCodec(codec, path);
  const whole = readFileSync(path);
  const damaged = join(dir, 'damaged.bin');
  const HEADER_BYTES = 64;
  const number = (offset: number, value: number) => (bytes: Buffer) => {
    bytes.writeUInt32LE(value, HEADER_BYTES + offset);
    return bytes;
  };
  const scale =
    (section: number, after = 0) =>
    (bytes: Buffer) => {
      const start = Number(bytes.readBigUInt64LE(HEADER_BYTES + section));
      bytes.writeFloatLE(Number.NaN, HEADER_BYTES + start + after);
      return bytes;
    };
  const cases: [string, (bytes: Buffer) => Buffer][] = [
    ['cut short', (bytes) => bytes.subarray(0, bytes.length - 5)],
    ['lists', number(16, 1 << 20)],
    ['groups', number(20, 0)],
    ['levels', number(28, 9)],
    ['offsets', number(64, 64)],
    ['the scale of a center', scale(88)],
    ['the scale of a routing vector', scale(96, 16 * 128 * Math.ceil(trained().lists / 16))],
  ];
  for (const [name, damage] of cases) {
    writeFileSync(damaged, damage(Buffer.from(whole)));
    t.throws(() => openCodec(damaged), { code: 'ERR_FORMAT_CORRUPT', path: damaged }, name);
  }
  try {
    openCodec(join(dir, 'absent.bin'));
    t.fail('an absent file was opened');
  } catch (error) {
    t.ok(error instanceof CorvidError);
    t.equal((error as CorvidError).code, 'ERR_NOT_FOUND');
  }
});

t.test(
  'embeddings of fewer than 64 dimensions are padded, and a rotation needs one row',
  async (t) => {
    const short = clusteredRows(500, 20, 4);
    const options = { dims: 20, levels: [64], seed: 1, threads: 1 };
    const codec = await trainCodec(short, {
      ...options,
      method: 'trained',
      lists: 4,
      groups: 2,
      outerGroups: 1,
    });
    const batch = await encodeEmbeddings(codec, short, { vectors: true, threads: 1 });
    t.equal(batch.codes.length, 500 * 8);
    t.equal(batch.vectors?.length, 500 * 20);
    const single = await trainCodec(short.slice(0, 20), {
      ...options,
      method: 'rotation',
      lists: 1,
      groups: 1,
      outerGroups: 1,
    });
    t.equal((await encodeEmbeddings(single, short, { vectors: false, threads: 1 })).rows, 500);
  },
);
