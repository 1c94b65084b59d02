// The protocol between the bench and the runners of its peers.
//
// A runner is a separate process, so that peers do not share memory or threads. Its argument is the
// path of a task as JSON; it prints one JSON line for every setting that it has measured.

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
  /** Hits per query. */
  hits: number;
  /** Threads for building and for batches; for single queries the peer's default applies. */
  threads: number;
  /** An existing folder for the files of the runner. */
  folder: string;
}

/** One line of a runner's output. */
export interface RunnerLine {
  /** The setting of effort, e.g. "nprobe 16". */
  effort: string;
  buildSeconds: number;
  /** Resident bytes of a search: per vector with its id, and once per index (centroids, codebooks,
   * rotations). */
  bytesPerVector: number;
  fixedBytes: number;
  /** Queries per second: one after the other, and in batches. */
  single: number;
  batch: number;
  /** File of queries x hits int32: positions in the base, best first, -1 where there are fewer. */
  answers: string;
}
