// fit stop: the coefficients of the rule that ends a scan of lists
// (native-bindings/src/segment/read/stop.cc), by logistic regression.
//
// Queries that are not indexed go through all lists, most similar first, scored by
// 64 bits alone. Each list is one observation: whether it holds one of the query's ten true
// neighbours, how many lists came before (as ln(1 + n)), how many of these in a row changed nothing
// among the best ten scores, and how much less similar the list is than the first. The first list is
// skipped, as a scan never ends before it.
//
// Prints the coefficients and the log loss beside those of the code, whose log odds are first scaled
// and shifted to these data: only their proportions matter, as calibration sets the threshold.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCodec, trainingRowsFor } from '../../src/codec/choose.js';
import { trainCodec } from '../../src/codec/codec.js';
import { chooseRows } from '../../src/indexer/rows/sample.js';
import type { NativeCodec, NativeSegment } from '../../src/native/addon.js';
import { exactNeighbours } from '../ground-truth.js';
import { encode } from '../recall.js';
import { pickRows, rowOf } from '../vectors.js';
import { numberOf } from './constants.js';
import { columns, loadSplit } from './data.js';
import { dot, logistic, logLoss, type Observation } from './least-squares.js';

const TRUE_NEIGHBOURS = 10;
/** The norm weight is estimated in this many of the nearest lists, for this shortlist, as in a
 * search. */
const NORM_LISTS = 4;
const SHORTLIST = 500;
const NAMES = ['kStart', 'kPosition', 'kUnchanged', 'kSimilarity'];

export async function fitStop(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      rows: { type: 'string', default: '40000' },
      queries: { type: 'string', default: '500' },
    },
  });
  const { base, queries } = await loadSplit(
    values.train,
    Number(values.rows),
    Number(values.queries),
  );
  const { dims, rows } = base;
  const threads = availableParallelism();
  const training = chooseRows(rows, Math.min(rows, trainingRowsFor(rows)), 7);
  const choice = chooseCodec(rows, training.length, dims);
  const sample = pickRows(base, Array.from(training));
  const codec = await trainCodec(sample.values, { ...choice, dims, seed: 7, threads });
  const folder = mkdtempSync(join(tmpdir(), 'corvid-fit-'));
  try {
    const { segment } = await encode(codec, base, join(folder, 'segment'), threads);
    const outside = new Array<number>(queries.rows).fill(-1);
    const truth = await exactNeighbours(base, queries, outside, TRUE_NEIGHBOURS);
    const seen = truth.flatMap((neighbours, q) =>
      observe(codec, segment, rowOf(queries, q), neighbours),
    );
    segment.close();
    process.stdout.write(
      `${queries.rows} queries, ${rows} rows, ${choice.lists} lists: ${seen.length} lists seen, ` +
        `${seen.filter(({ value }) => value === 1).length} of them with a neighbour\n${table(seen)}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Observations of one query: all its lists except the first. */
function observe(
  codec: NativeCodec,
  segment: NativeSegment,
  query: Float32Array,
  neighbours: Float64Array,
): Observation[] {
  const { lists } = codec.info();
  const order = codec.nearestLists(query, lists);
  const similarities = similaritiesOf(codec, query);
  const normWeight = segment.estimateNormWeight(query, order.subarray(0, NORM_LISTS), SHORTLIST);
  const neighbourRows = new Set(segment.findRows(neighbours));
  const scoring = 'asymmetric';
  let best: number[] = [];
  let unchanged = 0;
  const observations: Observation[] = [];
  order.forEach((list, before) => {
    const request = { query, lists: Uint32Array.of(list), scoring, normWeight, filter: 0 } as const;
    const { rows, scores } = segment.scan({ ...request, limit: segment.countRows(request.lists) });
    const similarity =
      (similarities[list] as number) - (similarities[order[0] as number] as number);
    if (before > 0) {
      observations.push({
        features: [1, Math.log1p(before), Math.log1p(unchanged), similarity],
        value: rows.some((row) => neighbourRows.has(row)) ? 1 : 0,
      });
    }
    const least = best[TRUE_NEIGHBOURS - 1] ?? Number.NEGATIVE_INFINITY;
    unchanged = (scores[0] ?? Number.NEGATIVE_INFINITY) > least ? 0 : unchanged + 1;
    best = [...best, ...scores.subarray(0, TRUE_NEIGHBOURS)].sort((a, b) => b - a);
    best.length = Math.min(best.length, TRUE_NEIGHBOURS);
  });
  return observations;
}

/** Inner products of the query with all normalised centroids. */
function similaritiesOf(codec: NativeCodec, query: Float32Array): number[] {
  const { lists, routingDims } = codec.info();
  const centroids = codec.routingCentroids();
  const projected = codec.routingQuery(query);
  return Array.from({ length: lists }, (_, list) => {
    let sum = 0;
    for (let d = 0; d < routingDims; d++) {
      sum += (projected[d] as number) * (centroids[list * routingDims + d] as number);
    }
    return sum;
  });
}

function table(seen: readonly Observation[]): string {
  const fitted = logistic(seen);
  const present = NAMES.map(numberOf);
  const scaled = seen.map(({ features, value }) => ({
    features: [1, dot(present, features)],
    value,
  }));
  const [shift = 0, scale = 1] = logistic(scaled);
  const always = logistic(seen.map(({ value }) => ({ features: [1], value })));
  const loss = logLoss(
    seen.map(({ value }) => ({ features: [1], value })),
    always,
  );
  return [
    columns('', 'now', 'scaled', 'fitted'),
    ...NAMES.map((name, i) => {
      const value = present[i] as number;
      const rescaled = value * scale + (i === 0 ? shift : 0);
      return columns(name, value, rescaled.toFixed(2), (fitted[i] as number).toFixed(2));
    }),
    columns(
      `log loss (${loss.toFixed(5)} without features)`,
      '',
      logLoss(scaled, [shift, scale]).toFixed(5),
      logLoss(seen, fitted).toFixed(5),
    ),
  ].join('');
}
