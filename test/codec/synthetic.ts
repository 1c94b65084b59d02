// Synthetic embeddings for the codec's tests: unit vectors in clusters on a cone, as CLIP's are.

/** Random numbers in [0, 1) from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** rows x dims unit vectors: a common direction, one per cluster, and noise of decreasing variances. */
export function clusteredRows(rows: number, dims: number, seed: number): Float32Array {
  const random = randomFrom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const clusters = Math.max(4, Math.round(Math.sqrt(rows) / 2));
  const centers = Array.from({ length: clusters }, () =>
    Float32Array.from({ length: dims }, (_, d) => 0.8 * normal() * Math.exp(-d / dims)),
  );
  const out = new Float32Array(rows * dims);
  for (let r = 0; r < rows; r++) {
    const center = centers[Math.floor(random() * clusters)] ?? new Float32Array(dims);
    const row = out.subarray(r * dims, (r + 1) * dims);
    for (let d = 0; d < dims; d++) {
      row[d] = 1 + (center[d] ?? 0) + 0.5 * normal() * Math.exp((-2 * d) / dims);
    }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    for (let d = 0; d < dims; d++) row[d] = (row[d] ?? 0) / length;
  }
  return out;
}
