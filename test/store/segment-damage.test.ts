// slow: damages every file of an index in turn, in child processes.
//
// Damaged, cut, forged and foreign files: each is an error that names the file, never a crash and
// never an answer from bytes that are not there.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type NativeCodec, native } from '../../src/native/addon.js';
import { DIMS, makeCodec, makeSegment, randomNumbers, randomVectors } from './fixture.js';

const FILES = ['lists.bin', 'plane-64.bin', 'plane-128.bin', 'rows.bin', 'vectors.i8'];
const ROWS = 333;
const folder = t.testdir();
const codec = await makeCodec(join(folder, 'codec.bin'));
const made = await makeSegment(folder, codec, ROWS);
made.segment.close();
const victim = join(folder, 'victim');

/** A fresh copy of the segment in which one file was changed. */
function damaged(name: string, change: (file: Buffer) => Buffer): string {
  rmSync(victim, { recursive: true, force: true });
  cpSync(made.dir, victim, { recursive: true });
  const path = join(victim, name);
  writeFileSync(path, change(readFileSync(path)));
  return path;
}

/** The same with a header whose checksum is right: made by somebody who knows the format. */
function forged(name: string, change: (file: Buffer) => void): string {
  return damaged(name, (file) => {
    change(file);
    file.writeUInt32LE(native.crc32c(file.subarray(0, 60)), 60);
    return file;
  });
}

const open = (dir = victim, by: NativeCodec = codec) => native.openSegment(dir, by);

/** Asks everything that a segment can be asked; throws or answers, and never crashes. */
function ask(segment: ReturnType<typeof open>): void {
  const query = randomVectors(1, 5);
  const all = Float64Array.from({ length: segment.info().rows }, (_, row) => row);
  const lists = Uint32Array.from({ length: segment.info().lists }, (_, list) => list);
  for (const scoring of ['asymmetric', 'hamming'] as const) {
    const request = { query, lists: null, scoring, normWeight: 0.5, limit: 50, filter: 0 };
    segment.scan(request);
    segment.scan({ ...request, lists });
  }
  segment.estimateNormWeight(query, lists, 10);
  for (const bits of segment.info().levels) segment.refine(query, all, bits);
  if (segment.info().vectors) segment.rescore(query, all);
  segment.reconstruct(all.subarray(0, 20));
  segment.findRows(segment.itemIds(all));
  segment.createFilter(segment.itemIds(all.subarray(0, 9)), null).free();
  segment.countRows(lists);
}

for (const name of FILES) {
  t.test(`${name} cut short anywhere is refused`, async (t) => {
    const size = readFileSync(join(made.dir, name)).length;
    const lengths = [0, 1, 7, 8, 63, 64, 65, 67, 68, 100, size - 5, size - 4, size - 1];
    for (const length of lengths.filter((n) => n < size)) {
      const path = damaged(name, (file) => file.subarray(0, length));
      t.throws(() => open(), { code: 'ERR_FORMAT_CORRUPT', path, actual: /\d/, hint: /restore/ });
    }
    const path = damaged(name, (file) => Buffer.concat([file, Buffer.of(0)]));
    t.throws(() => open(), { code: 'ERR_FORMAT_CORRUPT', path, message: /too long/ });
  });

  t.test(`a flipped bit in the header of ${name} is refused`, async (t) => {
    for (let bit = 0; bit < 64 * 8; bit += 5) {
      const path = damaged(name, (file) => {
        file[bit >> 3] = (file[bit >> 3] as number) ^ (1 << (bit & 7));
        return file;
      });
      t.throws(() => open(), { code: /^ERR_FORMAT_/, path }, `bit ${bit}`);
    }
  });

  t.test(`a flipped bit in the data of ${name} is found by verify, and harms nobody`, async (t) => {
    const size = readFileSync(join(made.dir, name)).length;
    const random = randomNumbers(3);
    for (let round = 0; round < 25; round++) {
      const byte = 64 + Math.floor(random() * (size - 64));
      const path = damaged(name, (file) => {
        file[byte] = (file[byte] as number) ^ (1 << Math.floor(random() * 8));
        return file;
      });
      const verified = Promise.resolve().then(() => {
        const segment = open();
        ask(segment);
        return segment.verify().finally(() => segment.close());
      });
      await t.rejects(verified, { code: 'ERR_FORMAT_CORRUPT', path }, `byte ${byte} of ${size}`);
    }
  });

  t.test(`another version of ${name} is refused by name`, async (t) => {
    const newer = forged(name, (file) => file.writeUInt16LE(7, 8));
    const expected = 'format 1 to 1';
    t.throws(() => open(), {
      code: 'ERR_FORMAT_TOO_NEW',
      path: newer,
      expected,
      actual: 'format 7',
      hint: /upgrade/,
    });
    const older = forged(name, (file) => file.writeUInt16LE(0, 8));
    t.throws(() => open(), { code: 'ERR_FORMAT_TOO_OLD', path: older, hint: /build/ });
  });
}

t.test('what must be there is missed by name', async (t) => {
  for (const name of ['lists.bin', 'plane-64.bin', 'rows.bin']) {
    const path = damaged(name, (file) => file);
    rmSync(path);
    t.throws(() => open(), { code: 'ERR_NOT_FOUND', path });
  }
  t.throws(() => open(join(folder, 'nowhere')), { code: 'ERR_NOT_FOUND' });
});

t.test('forged headers whose checksum is right are refused', async (t) => {
  const huge = 2n ** 64n - 1n;
  const forgeries: [string, (file: Buffer) => void][] = FILES.flatMap((name) => [
    [name, (file) => file.writeUInt16LE(1, 10)], // another kind
    [name, (file) => file.writeUInt16LE(99, 10)],
    [name, (file) => file.writeBigUInt64LE(huge, 16)], // rows
    [name, (file) => file.writeBigUInt64LE(BigInt(ROWS + 1), 16)],
    [name, (file) => file.writeBigUInt64LE(0n, 16)],
    [name, (file) => file.writeBigUInt64LE(huge, 48)], // data_bytes
    [name, (file) => file.writeBigUInt64LE(2n ** 50n, 48)],
    [name, (file) => file.writeBigUInt64LE(huge - 67n, 48)], // so that the sum wraps around
    [name, (file) => file.writeBigUInt64LE(0n, 48)],
    [name, (file) => file.writeUInt32LE(1, 56)], // reserved
    [name, (file) => file.fill(7, 32, 48)], // uuid
  ]);
  for (const name of ['plane-64.bin', 'plane-128.bin', 'rows.bin', 'vectors.i8']) {
    forgeries.push([name, (file) => file.writeUInt32LE(0, 24)]); // stride
    forgeries.push([name, (file) => file.writeUInt32LE(2 ** 32 - 1, 24)]);
  }
  for (const name of ['plane-64.bin', 'plane-128.bin']) {
    forgeries.push([name, (file) => file.writeUInt32LE(256, 12)]); // level
  }
  for (const [name, change] of forgeries) {
    const path = forged(name, change);
    // A segment's uuid is what lists.bin says: another one there makes every other file foreign.
    const foreign = { code: 'ERR_FORMAT_CORRUPT' };
    t.throws(() => open(), name === 'lists.bin' ? foreign : { ...foreign, path }, String(change));
  }
});

t.test('lists that lead outside of the files are refused', async (t) => {
  const first = 64 + 64;
  const changes: [string, (file: Buffer) => unknown][] = [
    ['the codec', (file) => file.fill(3, 64, 80)],
    ['rows', (file) => file.writeBigUInt64LE(BigInt(ROWS + 1), 64 + 16)],
    ['rows', (file) => file.writeBigUInt64LE(2n ** 63n, 64 + 16)],
    ['lists', (file) => file.writeUInt32LE(39, 64 + 24)],
    ['levels', (file) => file.writeUInt32LE(64, 64 + 28)],
    ['levels', (file) => file.writeUInt32LE(64 + 128 + 256, 64 + 28)],
    ['vectors', (file) => file.writeUInt32LE(2, 64 + 32)],
    ['id width', (file) => file.writeUInt32LE(8, 64 + 36)],
    ['id width', (file) => file.writeUInt32LE(0, 64 + 36)],
    ['the first row', (file) => file.writeBigUInt64LE(1n, first)],
    ['a row far away', (file) => file.writeBigUInt64LE(2n ** 40n, first + 8)],
    ['a step back', (file) => file.writeBigUInt64LE(0n, first + 39 * 8)],
    ['the last row', (file) => file.writeBigUInt64LE(BigInt(ROWS - 1), first + 40 * 8)],
  ];
  for (const [what, change] of changes) {
    forged('lists.bin', change);
    t.throws(() => open(), { code: 'ERR_FORMAT_CORRUPT', hint: /restore/ }, what);
  }
});

t.test('faults that checksums cannot see are found by verify', async (t) => {
  const checksummed = (name: string, change: (data: Buffer) => void) =>
    damaged(name, (file) => {
      const data = file.subarray(64, 64 + Number(file.readBigUInt64LE(48)));
      change(data);
      const footer = file.subarray(64 + data.length);
      footer.writeUInt32LE(native.crc32c(data), 0);
      footer.writeUInt32LE(native.crc32c(footer.subarray(0, 4)), 4);
      return file;
    });
  const expectFault = async (path: string, message: RegExp) => {
    const segment = open();
    ask(segment);
    await t.rejects(segment.verify(), { code: 'ERR_FORMAT_CORRUPT', path, message });
    segment.close();
  };
  await expectFault(
    checksummed('rows.bin', (data) => data.copyWithin(40, 0, 4)),
    /twice/,
  );
  await expectFault(
    checksummed('plane-64.bin', (data) => data.fill(1, data.length - 1)),
    /past the last row/,
  );
});

t.test('a segment of another codec is refused', async (t) => {
  const other = await makeCodec(join(t.testdir(), 'other.bin'), { lists: 20 });
  t.throws(() => open(made.dir, other), {
    code: 'ERR_FORMAT_CORRUPT',
    message: /another codec/,
    expected: `codec ${other.info().uuid}`,
    actual: `codec ${codec.info().uuid}`,
  });
});

t.test('a process that meets random damage lives on', async (t) => {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'damage-process.js');
  const run = spawnSync(process.execPath, [script, made.dir, join(folder, 'codec.bin'), '7'], {
    encoding: 'utf8',
  });
  t.equal(run.signal, null, `seed 7: ${run.stderr}`);
  t.equal(run.status, 0, run.stderr);
  const { refused, answered } = JSON.parse(run.stdout) as { refused: number; answered: number };
  t.ok(refused > 50, `${refused} refused`);
  t.ok(answered > 50, `${answered} answered`);
});

t.test('a file cut while it is being looked at is refused the next time', async (t) => {
  const path = damaged('plane-128.bin', (file) => file);
  open().close();
  truncateSync(path, 1000);
  t.throws(() => open(), { code: 'ERR_FORMAT_CORRUPT', path, message: /cut short/ });
  t.equal(DIMS, codec.info().dims);
});
