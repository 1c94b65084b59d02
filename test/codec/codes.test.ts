// Codes, checked against an oracle that reads the codec file and decodes in plain TypeScript.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { encodeEmbeddings, saveCodec, trainCodec } from '../../src/codec/codec.js';
import { native } from '../../src/native/addon.js';
import { writeSegment } from '../store/fixture.js';
import {
  CodecOracle,
  cornerOf,
  cosine,
  dot,
  leastCost,
  WINDOW_VALUES,
  windowsOf,
} from './oracle.js';
import { clusteredRows } from './synthetic.js';

const DIMS = 256;
const LEVELS = [64, 128, 256];
/** Per level: start of its record within a row's code, and its code bytes. */
const RECORDS = [
  { start: 0, bytes: 8 },
  { start: 8, bytes: 8 },
  { start: 18, bytes: 16 },
];
const ROW_BYTES = 35;
const GAIN_BYTE = 16;
const ROWS = 120;
const TRAINING_ROWS = 3000;

const dir = mkdtempSync(join(tmpdir(), 'corvid-codes-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const all = clusteredRows(TRAINING_ROWS + ROWS, DIMS, 1);
const codec = await trainCodec(all.slice(0, TRAINING_ROWS * DIMS), {
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
const oracle = new CodecOracle(path);
const rows = all.slice(TRAINING_ROWS * DIMS);
const batch = await encodeEmbeddings(codec, rows, { vectors: true, threads: 2 });

const row = (r: number) => rows.subarray(r * DIMS, (r + 1) * DIMS);
const listOf = (r: number) => batch.lists[r] ?? -1;
const code = (r: number) => batch.codes.subarray(r * ROW_BYTES, (r + 1) * ROW_BYTES);
const codeBytes = (r: number, index: number) => {
  const { start = 0, bytes = 0 } = RECORDS[index] ?? {};
  return code(r).subarray(start, start + bytes);
};
const normByte = (r: number, index: number) =>
  code(r)[index === 1 ? GAIN_BYTE + 1 : ROW_BYTES - 1] ?? 0;
const gainOf = (r: number) => oracle.gain(code(r)[GAIN_BYTE] ?? 0);
const minus = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a, (value, i) => value - (b[i] ?? 0));

/** A row decoded by 64 bits, and its coded coordinates after each residual level. */
function decodeCoordinates(r: number) {
  const first = oracle.decode64(listOf(r), codeBytes(r, 0));
  const coded = [new Array<number>(oracle.columns).fill(0)];
  for (const index of [1, 2]) {
    coded.push(oracle.addLevel(coded[index - 1] ?? [], index, listOf(r), codeBytes(r, index)));
  }
  return { first, coded };
}

t.equal(batch.codes.length, ROWS * ROW_BYTES);
t.equal(WINDOW_VALUES.length, 64);

t.test('directions and bases are orthonormal up to their rounding', async (t) => {
  const matrices = [0, 1, 2, 3].map((group) => oracle.directions(group));
  for (const matrix of [...matrices, oracle.basis(0), oracle.basis(1)]) {
    let worst = 0;
    for (const [i, a] of matrix.entries()) {
      for (let j = 0; j <= i; j++) {
        const expected = i === j ? 1 : 0;
        worst = Math.max(worst, Math.abs(dot(a, matrix[j] ?? []) - expected));
      }
    }
    t.ok(worst < 8e-3, `worst deviation ${worst}`);
  }
});

t.test('a level codes each of its coordinates once', async (t) => {
  for (const index of [1, 2]) {
    for (const outerGroup of [0, 1]) {
      const columns = oracle.coordinates(outerGroup, index).map(({ column }) => column);
      t.equal(new Set(columns).size, oracle.level(index).added);
    }
  }
});

t.test('every level decodes closer to the embedding', async (t) => {
  const mean = [0, 0, 0, 0];
  for (let r = 0; r < ROWS; r++) {
    const { first, coded } = decodeCoordinates(r);
    const decoded = coded.map((a) => oracle.decode(listOf(r), first, gainOf(r), a));
    for (const [i, x] of [oracle.center(listOf(r)), ...decoded].entries()) {
      mean[i] = (mean[i] ?? 0) + cosine(row(r), x) / ROWS;
    }
  }
  for (let i = 1; i < mean.length; i++) {
    const [before = 0, after = 0] = mean.slice(i - 1);
    t.ok(1 - after < 0.8 * (1 - before), `${before} -> ${after}`);
  }
});

t.test(
  'the gain byte holds the length of the residual of 64 bits, the norm byte the divisor of scores',
  async (t) => {
    let held = 0;
    for (let r = 0; r < ROWS; r++) {
      const { first, coded } = decodeCoordinates(r);
      const rest = minus(row(r), first);
      const gain = Math.sqrt(dot(rest, rest));
      const byte = code(r)[GAIN_BYTE] ?? 0;
      if (byte > 0 && byte < 255) {
        // The encoder sees a row in seven bits per number and directions in eight: up to 3 %.
        const slack = oracle.gain(byte + 1) - oracle.gain(byte - 1) + 0.03 * gain;
        t.ok(Math.abs(gainOf(r) - gain) < slack, `residual ${gain}, gain byte ${gainOf(r)}`);
      }
      for (const index of [1, 2]) {
        const { normLow, normStep, typicalCosine, cosinePower } = oracle.level(index);
        const x = oracle.decode(listOf(r), first, gainOf(r), coded[index] ?? []);
        const divisor = Math.sqrt(dot(x, x)) * (typicalCosine / cosine(row(r), x)) ** cosinePower;
        const stored = normLow + normStep * normByte(r, index);
        if (divisor <= normLow || divisor >= normLow + 255 * normStep) continue;
        held++;
        t.ok(
          Math.abs(stored - divisor) < normStep + 2e-3,
          `divisor ${divisor}, norm byte ${stored}`,
        );
      }
    }
    t.ok(held > ROWS, 'most rows are in the range of the byte');
  },
);

t.test('no single nibble of the 64 bits could be chosen better', async (t) => {
  let better = 0;
  for (let r = 0; r < ROWS; r++) {
    const bytes = Uint8Array.from(codeBytes(r, 0));
    const present = cosine(row(r), oracle.decode64(listOf(r), bytes));
    const block = r % 16;
    for (let v = 0; v < 16; v++) {
      const other = Uint8Array.from(bytes);
      const shift = 4 * (block & 1);
      other[block >> 1] = ((other[block >> 1] ?? 0) & ~(15 << shift)) | (v << shift);
      t.equal(cornerOf(other, block), v);
      if (cosine(row(r), oracle.decode64(listOf(r), other)) > present + 2e-4) better++;
    }
  }
  // Four sweeps settle nearly all rows; a list's Qᵀ(µ + c) is rounded to int8.
  t.ok(better <= 2, `${better} nibbles could be better`);
});

t.test('no other bits of a residual level would cost less', async (t) => {
  for (let r = 0; r < ROWS; r++) {
    const outerGroup = oracle.outerGroup(listOf(r));
    const { first, coded } = decodeCoordinates(r);
    const rest = minus(row(r), first);
    const gain = Math.sqrt(dot(rest, rest));
    const y = oracle.basis(outerGroup).map((column) => dot(column, rest) / gain);
    for (const index of [1, 2]) {
      const coordinates = oracle.coordinates(outerGroup, index);
      const before = coded[index - 1] ?? [];
      const targets = coordinates.map(
        ({ column, deviation }) => ((y[column] ?? 0) - (before[column] ?? 0)) / deviation,
      );
      const weights = coordinates.map(({ weight }) => weight);
      const windows = windowsOf(codeBytes(r, index), coordinates.length);
      const errors = windows.map((w, i) => (targets[i] ?? 0) - (WINDOW_VALUES[w] ?? 0));
      const cost = errors.reduce((sum, e, i) => sum + (weights[i] ?? 0) * e * e, 0);
      const least = leastCost(targets, weights);
      // The encoder has the row in seven bits per number, and Vᵀ(µ + c) rounded to int8.
      t.ok(cost >= least - 1e-9 && cost < 1.08 * least, `cost ${cost}, least ${least}`);
    }
  }
});

t.test('refining scores a row by what its code decodes to', async (t) => {
  const folder = join(dir, 'segment');
  await writeSegment(folder, codec, [
    { batch, ids: Float64Array.from({ length: ROWS }, (_, r) => r) },
  ]);
  const segment = native.openSegment(folder, codec);
  t.teardown(() => segment.close());
  const positions = Float64Array.from({ length: ROWS }, (_, r) => r);
  const order = segment.itemIds(positions);
  const query = clusteredRows(1, DIMS, 5);
  for (const [index, bits] of LEVELS.entries()) {
    const scores = segment.refine(query, positions, bits);
    let worst = 0;
    for (let position = 0; position < ROWS; position++) {
      const r = order[position] ?? 0;
      const { first, coded } = decodeCoordinates(r);
      const x = oracle.decode(listOf(r), first, gainOf(r), coded[index] ?? []);
      const { normLow, normStep } = oracle.level(index);
      const norm = index === 0 ? Math.sqrt(dot(x, x)) : normLow + normStep * normByte(r, index);
      worst = Math.max(worst, Math.abs((scores[position] ?? 0) - dot(query, x) / norm));
    }
    t.ok(worst < 1e-3, `${bits} bits: off by ${worst}`);
  }
});

t.test('int8 vectors give cosines to within a hundredth', async (t) => {
  const vectors = batch.vectors ?? new Int8Array();
  t.equal(vectors.length, ROWS * DIMS);
  for (let r = 0; r < ROWS; r++) {
    const bytes = vectors.subarray(r * DIMS, (r + 1) * DIMS);
    const stored = Array.from(bytes, (value, d) => oracle.mean(d) + oracle.vectorStep(d) * value);
    const other = row((r + 1) % ROWS);
    t.ok(Math.abs(dot(other, stored) - dot(other, row(r))) < 0.01);
    const clipped = bytes.some((value) => Math.abs(value) === 127);
    const radial = Math.abs(dot(row(r), stored) - dot(row(r), row(r)));
    t.ok(clipped || radial < 5e-5, `an error of ${radial} along the embedding`);
  }
});
