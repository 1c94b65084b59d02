// Reads some rows of a source by position, neighbours in one go.
import type { RawVectors, VectorSource } from '../../formats/vector-source.js';

/** Rows closer than this are read in one go: what lies between costs less than another read. */
const MAX_GAP_ROWS = 16;
const MAX_RUN_ROWS = 512;
const READS_IN_FLIGHT = 16;

/**
 * @param source one with `readAt`
 * @param picks ascending row numbers without repeats
 * @returns the vectors of `picks` in order, in batches of any size
 */
export async function* picksByPosition(
  source: VectorSource,
  picks: Float64Array,
): AsyncGenerator<RawVectors> {
  const runs = splitRuns(picks);
  try {
    for (let start = 0; start < runs.length; start += READS_IN_FLIGHT) {
      const some = runs.slice(start, start + READS_IN_FLIGHT);
      yield* await Promise.all(some.map((run) => readRun(source, run)));
    }
  } finally {
    await source.close();
  }
}

async function readRun(source: VectorSource, run: Float64Array): Promise<RawVectors> {
  const first = run[0] as number;
  const rows = (run.at(-1) as number) - first + 1;
  const vectors = (await source.readAt?.(first, rows)) as RawVectors;
  const offsets = run.map((row) => row - first);
  return copyRows(vectors, source.dims, offsets);
}

/** Splits ascending rows where the gap between two is wide, or the run gets long. */
function splitRuns(picks: Float64Array): Float64Array[] {
  const runs: Float64Array[] = [];
  let start = 0;
  for (let i = 1; i <= picks.length; i++) {
    const next = picks[i] ?? Number.POSITIVE_INFINITY;
    const gap = next - (picks[i - 1] as number);
    if (gap > MAX_GAP_ROWS || next - (picks[start] as number) >= MAX_RUN_ROWS) {
      runs.push(picks.subarray(start, i));
      start = i;
    }
  }
  return runs;
}

/** Copies some rows of `vectors` (rows x dims), in the given order. */
export function copyRows(vectors: RawVectors, dims: number, offsets: Float64Array): RawVectors {
  const length = offsets.length * dims;
  const copy =
    vectors instanceof Float32Array
      ? new Float32Array(length)
      : vectors instanceof Uint16Array
        ? new Uint16Array(length)
        : new Int8Array(length);
  offsets.forEach((row, i) => {
    copy.set(vectors.subarray(row * dims, (row + 1) * dims), i * dims);
  });
  return copy;
}
