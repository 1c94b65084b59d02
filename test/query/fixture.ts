// Fixtures of the search tests: seeded clustered vectors, their exact neighbours, and indexes of them
// in temporary folders.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeVectorIndex, type VectorIndexOptions } from '../../bench/vector-index.js';

/** Numbers in [0, 1), the same for a seed on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Roughly normal: a sum of uniform numbers. */
function normal(random: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/**
 * Unit vectors around `clusters` centres, with a common direction and decreasing variances, like
 * image embeddings.
 * @returns rows x dims
 */
export function clusteredVectors(
  rows: number,
  dims: number,
  clusters: number,
  seed: number,
): Float32Array {
  const random = randomNumbers(seed);
  const fade = Float64Array.from({ length: dims }, (_, d) => Math.exp((-3 * d) / dims));
  const draw = (scale: number) => fade.map((f) => f * scale * normal(random));
  const mean = draw(1);
  const centres = Array.from({ length: clusters }, () => draw(0.8));
  const vectors = new Float32Array(rows * dims);
  for (let row = 0; row < rows; row++) {
    const centre = centres[Math.floor(random() * clusters)] as Float64Array;
    const noise = draw(0.5);
    const vector = noise.map((v, d) => v + (mean[d] as number) + (centre[d] as number));
    const length = Math.sqrt(vector.reduce((sum, v) => sum + v * v, 0));
    vectors.set(
      vector.map((v) => v / length),
      row * dims,
    );
  }
  return vectors;
}

export const rowOf = (vectors: Float32Array, dims: number, row: number): Float32Array =>
  vectors.slice(row * dims, (row + 1) * dims);

/** The exact cosines of unit rows with a unit query. */
export function cosines(vectors: Float32Array, query: Float32Array): Float64Array {
  const dims = query.length;
  return Float64Array.from({ length: vectors.length / dims }, (_, row) => {
    let sum = 0;
    for (let d = 0; d < dims; d++) {
      sum += (vectors[row * dims + d] as number) * (query[d] as number);
    }
    return sum;
  });
}

/** Ids of the exact best `count`, best first. */
export function nearest(
  vectors: Float32Array,
  query: Float32Array,
  count: number,
  keep: (id: number) => boolean = () => true,
): number[] {
  const scores = cosines(vectors, query);
  return [...scores.keys()]
    .filter(keep)
    .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
    .slice(0, count);
}

/** Share of `neighbours` that `found` holds. */
export function recall(found: readonly number[], neighbours: readonly number[]): number {
  const given = new Set(found);
  return neighbours.filter((id) => given.has(id)).length / neighbours.length;
}

const made = new Map<string, Promise<string>>();

/** Makes an index in a temporary folder, which is removed when the test file ends. @returns its path */
export async function makeIndex(
  options: Omit<VectorIndexOptions, 'path' | 'train'> & { train?: Float32Array },
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'corvid-query-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'index.corvid');
  const train = options.train ?? (options.parts[0] as Float32Array);
  await makeVectorIndex({ lists: 64, groups: 4, ...options, train, path });
  return path;
}

/** An index that several tests read and none changes. */
export function sharedIndex(
  name: string,
  options: Parameters<typeof makeIndex>[0],
): Promise<string> {
  const path = made.get(name) ?? makeIndex(options);
  made.set(name, path);
  return path;
}
