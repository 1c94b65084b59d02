// Recall of every way to search by codes, on any collection. The synthetic collection has to rank them
// as a real one does, or figures measured on it mean nothing.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseCodec, trainingRowsFor } from '../../src/codec/choose.js';
import { trainCodec } from '../../src/codec/codec.js';
import { chooseRows } from '../../src/indexer/rows/sample.js';
import type { NativeCodec } from '../../src/native/addon.js';
import { exactNeighbours, recall } from '../ground-truth.js';
import { encode, rankAll, scanAllLists } from '../recall.js';
import { pickRows, rowOf, type Vectors } from '../vectors.js';

/** Recall of the exact ten nearest by one method. */
export interface MethodRecall {
  method: string;
  /** Share of them within the first ten, hundred and thousand answers; null where a method gives
   * fewer answers. */
  recall: (number | null)[];
}

export const CUTS = [10, 100, 1000] as const;

/** Sizes of lists over their mean, at these shares of the lists. */
export const LIST_SHARES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1] as const;

export interface Methods {
  trainRows: number;
  baseRows: number;
  queries: number;
  methods: MethodRecall[];
  listSizes: number[];
}

const TRUE_NEIGHBOURS = 10;
const SHORTLIST = 300;

/** Measures every method. Queries are rows of `base`, each excluded from its answers. */
export async function measureMethods(
  train: Vectors,
  base: Vectors,
  queryCount: number,
  seed: number,
): Promise<Methods> {
  const queryRows = Array.from(chooseRows(base.rows, Math.min(queryCount, base.rows), seed));
  const queries = pickRows(base, queryRows);
  const truth = await exactNeighbours(base, queries, queryRows, TRUE_NEIGHBOURS);
  const share = (method: string, ids: Uint32Array[], longest: number): MethodRecall => ({
    method,
    recall: CUTS.map((cut) => (cut > longest ? null : recall(truth, ids, cut))),
  });
  const methods: MethodRecall[] = [];
  let listSizes: number[] = [];
  for (const kind of ['rotation', 'trained'] as const) {
    const codec = await codecOf(kind, train, base, seed);
    const folder = mkdtempSync(join(tmpdir(), 'corvid-synthetic-'));
    try {
      const { segment } = await encode(
        codec,
        base,
        join(folder, 'segment'),
        availableParallelism(),
      );
      const { levels, refined } = rankAll(codec, segment, queries, queryRows, SHORTLIST);
      const ids = segment.itemIds(Float64Array.from({ length: base.rows }, (_, row) => row));
      const bits = queryRows.map((row, q) =>
        Uint32Array.from(
          scanAllLists(
            codec,
            segment,
            rowOf(queries, q),
            SHORTLIST,
            Math.max(...CUTS) + 1,
            'hamming',
          ),
          (found) => ids[found] as number,
        ).filter((id) => id !== row),
      );
      methods.push(share(`${kind}, 64 bits by Hamming distance`, bits, Infinity));
      for (const level of levels) {
        methods.push(share(`${kind}, ${level.bits} bits`, level.ids, Infinity));
      }
      if (kind === 'trained') {
        for (const one of refined) {
          const how = `${one.bits} bits${one.rescored === undefined ? '' : ', int8'}`;
          methods.push(share(`trained, best ${SHORTLIST} refined by ${how}`, one.ids, SHORTLIST));
        }
        listSizes = sizesOfLists(codec.info().lists, (list) => segment.countRows(list), base.rows);
      }
      segment.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const { rows: baseRows } = base;
  return { trainRows: train.rows, baseRows, queries: queries.rows, methods, listSizes };
}

async function codecOf(
  kind: 'rotation' | 'trained',
  train: Vectors,
  base: Vectors,
  seed: number,
): Promise<NativeCodec> {
  const picks = chooseRows(train.rows, Math.min(train.rows, trainingRowsFor(train.rows)), seed);
  const sample = pickRows(train, Array.from(picks));
  const trained = chooseCodec(Math.max(train.rows, base.rows), sample.rows, train.dims);
  const choice =
    kind === 'trained'
      ? trained
      : { ...trained, method: kind, lists: 1, groups: 1, outerGroups: 1 };
  const { dims } = train;
  return trainCodec(sample.values, { ...choice, dims, seed, threads: availableParallelism() });
}

function sizesOfLists(lists: number, count: (list: Uint32Array) => number, rows: number) {
  const sizes = Float64Array.from({ length: lists }, (_, list) => count(Uint32Array.of(list)));
  sizes.sort();
  const at = (share: number) => sizes[Math.round(share * (lists - 1))] as number;
  return LIST_SHARES.map((share) => (at(share) * lists) / rows);
}

/**
 * Kendall's rank correlation of the methods by their recall within `cut`, on two collections: 1 if
 * every two methods are in the same order on both. Pairs that differ by less than `tie` on either
 * are skipped, as their order is chance.
 */
export function orderAgreement(
  a: readonly MethodRecall[],
  b: readonly MethodRecall[],
  cut: number,
  tie: number,
): number {
  const at = CUTS.indexOf(cut as (typeof CUTS)[number]);
  let agree = 0;
  let pairs = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const difference = (list: readonly MethodRecall[]) =>
        (list[i]?.recall[at] ?? Number.NaN) - (list[j]?.recall[at] ?? Number.NaN);
      const [first, second] = [difference(a), difference(b)];
      if (!(Math.abs(first) > tie && Math.abs(second) > tie)) continue;
      pairs++;
      agree += first > 0 === second > 0 ? 1 : -1;
    }
  }
  return agree / pairs;
}
