// bench recall: the share of the exact nearest ten that the codes find, level by level.
//
// usage: npm run bench -- recall --train <npy or folder> [--base <npy or folder>]
//          [--queries 1000] [--seed 7] [--split 1] [--lists n] [--groups n]
//          [--outer-groups n] [--shortlist 300] [--json] [--record]
//
// The codec is trained on --train; the rows of --base are encoded into a segment, and scored by the
// product's native scan (64 bits, all lists) and refine (residual levels).
// Queries are rows of the base; a query is excluded from its neighbours and its answers. Without --base, a
// folder whose metadata name a `video` is split by video: two thirds train, the rest is indexed;
// --split seeds that split.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCodec, trainingRowsFor } from '../src/codec/choose.js';
import { encodeEmbeddings, findLists, trainCodec } from '../src/codec/codec.js';
import { CorvidError } from '../src/errors.js';
import { chooseRows } from '../src/indexer/rows/sample.js';
import {
  type CodecInfo,
  type NativeCodec,
  type NativeSegment,
  native,
  type Scoring,
} from '../src/native/addon.js';
import { exactNeighbours, recall } from './ground-truth.js';
import { describeMachine, machineLine, writeRecord } from './machine.js';
import { loadVectors, pickRows, rowOf, splitByVideo, type Vectors } from './vectors.js';

export const describe = 'recall of every code level, and after refining, against exact search';

const TRUE_NEIGHBOURS = 10;
const CUTS = [10, 100, 1000] as const;
/** The norm weight is estimated in this many of the nearest lists, as in a search. */
const NORM_LISTS = 4;
const BATCH_ROWS = 32768;
const SPILL_BYTES = 256 * 2 ** 20;

type Recall = Record<string, number>;

interface RecallResult {
  train: { path: string; rows: number };
  base: { path: string; rows: number };
  queries: number;
  codec: Pick<CodecInfo, 'method' | 'lists' | 'groups' | 'outerGroups' | 'residentBytes'>;
  /** Recall of the exact first ten within the first 10, 100, 1000 by a level alone. */
  levels: { bits: number; bytesPerRow: number; recall: Recall }[];
  /** Recall after a shortlist by 64 bits is ranked by a residual level, then perhaps by int8. */
  refined: { shortlist: number; bits: number; rescored?: 'int8'; recall: Recall }[];
  trainSeconds: number;
  encodeRowsPerSecond: number;
}

interface RecallSettings {
  queries: number;
  seed: number;
  shortlist: number;
  lists: number | undefined;
  groups: number | undefined;
  outerGroups: number | undefined;
  twoLevelLists: boolean;
  threads: number;
}

/** Bytes per row of the planes up to a level: code, a norm byte per residual level, the gain byte. */
function bytesPerRow(bits: number): number {
  return bits / 8 + (bits > 64 ? Math.log2(bits / 64) + 1 : 0);
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      base: { type: 'string' },
      queries: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      split: { type: 'string', default: '1' },
      lists: { type: 'string' },
      groups: { type: 'string' },
      'outer-groups': { type: 'string' },
      // Finds the lists as for very large collections, for comparison.
      'two-level-lists': { type: 'boolean', default: false },
      shortlist: { type: 'string', default: '300' },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  if (values.train === undefined) {
    throw new CorvidError('ERR_USAGE', 'recall needs data to train the codec on', {
      path: '--train',
      hint: 'give an .npy file or a folder in the clip-retrieval layout',
    });
  }
  const basePath = values.base ?? values.train;
  const { train, base } = await loadSides(values.train, values.base, Number(values.split));
  const measured = await measure(train, base, {
    queries: Math.min(Number(values.queries), base.rows),
    seed: Number(values.seed),
    shortlist: Number(values.shortlist),
    twoLevelLists: values['two-level-lists'],
    lists: optionalNumber(values.lists),
    groups: optionalNumber(values.groups),
    outerGroups: optionalNumber(values['outer-groups']),
    threads: availableParallelism(),
  });
  const result: RecallResult = {
    train: { path: values.train, rows: train.rows },
    base: { path: basePath, rows: base.rows },
    ...measured,
  };
  if (values.record) writeRecord('recall', args, result);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
}

function optionalNumber(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function loadSides(trainPath: string, basePath: string | undefined, splitSeed: number) {
  const train = await loadVectors(trainPath);
  if (basePath === undefined) return splitByVideo(train, splitSeed);
  return { train, base: basePath === trainPath ? train : await loadVectors(basePath) };
}

async function measure(
  from: Vectors,
  base: Vectors,
  settings: RecallSettings,
): Promise<Omit<RecallResult, 'train' | 'base'>> {
  const queryRows = Array.from(chooseRows(base.rows, settings.queries, settings.seed));
  const queries = pickRows(base, queryRows);
  log(`exact search: ${queries.rows} queries over ${base.rows} rows`);
  const truth = await exactNeighbours(base, queries, queryRows, TRUE_NEIGHBOURS);
  const folder = mkdtempSync(join(tmpdir(), 'corvid-recall-'));
  try {
    const { codec, trainSeconds } = await train(from, base, settings);
    const { segment, encodeSeconds } = await encode(
      codec,
      base,
      join(folder, 'segment'),
      settings.threads,
    );
    try {
      const ranks = rankAll(codec, segment, queries, queryRows, settings.shortlist);
      const { method, lists, groups, outerGroups, residentBytes } = codec.info();
      const share = (ids: Uint32Array[], cuts: readonly number[]): Recall =>
        Object.fromEntries(cuts.map((cut) => [cut, round(recall(truth, ids, cut))]));
      return {
        queries: queries.rows,
        codec: { method, lists, groups, outerGroups, residentBytes },
        levels: ranks.levels.map(({ bits, ids }) => ({
          bits,
          bytesPerRow: bytesPerRow(bits),
          recall: share(ids, CUTS),
        })),
        refined: ranks.refined.map(({ ids, ...how }) => ({
          ...how,
          recall: share(ids, [TRUE_NEIGHBOURS]),
        })),
        trainSeconds: round(trainSeconds),
        encodeRowsPerSecond: Math.round(base.rows / encodeSeconds),
      };
    } finally {
      segment.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function train(from: Vectors, base: Vectors, settings: RecallSettings) {
  const { lists, groups, outerGroups, seed, threads } = settings;
  const rows = Math.max(from.rows, base.rows);
  const picks = chooseRows(from.rows, Math.min(from.rows, trainingRowsFor(rows)), seed);
  const sample = pickRows(from, Array.from(picks));
  const choice = chooseCodec(rows, sample.rows, from.dims);
  if (lists !== undefined) choice.lists = lists;
  if (groups !== undefined) choice.groups = groups;
  if (outerGroups !== undefined) choice.outerGroups = outerGroups;
  log(`training on ${sample.rows} rows: ${JSON.stringify(choice)}`);
  const start = performance.now();
  const found = settings.twoLevelLists ? await listsAmong(sample, choice.lists, settings) : null;
  const options = { ...choice, dims: from.dims, seed, threads };
  const codec = await trainCodec(sample.values, options, found);
  return { codec, trainSeconds: (performance.now() - start) / 1000 };
}

function listsAmong({ rows, dims, values }: Vectors, lists: number, settings: RecallSettings) {
  const { seed, threads } = settings;
  const sample = new native.ByteSample(rows, dims);
  sample.add(values);
  return findLists(sample, { lists, seed, threads });
}

/** Encodes all of `base`, with int8 vectors. The time is that of encoding once more without vectors,
 * after the encoder was warmed up. */
export async function encode(codec: NativeCodec, base: Vectors, dir: string, threads: number) {
  const { dims, rows } = base;
  const writer = native.createSegmentWriter({
    dir,
    uuid: randomUUID(),
    codec,
    vectors: true,
    rowsHint: rows,
    memoryBytes: SPILL_BYTES,
  });
  await encodeEmbeddings(codec, base.values.slice(0, dims), { vectors: false, threads });
  let encodeSeconds = 0;
  for (let first = 0; first < rows; first += BATCH_ROWS) {
    const batch = base.values.slice(first * dims, (first + BATCH_ROWS) * dims);
    const start = performance.now();
    await encodeEmbeddings(codec, batch, { vectors: false, threads });
    encodeSeconds += (performance.now() - start) / 1000;
    const encoded = await encodeEmbeddings(codec, batch, { vectors: true, threads });
    await writer.append(
      encoded,
      Float64Array.from({ length: encoded.rows }, (_, i) => first + i),
    );
  }
  await writer.finish();
  return { segment: native.openSegment(dir, codec), encodeSeconds };
}

export interface Ranks {
  levels: { bits: number; ids: Uint32Array[] }[];
  refined: { shortlist: number; bits: number; rescored?: 'int8'; ids: Uint32Array[] }[];
}

/** Ranks the base for every query in every way that is reported, the query itself excluded.
 * @param queryRows row of the base that each query is */
export function rankAll(
  codec: NativeCodec,
  segment: NativeSegment,
  queries: Vectors,
  queryRows: readonly number[],
  shortlist: number,
): Ranks {
  const { rows, levels } = segment.info();
  const allRows = Float64Array.from({ length: rows }, (_, row) => row);
  const ids = segment.itemIds(allRows);
  const wanted = Math.min(rows, Math.max(...CUTS) + 1);
  const longer = levels.filter((bits) => bits > 64);
  const ranks: Ranks = {
    levels: levels.map((bits) => ({ bits, ids: [] })),
    refined: [
      ...longer.map((bits) => ({ shortlist, bits, ids: [] })),
      { shortlist, bits: levels.at(-1) as number, rescored: 'int8', ids: [] },
    ],
  };
  for (let q = 0; q < queries.rows; q++) {
    if (q % 100 === 0) log(`ranking: query ${q} of ${queries.rows}`);
    const query = rowOf(queries, q);
    const others = (found: Float64Array): Uint32Array =>
      Uint32Array.from(found, (row) => ids[row] as number).filter((id) => id !== queryRows[q]);
    const scanned = scanAllLists(codec, segment, query, shortlist, wanted);
    ranks.levels[0]?.ids.push(others(scanned));
    const short = scanned.slice(0, shortlist + 1);
    longer.forEach((bits, i) => {
      const all = bestRows(allRows, segment.refine(query, allRows, bits), wanted);
      ranks.levels[i + 1]?.ids.push(others(all));
      const refined = bestRows(short, segment.refine(query, short, bits), short.length);
      ranks.refined[i]?.ids.push(others(refined));
    });
    const rescored = bestRows(short, segment.rescore(query, short), short.length);
    ranks.refined.at(-1)?.ids.push(others(rescored));
  }
  return ranks;
}

/** The best `limit` of `rows`: by score descending, then row ascending. */
function bestRows(rows: Float64Array, scores: Float32Array, limit: number): Float64Array {
  const positions = Uint32Array.from(rows, (_, position) => position);
  positions.sort(
    (a, b) =>
      (scores[b] as number) - (scores[a] as number) || (rows[a] as number) - (rows[b] as number),
  );
  return Float64Array.from(positions.subarray(0, limit), (position) => rows[position] as number);
}

/** The best rows of all lists by the 64-bit plane, scored as in a search for `shortlist` rows. */
export function scanAllLists(
  codec: NativeCodec,
  segment: NativeSegment,
  query: Float32Array,
  shortlist: number,
  limit: number,
  scoring: Scoring = 'asymmetric',
): Float64Array {
  const nearest = codec.nearestLists(query, Math.min(NORM_LISTS, codec.info().lists));
  const normWeight = segment.estimateNormWeight(query, nearest, shortlist);
  const request = { query, lists: null, normWeight, limit, filter: 0 };
  return segment.scan({ ...request, scoring }).rows;
}

function table(result: RecallResult): string {
  const { codec, levels, refined } = result;
  const columns = (recall: Recall) =>
    Object.values(recall)
      .map((value) => value.toFixed(3).padStart(8))
      .join('');
  return [
    machineLine(describeMachine()),
    `trained on ${result.train.rows} rows in ${result.trainSeconds.toFixed(1)} s ` +
      `(${codec.method}, ${codec.lists} lists, ${codec.groups} groups), ` +
      `encoded ${result.encodeRowsPerSecond} rows/s`,
    `${result.queries} queries over ${result.base.rows} rows`,
    `${'recall of the true ten within'.padEnd(40)}${CUTS.map((cut) => `${cut}`.padStart(8)).join('')}`,
    ...levels.map(
      ({ bits, bytesPerRow, recall }) =>
        `${`${bits} bits, ${bytesPerRow} bytes per row`.padEnd(40)}${columns(recall)}`,
    ),
    ...refined.map(({ shortlist, bits, rescored, recall }) => {
      const how = `best ${shortlist} refined by ${bits} bits${rescored ? ', int8' : ''}`;
      return `${how.padEnd(40)}${columns(recall)}`;
    }),
    '',
  ].join('\n');
}

function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
