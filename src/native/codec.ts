// Typed surface of the native codec: finding lists, training, encoding.

/** Vectors one after another as a file or a caller has them, of any length. Uint16Array holds IEEE
 * float16. */
export type RawVectors = Float32Array | Uint16Array | Int8Array;

/** What a codec is and costs. Sizes in bytes; `dims` as the caller's embeddings have it. */
export interface CodecInfo {
  method: 'trained' | 'rotation';
  uuid: string;
  dims: number;
  /** Code lengths in bits, ascending, nested: e.g. [64, 128, 256, 512]. */
  levels: number[];
  lists: number;
  /** Groups of lists that share directions and corners at level 64; residual groups, that share a
   * basis at the residual levels. */
  groups: number;
  outerGroups: number;
  seed: number;
  trainingRows: number;
  /** Dimensions of routing vectors (`routingCentroids`, `routingQuery`). */
  routingDims: number;
  residentBytes: number;
  fileBytes: number;
}

export interface TrainingOptions {
  dims: number;
  /** `rotation`: one list, a random rotation, no k-means; for collections too small to train. */
  method: 'trained' | 'rotation';
  /** The first one to four of 64, 128, 256, 512, none above max(64, dims). */
  levels: readonly number[];
  /** At most the sample's rows, unless they are given; 1 for `rotation`. */
  lists: number;
  /** Groups of lists that share directions and corners at level 64; at most `lists`. */
  groups: number;
  /** Residual groups: groups of those that share a basis at the residual levels; at most `groups`. */
  outerGroups: number;
  seed: number;
  threads: number;
}

export interface NativeTraining<Result = NativeCodec> {
  /** How far training is; `done` of `total` in units of the phase. Callable at any time. */
  progress(): { phase: string; done: number; total: number };
  /** Makes `result` reject with ERR_ABORTED soon. */
  cancel(): void;
  result: Promise<Result>;
}

/** Embeddings to find lists among, a byte per dimension. */
export interface NativeByteSample {
  /** embeddings: unit rows. */
  add(embeddings: Float32Array): void;
  /** Frees the memory; no other method may be called afterwards. */
  free(): void;
}

/** Centers of lists. Training consumes them. */
export type NativeLists = object & { readonly __lists: never };

/** Rows as codes, from the codec to the segment writer. */
export interface EncodedBatch {
  rows: number;
  /** rows list numbers. */
  lists: Uint32Array;
  /** rows x codeBytes: each row's records in the planes of all levels, one after another (FORMAT.md,
   * section 3). */
  codes: Uint8Array;
  /** rows x dims scalar-quantised vectors, present when asked for. */
  vectors?: Int8Array;
}

export interface NativeCodec {
  info(): CodecInfo;
  /** Writes the codec to `path` (not renamed, fsynced). */
  save(path: string): Promise<void>;
  /** Assigns lists and encodes. `vectors`: rows x dims, of any length but zero; read until the promise
   * settles, so do not touch them before. */
  encode(
    vectors: RawVectors,
    options: { vectors: boolean; threads: number },
  ): Promise<EncodedBatch>;
  /** lists x routingDims, unit length: the vectors of the routing graph. */
  routingCentroids(): Float32Array;
  /** routingDims numbers: the query in the space of the routing graph. */
  routingQuery(query: Float32Array): Float32Array;
  /** The `probes` lists whose normalised centroids are most similar to each query, best first:
   * queries x probes. By brute force. */
  nearestLists(queries: Float32Array, probes: number): Uint32Array;
}
