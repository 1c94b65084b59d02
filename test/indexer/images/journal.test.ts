// A journal that is cut or damaged at any byte gives back a prefix of what was written, whole
// records only, and can be appended to from there.
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type EmbeddedImage, Journal } from '../../../src/indexer/images/journal.js';
import { native } from '../../../src/native/addon.js';
import { clusteredVectors } from '../vector-files.js';

const DIMS = 16;
const settings = { encoder: 'e', dims: DIMS };

function image(i: number): EmbeddedImage {
  return {
    path: `/photos/é${i}.jpg`,
    key: `é${i}.jpg`,
    bytes: 100 + i,
    modifiedMs: 1000 + i,
    sha256: `${i}`.repeat(4),
    width: 640,
    height: 480,
    taken: null,
    latitude: i / 7,
    longitude: null,
    damaged: false,
  };
}

const skip = (i: number) => ({
  path: `/photos/bad${i}.jpg`,
  code: 'ERR_IMAGE_EMPTY',
  reason: 'empty',
  bytes: 0,
  modifiedMs: i,
});

/** Journals images 0…count-1 in small batches, with a skipped file after each. */
async function writeJournal(path: string, count: number, vectors: Float32Array): Promise<void> {
  const journal = await Journal.open(path, settings);
  for (let i = 0; i < count; i += 3) {
    const batch = [i, i + 1, i + 2].filter((n) => n < count);
    await journal.addImages(
      batch.map(image),
      vectors.subarray(i * DIMS, (i + batch.length) * DIMS),
    );
    await journal.addSkipped([skip(i)]);
  }
  await journal.close();
}

t.test('what is written comes back, in any order', async (t) => {
  const path = join(t.testdir(), 'staging', 'journal.bin');
  const vectors = clusteredVectors(10, DIMS, 1);
  await writeJournal(path, 10, vectors);
  const journal = await Journal.open(path, settings);
  t.teardown(() => journal.close());
  t.equal(journal.images.size, 10);
  t.same(
    [...journal.skipped.keys()],
    [0, 3, 6, 9].map((i) => `/photos/bad${i}.jpg`),
  );
  const order = [7, 0, 9, 3];
  const images = order.map((i) => journal.images.get(image(i).path));
  t.match(images[0], image(7));
  const halves = await journal.readEmbeddings(images.filter((entry) => entry !== undefined));
  const floats = native.toUnit(halves, DIMS);
  order.forEach((i, row) => {
    const expected = vectors.subarray(i * DIMS, (i + 1) * DIMS);
    const found = floats.subarray(row * DIMS, (row + 1) * DIMS);
    t.ok(expected.every((value, d) => Math.abs(value - (found[d] as number)) < 1e-3));
  });
});

t.test('writes that overlap keep each image with its embedding', async (t) => {
  const path = join(t.testdir(), 'journal.bin');
  const journal = await Journal.open(path, settings);
  t.teardown(() => journal.close());
  const vectors = clusteredVectors(40, DIMS, 1);
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      i % 4 === 3
        ? journal.addSkipped([skip(i)])
        : journal.addImages([image(i)], vectors.subarray(i * DIMS, (i + 1) * DIMS)),
    ),
  );
  t.equal(journal.images.size, 30);
  for (const [i, entry] of [...journal.images.values()].map((e) => [e.bytes - 100, e] as const)) {
    const found = native.toUnit(await journal.readEmbeddings([entry]), DIMS);
    const expected = vectors.subarray(i * DIMS, (i + 1) * DIMS);
    if (!expected.every((value, d) => Math.abs(value - (found[d] as number)) < 1e-3)) {
      t.fail(`the embedding of image ${i} is another one's`);
    }
  }
});

t.test('the latest record of a path counts', async (t) => {
  const journal = await Journal.open(join(t.testdir(), 'journal.bin'), settings);
  t.teardown(() => journal.close());
  const vectors = clusteredVectors(2, DIMS, 1);
  await journal.addImages([image(1)], vectors.subarray(0, DIMS));
  await journal.addSkipped([{ ...skip(1), path: image(1).path }]);
  t.equal(journal.images.size, 0);
  await journal.addImages([{ ...image(1), bytes: 7 }], vectors.subarray(DIMS));
  t.equal(journal.images.get(image(1).path)?.bytes, 7);
  t.equal(journal.skipped.size, 0);
});

t.test('other settings begin a journal anew', async (t) => {
  const path = join(t.testdir(), 'journal.bin');
  await writeJournal(path, 5, clusteredVectors(5, DIMS, 1));
  const other = await Journal.open(path, { encoder: 'another', dims: DIMS });
  t.equal(other.images.size, 0);
  await other.close();
  const again = await Journal.open(path, settings);
  t.equal(again.images.size, 0);
  await again.close();
});

t.test('a journal cut or damaged anywhere gives a whole prefix and goes on', async (t) => {
  const dir = t.testdir();
  const whole = join(dir, 'whole.bin');
  const path = join(dir, 'journal.bin');
  const vectors = clusteredVectors(12, DIMS, 1);
  await writeJournal(whole, 12, vectors);
  const bytes = readFileSync(whole);
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length), fc.boolean(), async (at, cut) => {
      const damaged = Buffer.from(bytes);
      if (!cut && at < damaged.length) damaged[at] = (damaged[at] as number) ^ 0x55;
      writeFileSync(path, damaged);
      if (cut) truncateSync(path, at);
      const journal = await Journal.open(path, settings);
      const kept = [...journal.images.values()];
      if (!kept.every((entry, i) => entry.path === image(i).path)) return false;
      await journal.addImages([image(99)], vectors.subarray(0, DIMS));
      await journal.close();
      const again = await Journal.open(path, settings);
      const size = again.images.size;
      await again.close();
      return size === kept.length + 1 && (at < bytes.length || size === 13);
    }),
    { seed, numRuns: 150 },
  );
});
