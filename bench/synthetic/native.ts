// The synthetic collection, made by native code: any row from its number and the seed alone.
//
// Loads the benches' own addon (native-bindings/bench), which is not part of the package.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CorvidError } from '../../src/errors.js';

/** Numbers in a row. */
export const SYNTHETIC_DIMS = 512;

/** The best rows so far of each query, best first: queries x count; row -1 where there are fewer. */
export interface Truth {
  rows: Float64Array;
  cosines: Float32Array;
}

export interface SyntheticCollection {
  /** Rows `first` .. `first + rows` as half floats: rows x 512, about unit length. Numbers from 0
   * are the collection; from `FIRST_HELD_OUT` on rows that it never has, to be queries. */
  halves(first: number, rows: number, threads: number): Promise<Uint16Array>;
  /** The same rows, brought to unit length again after they were rounded to halves. */
  floats(first: number, rows: number, threads: number): Promise<Float32Array>;
}

/** The nearest of the rows that it is shown. */
export interface SyntheticGroundTruth {
  /** Rows `first` .. of the collection, as halves; each row once. One call after another. */
  compare(halves: Uint16Array, first: number, threads: number): Promise<void>;
  found(): Truth;
}

interface BenchAddon {
  SyntheticCollection: new (seed: number) => SyntheticCollection;
  /** @param queries queries x 512, unit length @param soFar what was found before */
  SyntheticGroundTruth: new (
    queries: Float32Array,
    soFar: Truth,
  ) => SyntheticGroundTruth;
  syntheticFirstHeldOut: number;
  principalVariances(values: Float32Array, dims: number): Float64Array;
  innerProducts(a: Float32Array, b: Float32Array, dims: number, threads: number): Float32Array;
  dropCached(path: string): void;
  cachedBytes(path: string): number;
  readMapped(path: string, threads: number): Promise<bigint>;
}

function load(): BenchAddon {
  const path = fileURLToPath(new URL('../../../native-bindings/bench', import.meta.url));
  try {
    const build = createRequire(import.meta.url)('node-gyp-build') as (path: string) => BenchAddon;
    return build(path);
  } catch (cause) {
    throw new CorvidError('ERR_NATIVE', 'the addon of the benches could not be loaded', {
      path,
      hint: 'run "npm run build:native", which builds it beside the one that ships',
      cause,
    });
  }
}

const addon = load();

/** Seed of the collection that the shape was fitted for: which branches of the tree are large and
 * which tight is chance, and another seed's first levels differ as two real collections do. */
export const COLLECTION_SEED = 19;

/** Number of the first row that is no part of any collection. */
export const FIRST_HELD_OUT = addon.syntheticFirstHeldOut;

/** Of so many rows of the collection, so many others are held out (an epoch, as native code has
 * it): held-out row h lies among the rows of epoch h / HELD_OUT_OF_EPOCH. */
export const ROWS_OF_EPOCH = 65_280;
export const HELD_OUT_OF_EPOCH = 256;

export function openSynthetic(seed: number): SyntheticCollection {
  return new addon.SyntheticCollection(seed);
}

export function openGroundTruth(queries: Float32Array, soFar: Truth): SyntheticGroundTruth {
  return new addon.SyntheticGroundTruth(queries, soFar);
}

/** No neighbours yet. */
export function emptyTruth(queries: number, count: number): Truth {
  return {
    rows: new Float64Array(queries * count).fill(-1),
    cosines: new Float32Array(queries * count),
  };
}

/** Variances along the principal directions of rows x dims numbers, descending. */
export const principalVariances = addon.principalVariances;
/** Inner products of every row of `a` with every row of `b`: rows of a x rows of b. */
export const innerProducts = addon.innerProducts;
/** Asks the system to forget a file's pages. */
export const dropCached = addon.dropCached;
/** Bytes of a file that are in memory. */
export const cachedBytes = addon.cachedBytes;
/** Reads all of a file through a map. @returns the sum of its 64-bit words */
export const readMapped = addon.readMapped;
