// What the bench and the peers' runners say to each other.
//
// A runner is a process of its own, so that its memory and its threads are its own. It is given the
// path of a task as JSON, and prints one JSON line for every setting that it has measured.

/** Rows of float32, little-endian, unit length, without a header. */
export interface RawVectors {
  path: string;
  rows: number;
}

export interface RunnerTask {
  /** Which of the runner's indexes to build. */
  index: string;
  train: RawVectors;
  base: RawVectors;
  queries: RawVectors;
  dims: number;
  /** Hits wanted of every query. */
  hits: number;
  /** Threads for building and for batches; one query at a time uses what the peer does by itself. */
  threads: number;
  /** A folder that exists, for whatever the runner writes. */
  folder: string;
}

/** One line of a runner's output. */
export interface RunnerLine {
  /** The setting of effort, e.g. "nprobe 16". */
  effort: string;
  buildSeconds: number;
  /** Bytes that searching wants in memory: for each vector, ids counted, and for the index as such
   * (centroids, codebooks, rotations). */
  bytesPerVector: number;
  fixedBytes: number;
  /** Queries a second: one after the other, and all at once. */
  single: number;
  batch: number;
  /** File of queries x hits int32: positions in the base, best first, -1 where there are fewer. */
  answers: string;
}
