// slow: writes segments in many batches, and cuts writers off.
//
// The segment writer against a naive model: the same bytes for any batches, memory and skew.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type NativeCodec, type NativeSegmentWriter, native } from '../../src/native/addon.js';
import {
  CODE_BYTES,
  DIMS,
  makeCodec,
  randomNumbers,
  type SegmentRows,
  UUID,
  writeSegment,
} from './fixture.js';

const LISTS = 40;
const HEADER_BYTES = 64;
const codec: NativeCodec = await makeCodec(join(t.testdir(), 'codec.bin'), { lists: LISTS });

/** Rows with random codes; `listOf` and `idOf` choose list and id of the n-th row. */
function randomRows(
  rows: number,
  seed: number,
  listOf: (n: number, random: () => number) => number,
  idOf: (n: number) => number,
): SegmentRows {
  const random = randomNumbers(seed);
  const codes = Uint8Array.from({ length: rows * CODE_BYTES }, () => random() * 256);
  const vectors = Int8Array.from({ length: rows * DIMS }, () => random() * 256 - 128);
  const lists = Uint32Array.from({ length: rows }, (_, n) => listOf(n, random));
  const ids = Float64Array.from({ length: rows }, (_, n) => idOf(n));
  return { batch: { rows, lists, codes, vectors }, ids };
}

/** What FORMAT.md says the data of each file are. */
function model(batches: readonly SegmentRows[], withVectors: boolean): Record<string, Buffer> {
  const all = batches.flatMap(({ batch, ids }) =>
    Array.from({ length: batch.rows }, (_, row) => ({
      list: batch.lists[row] as number,
      id: BigInt(ids[row] as number),
      code: batch.codes.subarray(row * CODE_BYTES, (row + 1) * CODE_BYTES),
      vector: batch.vectors?.subarray(row * DIMS, (row + 1) * DIMS) ?? new Int8Array(0),
    })),
  );
  const ordered = all.map((row, n) => ({ ...row, n })).sort((a, b) => a.list - b.list || a.n - b.n);
  const plane64 = Buffer.alloc(Math.ceil(ordered.length / 32) * 256);
  for (const [row, { code }] of ordered.entries()) {
    for (let byte = 0; byte < 8; byte++) {
      plane64[Math.floor(row / 32) * 256 + byte * 32 + (row % 32)] = code[byte] as number;
    }
  }
  const idBytes = ordered.some(({ id }) => id > 0xffffffffn) ? 8 : 4;
  const rows = Buffer.alloc(ordered.length * idBytes);
  for (const [row, { id }] of ordered.entries()) {
    if (idBytes === 8) rows.writeBigUInt64LE(id, row * 8);
    else rows.writeUInt32LE(Number(id), row * 4);
  }
  const lists = Buffer.alloc(HEADER_BYTES + (LISTS + 1) * 8);
  Buffer.from(codec.info().uuid.replaceAll('-', ''), 'hex').copy(lists);
  lists.writeBigUInt64LE(BigInt(ordered.length), 16);
  lists.writeUInt32LE(LISTS, 24);
  lists.writeUInt32LE(64 + 128, 28);
  lists.writeUInt32LE(withVectors ? 1 : 0, 32);
  lists.writeUInt32LE(idBytes, 36);
  for (let list = 0; list <= LISTS; list++) {
    const first = ordered.findIndex((row) => row.list >= list);
    lists.writeBigUInt64LE(BigInt(first < 0 ? ordered.length : first), HEADER_BYTES + list * 8);
  }
  return {
    'lists.bin': lists,
    'plane-64.bin': plane64,
    'plane-128.bin': Buffer.concat(ordered.map(({ code }) => code.subarray(8))),
    'rows.bin': rows,
    ...(withVectors
      ? {
          'vectors.i8': Buffer.concat(
            ordered.map(({ vector }) => Buffer.from(vector.buffer, vector.byteOffset, DIMS)),
          ),
        }
      : {}),
  };
}

/** Data of a framed file, after its frame was checked against FORMAT.md. */
function dataOf(path: string): Buffer {
  const file = readFileSync(path);
  const header = file.subarray(0, HEADER_BYTES);
  const dataBytes = Number(header.readBigUInt64LE(48));
  const blocks = Math.ceil(dataBytes / 2 ** 20);
  if (header.subarray(0, 8).toString('latin1') !== 'CORVID\x1a\n') throw new Error('magic');
  if (header.subarray(32, 48).toString('hex') !== UUID.replaceAll('-', '')) throw new Error('uuid');
  if (header.readUInt32LE(60) !== native.crc32c(header.subarray(0, 60))) throw new Error('crc');
  if (file.length !== HEADER_BYTES + dataBytes + 4 * (blocks + 1)) throw new Error('length');
  const data = file.subarray(HEADER_BYTES, HEADER_BYTES + dataBytes);
  const footer = file.subarray(HEADER_BYTES + dataBytes);
  for (let block = 0; block < blocks; block++) {
    const checksum = native.crc32c(data.subarray(block * 2 ** 20, (block + 1) * 2 ** 20));
    if (checksum !== footer.readUInt32LE(block * 4)) throw new Error(`block ${block}`);
  }
  if (native.crc32c(footer.subarray(0, blocks * 4)) !== footer.readUInt32LE(blocks * 4)) {
    throw new Error('footer');
  }
  return data;
}

/** Names of the files whose data differ from the model's; none if all is well. */
function differences(dir: string, expected: Record<string, Buffer>): string[] {
  const names = new Set([...readdirSync(dir), ...Object.keys(expected)]);
  return [...names].filter(
    (name) =>
      !existsSync(join(dir, name)) ||
      !dataOf(join(dir, name)).equals(expected[name] ?? Buffer.of(1)),
  );
}

t.test('any batches come out in list order, each list in the order of adding', async (t) => {
  const folder = t.testdir();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 5 }),
      fc.integer({ min: 1, max: LISTS }),
      fc.boolean(),
      fc.constantFrom(0, 2 ** 32 - 20, 2 ** 32 + 7, 2 ** 53 - 500),
      fc.integer(),
      async (sizes, usedLists, vectors, firstId, seed) => {
        const dir = join(folder, `segment-${runs++}`);
        let id = firstId;
        const batches = sizes.map((rows, n) =>
          randomRows(
            rows,
            seed + n,
            (_, random) => Math.floor(random() * usedLists),
            () => id++,
          ),
        );
        const info = await writeSegment(dir, codec, batches, { vectors });
        t.strictSame(differences(dir, model(batches, vectors)), []);
        t.equal(info.rows, id - firstId);
        t.equal(info.vectors, vectors);
      },
    ),
    { numRuns: 40, verbose: true },
  );
});

t.test('skew and little memory change nothing: spilled, in several passes', async (t) => {
  const dir = join(t.testdir(), 'segment');
  // 11 MB of rows with 16 MiB of memory and room planned for one row: half of them in one list, a
  // third in ten lists, the rest anywhere; some lists stay empty. Wide ids come late.
  const rows = 18_000;
  const batches = Array.from({ length: 4 }, (_, n) =>
    randomRows(
      rows,
      n,
      (_, random) => {
        const dice = random();
        if (dice < 0.5) return 17;
        return Math.floor(random() * (dice < 0.83 ? 10 : LISTS - 5));
      },
      (row) => (n === 3 ? 2 ** 40 : 0) + n * rows + row,
    ),
  );
  await writeSegment(dir, codec, batches, { rowsHint: 1, memoryBytes: 1 });
  t.strictSame(differences(dir, model(batches, true)), []);
  const planned = join(t.testdir({ again: {} }), 'segment');
  await writeSegment(planned, codec, batches, { rowsHint: 4 * rows, memoryBytes: 20e6 });
  t.strictSame(differences(planned, model(batches, true)), []);
});

t.test('a segment of no rows is one', async (t) => {
  const dir = join(t.testdir(), 'segment');
  const info = await writeSegment(dir, codec, [], { vectors: false });
  t.match(info, { rows: 0, lists: LISTS, levels: [64, 128], vectors: false });
  t.strictSame(differences(dir, model([], false)), []);
});

t.test('wrong arguments are refused before anything is added', async (t) => {
  const dir = join(t.testdir(), 'segment');
  const writer = native.createSegmentWriter({
    dir,
    uuid: UUID,
    codec,
    vectors: true,
    rowsHint: 10,
    memoryBytes: 1e8,
  });
  const good = randomRows(
    10,
    1,
    () => 3,
    (n) => n,
  );
  const change = (batch: object, ids = good.ids) =>
    Promise.resolve().then(() => writer.append({ ...good.batch, ...batch }, ids));
  const usage = { code: 'ERR_USAGE' };
  await t.rejects(change({ rows: 11 }), usage);
  await t.rejects(change({ codes: good.batch.codes.subarray(1) }), usage);
  await t.rejects(change({ vectors: undefined }), usage);
  await t.rejects(change({ lists: Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, LISTS) }), usage);
  for (const id of [-1, 0.5, 2 ** 53, Number.NaN]) {
    await t.rejects(change({}, Float64Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, id)), usage);
  }
  t.throws(() => native.createSegmentWriter({ ...settingsOf(dir), uuid: 'no' }), usage);
  t.throws(() => native.createSegmentWriter(settingsOf(dir)), { code: 'ERR_IO', path: dir });
  await writer.append(good.batch, good.ids);
  await writer.finish();
  t.strictSame(differences(dir, model([good], true)), []);
  await t.rejects(change({}), { code: 'ERR_CLOSED' });
});

t.test('an aborted writer leaves nothing', async (t) => {
  const folder = t.testdir();
  const writer = native.createSegmentWriter(settingsOf(join(folder, 'segment')));
  const rows = randomRows(
    10,
    1,
    () => 3,
    (n) => n,
  );
  await writer.append(rows.batch, rows.ids);
  t.match(writer.progress(), { phase: 'spill', done: 10, total: 1000 });
  writer.abort();
  t.strictSame(readdirSync(folder), []);
  const late = Promise.resolve().then(() => writer.append(rows.batch, rows.ids));
  await t.rejects(late, { code: 'ERR_ABORTED' });
});

/** As little memory as there can be: a checkpoint after some 55,000 of these rows. */
const resumableIn = (dir: string) => ({ ...settingsOf(dir), memoryBytes: 1, resumable: true });

/** Batches of `rows` rows with consecutive ids, some of them wide. */
function someBatches(count: number, rows: number): SegmentRows[] {
  return Array.from({ length: count }, (_, n) =>
    randomRows(
      rows,
      n,
      (_, random) => Math.floor(random() ** 3 * LISTS),
      (row) => (n === count - 1 ? 2 ** 40 : 0) + n * rows + row,
    ),
  );
}

function rowsAfter({ batch, ids }: SegmentRows, first: number): SegmentRows {
  const { lists, codes, vectors } = batch;
  return {
    batch: {
      rows: batch.rows - first,
      lists: lists.slice(first),
      codes: codes.slice(first * CODE_BYTES),
      ...(vectors && { vectors: vectors.slice(first * DIMS) }),
    },
    ids: ids.slice(first),
  };
}

/** Adds what `writer` does not have yet, as far as `rows`. @returns rows added before */
async function addFrom(
  writer: NativeSegmentWriter,
  batches: readonly SegmentRows[],
  rows: number,
): Promise<number> {
  const resumed = writer.resumedRows();
  let first = 0;
  for (const one of batches) {
    const last = first + one.batch.rows;
    if (last > resumed && last <= rows) {
      const { batch, ids } = rowsAfter(one, Math.max(0, resumed - first));
      await writer.append(batch, ids);
    }
    first = last;
  }
  return resumed;
}

t.test('a writer that was cut off is gone on from, to the same bytes', async (t) => {
  const dir = join(t.testdir(), 'segment');
  const batches = someBatches(24, 9000);
  const total = 24 * 9000;
  const resumed: number[] = [];
  // While rows are added: the process is gone, and a power cut left junk after what was fsynced.
  for (const rows of [30_000, 80_000, 150_000, total]) {
    const writer = native.createSegmentWriter(resumableIn(dir));
    resumed.push(await addFrom(writer, batches, rows));
    for (const name of readdirSync(join(dir, 'spill'))) {
      appendFileSync(join(dir, 'spill', name), Buffer.alloc(5000, name));
    }
  }
  // While they are placed: stopped again and again, a little later each time.
  for (let round = 0; ; round++) {
    const writer = native.createSegmentWriter(resumableIn(dir));
    resumed.push(await addFrom(writer, batches, total));
    const finished = writer.finish().then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof Error && 'code' in error)) throw error;
        t.equal(error.code, 'ERR_ABORTED');
        return false;
      },
    );
    const timer = setTimeout(() => writer.abort(), 1 + round * 4);
    const done = await finished;
    clearTimeout(timer);
    if (done) break;
    for (const name of readdirSync(dir).filter((name) => name.startsWith('plane'))) {
      appendFileSync(join(dir, name), 'junk');
    }
  }
  const [first, second, third, fourth, ...others] = resumed as [number, number, number, number];
  t.equal(first, 0);
  t.equal(second, 0, 'too few rows for a checkpoint');
  t.ok(third > 0 && fourth > third, `checkpoints at ${third} and ${fourth}`);
  t.ok((others as number[]).length > 1, 'stopped while placing');
  t.strictSame(differences(dir, model(batches, true)), []);
  const again = native.createSegmentWriter(resumableIn(dir));
  t.equal(again.resumedRows(), total, 'a finished segment is known as such');
  t.equal((await again.finish()).rows, total);
  t.strictSame(differences(dir, model(batches, true)), []);
});

t.test('what cannot be gone on from is reported, what is of no use is replaced', async (t) => {
  const batches = someBatches(10, 9000);
  const begin = async () => {
    const dir = join(t.testdir(), 'segment');
    const writer = native.createSegmentWriter(resumableIn(dir));
    await addFrom(writer, batches, 90_000);
    return dir;
  };
  const corrupt = { code: 'ERR_FORMAT_CORRUPT', hint: /run the same command again/ };
  let dir = await begin();
  truncateSync(join(dir, 'spill', 'bucket-0'), 1000);
  t.throws(() => native.createSegmentWriter(resumableIn(dir)), {
    ...corrupt,
    path: join(dir, 'spill', 'bucket-0'),
  });
  dir = await begin();
  truncateSync(join(dir, 'progress.bin'), 300);
  t.throws(() => native.createSegmentWriter(resumableIn(dir)), { code: 'ERR_FORMAT_CORRUPT' });
  dir = await begin();
  const other = { ...resumableIn(dir), uuid: UUID.replace('0', '1') };
  t.throws(() => native.createSegmentWriter(other), corrupt);

  // One byte of a row: found by its checksum when it is placed.
  dir = await begin();
  const bucket = join(dir, 'spill', 'bucket-0');
  const bytes = readFileSync(bucket);
  bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000);
  writeFileSync(bucket, bytes);
  const writer = native.createSegmentWriter(resumableIn(dir));
  await addFrom(writer, batches, 90_000);
  await t.rejects(writer.finish(), { ...corrupt, path: bucket });

  dir = join(t.testdir(), 'segment');
  const aborted = native.createSegmentWriter(resumableIn(dir));
  await addFrom(aborted, batches, 9000);
  aborted.abort();
  t.notOk(existsSync(dir), 'before the first checkpoint nothing is kept');
  mkdirSync(join(dir, 'spill'), { recursive: true });
  writeFileSync(join(dir, 'spill', 'bucket-3'), 'what a kill before the first checkpoint leaves');
  const fresh = native.createSegmentWriter(resumableIn(dir));
  t.equal(fresh.resumedRows(), 0);
  await addFrom(fresh, batches, 90_000);
  await fresh.finish();
  t.strictSame(differences(dir, model(batches, true)), []);
});

function settingsOf(dir: string) {
  return { dir, uuid: UUID, codec, vectors: true, rowsHint: 1000, memoryBytes: 16e6 };
}
