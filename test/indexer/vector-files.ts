// Writes small files of vectors in every format that corvid reads, for tests.
import { writeFileSync } from 'node:fs';

/** Header and data of an .npy file; the header can be bent by `overrides`. */
export function npyBytes(
  descr: string,
  rows: number,
  dims: number,
  data: ArrayBufferView,
  overrides: { header?: string; version?: number } = {},
): Buffer {
  const text =
    overrides.header ??
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${rows}, ${dims}), }`;
  const version = overrides.version ?? 1;
  const prefixBytes = version === 1 ? 10 : 12;
  const padded = `${text.padEnd(64 * Math.ceil((text.length + prefixBytes + 1) / 64) - prefixBytes - 1)}\n`;
  const prefix = Buffer.alloc(prefixBytes);
  prefix.write('\x93NUMPY', 'latin1');
  prefix[6] = version;
  if (version === 1) prefix.writeUInt16LE(padded.length, 8);
  else prefix.writeUInt32LE(padded.length, 8);
  const { buffer, byteOffset, byteLength } = data;
  return Buffer.concat([prefix, Buffer.from(padded), Buffer.from(buffer, byteOffset, byteLength)]);
}

/** Writes float32 vectors as .npy. */
export function writeNpy(path: string, vectors: Float32Array, dims: number): void {
  writeFileSync(path, npyBytes('<f4', vectors.length / dims, dims, vectors));
}

/** Bytes of a .fbin/.u8bin/.i8bin file. */
export function binBytes(rows: number, dims: number, data: ArrayBufferView): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(rows, 0);
  header.writeUInt32LE(dims, 4);
  return Buffer.concat([header, Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

/** Bytes of an .fvecs (Float32Array) or .bvecs (Uint8Array) file. */
export function vecsBytes(dims: number, data: Float32Array | Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32LE(dims);
  const parts: Buffer[] = [];
  for (let start = 0; start < data.length; start += dims) {
    const row = data.subarray(start, start + dims);
    parts.push(prefix, Buffer.from(row.buffer, row.byteOffset, row.byteLength));
  }
  return Buffer.concat(parts);
}

/** A small, fast generator of numbers in [0, 1) (mulberry32), so that tests repeat. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `rows` unit vectors that gather around `centres` random points. */
export function clusteredVectors(
  rows: number,
  dims: number,
  seed: number,
  centres = 20,
): Float32Array {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const points = Float32Array.from({ length: centres * dims }, normal);
  const vectors = new Float32Array(rows * dims);
  for (let row = 0; row < rows; row++) {
    const centre = Math.floor(random() * centres);
    let sum = 0;
    for (let d = 0; d < dims; d++) {
      const value = (points[centre * dims + d] as number) + 0.6 * normal();
      vectors[row * dims + d] = value;
      sum += value * value;
    }
    const scale = 1 / Math.sqrt(sum);
    const own = vectors.subarray(row * dims, (row + 1) * dims);
    own.forEach((value, d) => {
      own[d] = value * scale;
    });
  }
  return vectors;
}
