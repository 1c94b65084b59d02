// Statistics of a collection of embeddings, by which the synthetic one is compared with a real one.
// They are computed from the rows alone, without an index or a codec.
import { availableParallelism } from 'node:os';
import { chooseRows } from '../../src/indexer/rows/sample.js';
import { pickRows, type Vectors } from '../vectors.js';
import { innerProducts, principalVariances } from './native.js';

/** Quantiles of one quantity over rows: QUANTILES of them. */
export type Quantiles = number[];

export const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;
/** Ranks of neighbours. */
export const RANKS = [1, 10, 100, 1000, 10_000] as const;
/** Numbers of principal directions at which shares of the variance are given. */
export const DIRECTIONS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

export interface Statistics {
  rows: number;
  meanLength: number;
  variance: number;
  /** Share of the variance in the first DIRECTIONS. */
  varianceShares: number[];
  /** The same among the hundred and the thousand rows nearest to a row: medians. */
  localShares: { neighbours: number; shares: number[] }[];
  pairCosines: Quantiles;
  /** Cosines with the neighbour of each rank. */
  neighbourCosines: { rank: number; quantiles: Quantiles }[];
  /** Local dimension between two ranks: log of their ratio over log of the ratio of the distances. */
  localDimension: { from: number; to: number; quantiles: Quantiles }[];
}

const LOCAL_NEIGHBOURHOODS = [100, 1000] as const;
const LOCAL_SAMPLES = 48;
const BATCH_QUERIES = 64;
/** Rows this far apart in the order count as random pairs. */
const PAIR_STEP = 997;
/** Lower bound, as the distance of duplicates is zero and has no logarithm. */
const MIN_SQUARED_DISTANCE = 1e-4;

/** Statistics of all rows; those of neighbours from `queries` rows chosen by `seed`. */
export function describeRows(all: Vectors, queries: number, seed: number): Statistics {
  const { rows, dims } = all;
  const queryRows = Array.from(chooseRows(rows, Math.min(queries, rows), seed));
  const ranks = RANKS.filter((rank) => rank < rows);
  const atRank = ranks.map((): number[] => []);
  const pairs: number[] = [];
  const local: number[][][] = LOCAL_NEIGHBOURHOODS.map(() => []);
  for (let first = 0; first < queryRows.length; first += BATCH_QUERIES) {
    const batch = queryRows.slice(first, first + BATCH_QUERIES);
    const products = innerProducts(
      pickRows(all, batch).values,
      all.values,
      dims,
      availableParallelism(),
    );
    batch.forEach((row, i) => {
      const cosines = products.subarray(i * rows, (i + 1) * rows);
      for (let other = i; other < rows; other += PAIR_STEP) {
        if (other !== row) pairs.push(cosines[other] as number);
      }
      cosines[row] = -2;
      if (first + i < LOCAL_SAMPLES) {
        LOCAL_NEIGHBOURHOODS.forEach((count, j) => {
          local[j]?.push(shares(pickRows(all, nearest(cosines, count))));
        });
      }
      const sorted = cosines.sort();
      ranks.forEach((rank, j) => {
        atRank[j]?.push(sorted[rows - rank] as number);
      });
    });
  }
  const variances = principalVariances(all.values, dims);
  return {
    rows,
    meanLength: lengthOfMean(all),
    variance: sum(variances),
    varianceShares: cumulativeShares(variances),
    localShares: LOCAL_NEIGHBOURHOODS.map((neighbours, j) => ({
      neighbours,
      shares: DIRECTIONS.map((_, i) => median(local[j]?.map((one) => one[i] as number) ?? [])),
    })),
    pairCosines: quantiles(pairs),
    neighbourCosines: ranks.map((rank, j) => ({ rank, quantiles: quantiles(atRank[j] ?? []) })),
    localDimension: ranks.slice(1).map((to, j) => ({
      from: ranks[j] as number,
      to,
      quantiles: quantiles(dimensions(atRank[j] ?? [], atRank[j + 1] ?? [], ranks[j] ?? 1, to)),
    })),
  };
}

/** QUANTILES of `values`, by linear interpolation. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  return QUANTILES.map((share) => {
    const at = share * (sorted.length - 1);
    const below = sorted[Math.floor(at)] as number;
    const above = sorted[Math.ceil(at)] as number;
    return below + (above - below) * (at - Math.floor(at));
  });
}

function median(values: readonly number[]): number {
  return quantiles(values)[QUANTILES.indexOf(0.5)] as number;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

function cumulativeShares(variances: Float64Array): number[] {
  const total = sum(variances);
  return DIRECTIONS.map((count) => sum(variances.subarray(0, count)) / total);
}

function shares(rows: Vectors): number[] {
  return cumulativeShares(principalVariances(rows.values, rows.dims));
}

function lengthOfMean({ rows, dims, values }: Vectors): number {
  const mean = new Float64Array(dims);
  for (let i = 0; i < values.length; i++) {
    mean[i % dims] = (mean[i % dims] as number) + (values[i] as number) / rows;
  }
  return Math.hypot(...mean);
}

/** The `count` rows with the largest cosines, in no order. */
function nearest(cosines: Float32Array, count: number): number[] {
  const least = Float32Array.from(cosines).sort()[cosines.length - count] as number;
  const rows: number[] = [];
  cosines.forEach((cosine, row) => {
    if (cosine >= least && rows.length < count) rows.push(row);
  });
  return rows;
}

function dimensions(near: number[], far: number[], from: number, to: number): number[] {
  const squared = (cosine: number) => Math.max(2 - 2 * cosine, MIN_SQUARED_DISTANCE);
  return near.flatMap((cosine, i) => {
    const growth = Math.log(squared(far[i] as number) / squared(cosine)) / 2;
    return growth > 0 ? [Math.log(to / from) / growth] : [];
  });
}
