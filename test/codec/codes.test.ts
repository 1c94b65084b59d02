// What codes mean, by an oracle that reads the codec file on its own (native-bindings/src/codec/
// layout.h) and decodes in plain TypeScript.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encodeEmbeddings, saveCodec, trainCodec } from '../../src/codec/codec.js';
import { clusteredRows } from './synthetic.js';

const DIMS = 128;
const LEVELS = [64, 128];
const HEADER_BYTES = 64;
const RECORD_BYTES = 80;

const dir = mkdtempSync(join(tmpdir(), 'corvid-codes-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const codec = await trainCodec(clusteredRows(3000, DIMS, 1), {
  dims: DIMS,
  method: 'trained',
  levels: LEVELS,
  lists: 32,
  groups: 4,
  outerGroups: 2,
  seed: 7,
  threads: 2,
});
const path = join(dir, 'codec.bin');
await saveCodec(codec, path);
const data = readFileSync(path).subarray(HEADER_BYTES);

const half = (offset: number) => {
  const bits = data.readUInt16LE(offset);
  const sign = bits >> 15 === 1 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return (
    sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
  );
};
const offsetAt = (position: number) => Number(data.readBigUInt64LE(position));
const RECORDS = offsetAt(72);
const CENTERS = offsetAt(80);
const level = (index: number) => {
  const start = 120 + 48 * index;
  return {
    added: data.readUInt32LE(start + 4),
    directions: offsetAt(start + 16),
    corners: offsetAt(start + 24),
    normLow: data.readFloatLE(start + 40),
    normStep: data.readFloatLE(start + 44),
  };
};
const groupOf = (list: number, index: number) =>
  data.readUInt16LE(RECORDS + list * RECORD_BYTES + (index === 0 ? 0 : 2));

/** Direction `i` of a level in a group. */
function direction(index: number, group: number, i: number): number[] {
  const { added, directions } = level(index);
  return Array.from({ length: DIMS }, (_, d) =>
    half(directions + 2 * (group * DIMS * added + d * added + i)),
  );
}

function corner(index: number, group: number, block: number, v: number): number[] {
  const { added, corners } = level(index);
  const blocks = added / 4;
  return [0, 1, 2, 3].map((d) =>
    data.readFloatLE(corners + 4 * (group * added * 16 + (d * blocks + block) * 16 + v)),
  );
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};
const cosine = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const cached = new Map<string, number[][]>();
function directionsOf(index: number, group: number): number[][] {
  const name = `${index} ${group}`;
  const known = cached.get(name);
  if (known) return known;
  const { added } = level(index);
  const made = Array.from({ length: added }, (_, i) => direction(index, group, i));
  cached.set(name, made);
  return made;
}

const nibble = (bytes: Uint8Array, block: number) =>
  ((bytes[block >> 1] ?? 0) >> (4 * (block & 1))) & 15;

/** Adds what a level's code bytes decode to. */
function addLevel(x: number[], index: number, list: number, bytes: Uint8Array): number[] {
  const group = groupOf(list, index);
  const out = [...x];
  const directions = directionsOf(index, group);
  const scale = index === 0 ? data.readFloatLE(RECORDS + list * RECORD_BYTES + 12) : 1;
  for (let block = 0; block < level(index).added / 4; block += 1) {
    const chosen = corner(index, group, block, nibble(bytes, block));
    for (let i = 0; i < 4; i += 1) {
      const along = directions[4 * block + i] ?? [];
      const value = scale * (chosen[i] ?? 0);
      for (let d = 0; d < DIMS; d += 1) out[d] = (out[d] ?? 0) + value * (along[d] ?? 0);
    }
  }
  return out;
}

const ROWS = 120;
const rows = clusteredRows(ROWS, DIMS, 2);
const batch = await encodeEmbeddings(codec, rows, { vectors: true, threads: 2 });
const ROW_BYTES = 8 + 9;
const row = (r: number) => rows.subarray(r * DIMS, (r + 1) * DIMS);
const code = (r: number) => batch.codes.subarray(r * ROW_BYTES, (r + 1) * ROW_BYTES);
const listOf = (r: number) => batch.lists[r] ?? -1;
const centerOf = (list: number) =>
  Array.from({ length: DIMS }, (_, d) => half(CENTERS + 2 * (list * DIMS + d)));

t.test('directions of a level are orthonormal up to their rounding', async (t) => {
  for (let group = 0; group < 4; group += 1) {
    const directions = directionsOf(0, group);
    let worst = 0;
    for (const [i, a] of directions.entries()) {
      for (let j = 0; j <= i; j += 1) {
        const expected = i === j ? 1 : 0;
        worst = Math.max(worst, Math.abs(dot(a, directions[j] ?? []) - expected));
      }
    }
    t.ok(worst < 2e-3, `worst deviation ${worst}`);
  }
});

t.test('every level brings the decoding nearer, and the norm byte says its length', async (t) => {
  const mean = [0, 0, 0];
  const { normLow, normStep } = level(1);
  for (let r = 0; r < ROWS; r += 1) {
    const center = centerOf(listOf(r));
    const first = addLevel(center, 0, listOf(r), code(r).subarray(0, 8));
    const second = addLevel(first, 1, listOf(r), code(r).subarray(8, 16));
    for (const [i, x] of [center, first, second].entries()) {
      mean[i] = (mean[i] ?? 0) + cosine(row(r), x) / ROWS;
    }
    const norm = Math.sqrt(dot(second, second));
    const said = normLow + normStep * (code(r)[16] ?? 0);
    const held = norm > normLow && norm < normLow + 255 * normStep;
    if (held) t.ok(Math.abs(said - norm) < normStep + 2e-3, `norm ${norm}, byte says ${said}`);
  }
  const [byCenter = 0, by64 = 0, by128 = 0] = mean;
  t.ok(by64 > byCenter + 0.01, `${byCenter} -> ${by64}`);
  t.ok(by128 > by64 + 0.005, `${by64} -> ${by128}`);
});

t.test('no single nibble of the 64 bits could be chosen better', async (t) => {
  let better = 0;
  for (let r = 0; r < ROWS; r += 1) {
    const bytes = Uint8Array.from(code(r).subarray(0, 8));
    const center = centerOf(listOf(r));
    const present = cosine(row(r), addLevel(center, 0, listOf(r), bytes));
    const block = r % 16;
    for (let v = 0; v < 16; v += 1) {
      const other = Uint8Array.from(bytes);
      const shift = 4 * (block & 1);
      other[block >> 1] = ((other[block >> 1] ?? 0) & ~(15 << shift)) | (v << shift);
      if (cosine(row(r), addLevel(center, 0, listOf(r), other)) > present + 2e-4) better += 1;
    }
  }
  // Four sweeps settle nearly all rows; a list's Qᵀ(µ + c) is rounded to int8.
  t.ok(better <= 2, `${better} nibbles could be better`);
});

t.test('longer levels take the nearest corner of what is left', async (t) => {
  let wrong = 0;
  for (let r = 0; r < ROWS; r += 1) {
    const list = listOf(r);
    const group = groupOf(list, 1);
    const first = addLevel(centerOf(list), 0, list, code(r).subarray(0, 8));
    const rest = Array.from(row(r), (value, d) => value - (first[d] ?? 0));
    const block = r % 16;
    const z = [0, 1, 2, 3].map((i) => dot(rest, directionsOf(1, group)[4 * block + i] ?? []));
    const distances = Array.from({ length: 16 }, (_, v) => {
      const difference = corner(1, group, block, v).map((value, i) => value - (z[i] ?? 0));
      return dot(difference, difference);
    });
    const chosen = distances[nibble(code(r).subarray(8, 16), block)] ?? 9;
    if (chosen > Math.min(...distances) + 1e-4) wrong += 1;
  }
  t.equal(wrong, 0);
});

t.test('int8 vectors give cosines to within a hundredth', async (t) => {
  const vectors = batch.vectors ?? new Int8Array();
  t.equal(vectors.length, ROWS * DIMS);
  for (let r = 0; r < ROWS; r += 1) {
    const stored = Array.from({ length: DIMS }, (_, d) => {
      const mean = data.readFloatLE(offsetAt(64) + 4 * d);
      return mean + data.readFloatLE(offsetAt(112) + 4 * d) * (vectors[r * DIMS + d] ?? 0);
    });
    const other = row((r + 1) % ROWS);
    t.ok(Math.abs(dot(other, stored) - dot(other, row(r))) < 0.01);
    const cut = vectors.subarray(r * DIMS, (r + 1) * DIMS).some((value) => Math.abs(value) === 127);
    const radial = Math.abs(dot(row(r), stored) - dot(row(r), row(r)));
    t.ok(cut || radial < 5e-5, `an error of ${radial} along the embedding`);
  }
});
