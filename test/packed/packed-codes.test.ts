// Codes that the caller packed: the exact nearest by distance, then row, on any number of threads.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { npyHeader } from '../../src/formats/npy.js';
import { openPackedCodes } from '../../src/index.js';

function writeCodes(path: string, codes: Uint8Array, stride: number): string {
  writeFileSync(path, Buffer.concat([npyHeader('u8', codes.length / stride, stride), codes]));
  return path;
}

/** Rows and distances of the best `limit`, by counting bits one by one. */
function reference(codes: Uint8Array, stride: number, query: Uint8Array, limit: number) {
  return Array.from({ length: codes.length / stride }, (_, row) => {
    let distance = 0;
    for (let i = 0; i < stride; i++) {
      let bits = (codes[row * stride + i] as number) ^ (query[i] as number);
      for (; bits !== 0; bits &= bits - 1) distance++;
    }
    return { row, distance };
  })
    .sort((a, b) => a.distance - b.distance || a.row - b.row)
    .slice(0, limit);
}

t.test('finds the nearest codes by distance, then row', async (t) => {
  const path = join(t.testdir(), 'codes.npy');
  const seed = Date.now() & 0x7fffffff;
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 16 }),
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 60 }),
    fc.integer(),
    fc.boolean(),
    async (words, rows, limit, salt, coarse) => {
      const stride = words * 8;
      // Few different bytes make many ties.
      const byte = (i: number) => (Math.imul(i + 1, salt | 1) >>> 13) & (coarse ? 1 : 255);
      const codes = Uint8Array.from({ length: rows * stride }, (_, i) => byte(i));
      const query = Uint8Array.from({ length: stride }, (_, i) => byte(i * 7 + 3));
      await using packed = await openPackedCodes(writeCodes(path, codes, stride));
      const found = await packed.search(query, { limit });
      const expected = reference(codes, stride, query, limit);
      return (
        packed.rows === rows &&
        packed.bits === stride * 8 &&
        found.rows.length === expected.length &&
        expected.every(
          ({ row, distance }, i) => found.rows[i] === row && found.distances[i] === distance,
        )
      );
    },
  );
  await fc.assert(property, { seed, numRuns: 200 });
  t.comment(`seed ${seed}`);
});

t.test('workers share a large file and give what one thread gives', async (t) => {
  const rows = 300_000;
  const codes = new Uint8Array(rows * 16);
  let state = 1;
  for (let i = 0; i < codes.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    // Bytes of two values: distances repeat, and ties cross the parts.
    codes[i] = state < 0 ? 255 : 0;
  }
  const path = writeCodes(join(t.testdir(), 'codes.npy'), codes, 16);
  const query = codes.slice(16 * 212_345, 16 * 212_346);
  const expected = reference(codes, 16, query, 500);
  for (const threads of [1, 2, 3]) {
    await using packed = await openPackedCodes(path, { threads });
    const { rows: found, distances } = await packed.search(query, { limit: 500 });
    t.same(
      [...found],
      expected.map(({ row }) => row),
    );
    t.same(
      [...distances],
      expected.map(({ distance }) => distance),
    );
  }
});

t.test('files that are not packed codes are refused, and queries that do not fit', async (t) => {
  const dir = t.testdir();
  const odd = writeCodes(join(dir, 'odd.npy'), new Uint8Array(9 * 4), 9);
  await t.rejects(openPackedCodes(odd), { code: 'ERR_SOURCE_INVALID', path: odd });
  const floats = join(dir, 'floats.npy');
  writeFileSync(floats, Buffer.concat([npyHeader('f32', 1, 8), new Uint8Array(32)]));
  await t.rejects(openPackedCodes(floats), { code: 'ERR_SOURCE_INVALID' });
  const short = join(dir, 'short.npy');
  writeFileSync(short, Buffer.concat([npyHeader('u8', 100, 8), new Uint8Array(99 * 8)]));
  await t.rejects(openPackedCodes(short), { code: 'ERR_SOURCE_INVALID' });
  await t.rejects(openPackedCodes(join(dir, 'none.npy')), { code: 'ERR_NOT_FOUND' });

  const packed = await openPackedCodes(writeCodes(join(dir, 'c.npy'), new Uint8Array(64), 8));
  await t.rejects(packed.search(new Uint8Array(16)), { code: 'ERR_DIMENSION' });
  await t.rejects(packed.search(new Uint8Array(8), { limit: 0 }), { code: 'ERR_USAGE' });
  const aborted = { signal: AbortSignal.abort() };
  await t.rejects(packed.search(new Uint8Array(8), aborted), { code: 'ERR_ABORTED' });
  await packed.close();
  await packed.close();
  await t.rejects(packed.search(new Uint8Array(8)), { code: 'ERR_CLOSED' });
});
