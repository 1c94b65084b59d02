// Every format of fixed rows is read back exactly, in batches of any size and by position; every
// wrong header is refused with one clear error before anything is allocated from its claims.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { CorvidError, type ErrorCode } from '../../src/errors.js';
import type { VectorSource } from '../../src/formats/vector-source.js';
import { openSources } from '../../src/indexer/sources/open.js';
import { binBytes, npyBytes, vecsBytes } from '../indexer/vector-files.js';
import { DIMS, openVectors, readAll, refuses } from './read-source.js';

t.test('every format of fixed rows is read back', async (t) => {
  const dir = t.testdir();
  const bytes = Uint8Array.from({ length: 5 * DIMS }, (_, i) => (i * 37) % 251);
  const floats = Float32Array.from(bytes, (value) => value / 7 - 11);
  const signed = Int8Array.from(bytes);
  const halves = Uint16Array.from(bytes, (value) => 0x3c00 + value);
  const files: [string, Buffer, ArrayLike<number>][] = [
    ['a.npy', npyBytes('<f4', 5, DIMS, floats), floats],
    ['v2.npy', npyBytes('<f4', 5, DIMS, floats, { version: 2 }), floats],
    ['h.npy', npyBytes('<f2', 5, DIMS, halves), halves],
    ['u.npy', npyBytes('|u1', 5, DIMS, bytes), bytes],
    ['i.npy', npyBytes('|i1', 5, DIMS, signed), signed],
    ['a.fbin', binBytes(5, DIMS, floats), floats],
    ['a.u8bin', binBytes(5, DIMS, bytes), bytes],
    ['a.i8bin', binBytes(5, DIMS, signed), signed],
    ['a.fvecs', vecsBytes(DIMS, floats), floats],
    ['a.bvecs', vecsBytes(DIMS, bytes), bytes],
  ];
  for (const [name, content, expected] of files) {
    writeFileSync(join(dir, name), content);
    const [source] = await openVectors(join(dir, name));
    t.match(source, { rows: 5, dims: DIMS, bytes: content.length });
    for (const batchRows of [1, 2, 5, 100]) {
      const { numbers } = await readAll(source as VectorSource, batchRows);
      t.same(numbers, Array.from(expected), `${name} in batches of ${batchRows}`);
    }
    const tail = await readAll(source as VectorSource, 2, 3);
    t.same(tail.numbers, Array.from(expected).slice(3 * DIMS), `${name} from row 3`);
    const some = await source?.readAt?.(1, 2);
    t.same(
      Array.from(some ?? []),
      Array.from(expected).slice(DIMS, 3 * DIMS),
      `${name} by position`,
    );
  }
});

t.test('headers that lie are refused', async (t) => {
  const dir = t.testdir();
  const floats = new Float32Array(5 * DIMS);
  const npy = (header: string) => npyBytes('', 0, 0, floats, { header });
  const good = npyBytes('<f4', 5, DIMS, floats);
  const longHeader = Buffer.from(good);
  longHeader.writeUInt16LE(65_535, 8);
  const cases: [string, Buffer, ErrorCode, RegExp?][] = [
    ['empty.npy', Buffer.alloc(0), 'ERR_SOURCE_EMPTY'],
    ['short.npy', Buffer.from('\x93NU', 'latin1'), 'ERR_SOURCE_INVALID'],
    ['text.npy', Buffer.from('hello, this is text'), 'ERR_SOURCE_INVALID', /not an .npy file/],
    ['version.npy', npyBytes('<f4', 5, DIMS, floats, { version: 9 }), 'ERR_SOURCE_INVALID'],
    ['long.npy', longHeader, 'ERR_SOURCE_INVALID', /longer than it can be/],
    ['cut.npy', good.subarray(0, good.length - 3), 'ERR_SOURCE_INVALID', /as its header says/],
    ['extra.npy', Buffer.concat([good, Buffer.alloc(9)]), 'ERR_SOURCE_INVALID'],
    ['double.npy', npyBytes('<f8', 5, 4, floats), 'ERR_SOURCE_INVALID', /<f8.*astype/],
    ['big.npy', npyBytes('>f4', 5, DIMS, floats), 'ERR_SOURCE_INVALID'],
    [
      'fortran.npy',
      npy(`{'descr': '<f4', 'fortran_order': True, 'shape': (5, 8)}`),
      'ERR_SOURCE_INVALID',
      /Fortran/,
    ],
    [
      'flat.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (40,)}`),
      'ERR_SOURCE_INVALID',
      /two dimensions/,
    ],
    [
      'negative.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (-5, 8)}`),
      'ERR_SOURCE_INVALID',
    ],
    [
      'huge.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 8)}`),
      'ERR_SOURCE_INVALID',
    ],
    [
      'wide.npy',
      npy(`{'descr': '<f4', 'fortran_order': False, 'shape': (1, 999999999)}`),
      'ERR_SOURCE_INVALID',
    ],
    ['none.npy', npyBytes('<f4', 0, DIMS, new Float32Array(0)), 'ERR_SOURCE_EMPTY'],
    ['dict.npy', npy('import os'), 'ERR_SOURCE_INVALID'],
    ['rows.fbin', binBytes(4_000_000_000, DIMS, floats), 'ERR_SOURCE_INVALID'],
    ['dims.fbin', binBytes(5, 4_000_000_000, floats), 'ERR_SOURCE_INVALID'],
    ['short.fbin', Buffer.alloc(5), 'ERR_SOURCE_INVALID'],
    ['cut.fvecs', vecsBytes(DIMS, floats).subarray(0, 100), 'ERR_SOURCE_INVALID'],
    ['negative.fvecs', Buffer.alloc(36, 0xff), 'ERR_SOURCE_INVALID'],
  ];
  for (const [name, content, code, text] of cases) {
    writeFileSync(join(dir, name), content);
    await t.test(name, (t) => refuses(t, openSources([join(dir, name)], {}), code, text));
  }
  await t.test('a row of another length inside .fvecs', async (t) => {
    const content = vecsBytes(DIMS, floats);
    content.writeInt32LE(7, 2 * 36);
    writeFileSync(join(dir, 'inner.fvecs'), content);
    const [source] = await openVectors(join(dir, 'inner.fvecs'));
    await refuses(t, readAll(source as VectorSource, 10), 'ERR_SOURCE_INVALID', /row 2/);
  });
});

t.test('random bytes never crash a parser', async (t) => {
  const dir = t.testdir();
  const seed = Date.now();
  t.comment(`seed ${seed}`);
  const start = npyBytes('<f4', 2, DIMS, new Float32Array(2 * DIMS));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('.npy', '.fbin', '.u8bin', '.fvecs', '.bvecs', '.parquet', '.jsonl'),
      fc.uint8Array({ maxLength: 300 }),
      fc.nat({ max: start.length }),
      async (extension, noise, keep) => {
        const path = join(dir, `noise${extension}`);
        writeFileSync(path, Buffer.concat([start.subarray(0, keep), noise]));
        try {
          const opened = await openSources([path], {});
          if (opened.kind === 'vectors') await Promise.all(opened.sources.map((s) => s.close()));
        } catch (error) {
          if (!(error instanceof CorvidError)) throw error;
        }
      },
    ),
    { seed, numRuns: 300 },
  );
});
