// bench synthetic: the synthetic collection against a real one.
//
// usage: npm run bench -- synthetic --real <npy or folder> [--rows 100000] [--queries 1000]
//          [--seed 7] [--collection n] [--json] [--record]
//
// First the statistics of both, at the same number of rows; then the recall of every way to search by
// codes, on both. Figures measured on synthetic rows are meaningful if both rank the ways in the same
// order. A folder whose metadata name a `video` is split by it, as in `bench recall`; synthetic rows
// are split by number, which separates all shots except those of one epoch.
import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import { CorvidError } from '../../src/errors.js';
import { chooseRows } from '../../src/indexer/rows/sample.js';
import { describeMachine, machineLine, recordPath, writeRecord } from '../machine.js';
import { drawSvg } from '../plot.js';
import { loadVectors, pickRows, splitByVideo, type Vectors } from '../vectors.js';
import { type CollectionFit, fitPlot, fitTable } from './fit.js';
import { CUTS, LIST_SHARES, type Methods, measureMethods, orderAgreement } from './methods.js';
import {
  COLLECTION_SEED,
  openSynthetic,
  ROWS_OF_EPOCH,
  SYNTHETIC_DIMS,
  type SyntheticCollection,
} from './native.js';
import { describeRows } from './statistics.js';

export const describe = 'the synthetic collection against a real one: statistics, order of methods';

/** Recalls that differ by less are a tie: their standard error over a thousand queries. */
const TIE = 0.01;

interface SyntheticResult {
  label: 'synthetic against real';
  fit: CollectionFit;
  real: Methods;
  synthetic: Methods;
  /** Kendall's correlation of the methods' order at each cut; 1 is the same order. */
  orderAgreement: { within: number; correlation: number }[];
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      real: { type: 'string' },
      rows: { type: 'string', default: '100000' },
      queries: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '7' },
      collection: { type: 'string', default: `${COLLECTION_SEED}` },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  if (values.real === undefined) {
    throw new CorvidError('ERR_USAGE', 'no real embeddings to compare with', {
      path: '--real',
      hint: 'give an .npy file or a folder of CLIP embeddings in the clip-retrieval layout',
    });
  }
  const seed = Number(values.seed);
  const queries = Number(values.queries);
  const collection = openSynthetic(Number(values.collection));
  const real = await loadVectors(values.real);
  const rows = Math.min(Number(values.rows), real.rows);
  log(`statistics of ${rows} rows`);
  const fit = {
    real: describeRows(
      pickRows(real, Array.from(chooseRows(real.rows, rows, seed))),
      queries,
      seed,
    ),
    synthetic: describeRows(await rowsOf(collection, 0, rows), queries, seed),
  };
  const sides = real.videos === null ? { train: real, base: real } : splitByVideo(real, seed);
  log('methods on real rows');
  const onReal = await measureMethods(sides.train, sides.base, queries, seed);
  log('methods on synthetic rows');
  const trainFrom = Math.ceil(sides.base.rows / ROWS_OF_EPOCH) * ROWS_OF_EPOCH;
  const onSynthetic = await measureMethods(
    await rowsOf(collection, trainFrom, sides.train.rows),
    await rowsOf(collection, 0, sides.base.rows),
    queries,
    seed,
  );
  const result: SyntheticResult = {
    label: 'synthetic against real',
    fit,
    real: onReal,
    synthetic: onSynthetic,
    orderAgreement: CUTS.map((within) => ({
      within,
      correlation: orderAgreement(onReal.methods, onSynthetic.methods, within, TIE),
    })),
  };
  if (values.record) {
    writeRecord('synthetic', args, result);
    const path = recordPath('synthetic', 'svg');
    await drawSvg(fitPlot(fit), path);
    log(`plot: ${relative(process.cwd(), path)}`);
  }
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
}

async function rowsOf(
  collection: SyntheticCollection,
  first: number,
  rows: number,
): Promise<Vectors> {
  const values = await collection.floats(first, rows, availableParallelism());
  return { rows, dims: SYNTHETIC_DIMS, values };
}

function table({ fit, real, synthetic, orderAgreement }: SyntheticResult): string {
  const recalls = (one: Methods, i: number) =>
    (one.methods[i]?.recall ?? [])
      .map((value) => (value === null ? '' : value.toFixed(3)).padStart(8))
      .join('');
  const cuts = CUTS.map((cut) => `${cut}`.padStart(8)).join('');
  const sizes = (one: Methods) => one.listSizes.map((size) => size.toFixed(2).padStart(7)).join('');
  return [
    machineLine(describeMachine()),
    fitTable(fit),
    `${real.baseRows} rows searched, ${real.queries} of them as queries; trained on ${real.trainRows} others`,
    `${'recall of the exact ten within'.padEnd(44)}real${cuts.slice(4)}   synthetic${cuts.slice(4)}`,
    ...real.methods.map(
      ({ method }, i) => `${method.padEnd(40)}${recalls(real, i)}     ${recalls(synthetic, i)}`,
    ),
    `order of methods, Kendall's correlation: ${orderAgreement
      .map(({ within, correlation }) => `${correlation.toFixed(3)} within ${within}`)
      .join(', ')}`,
    `size of lists over their mean${''.padEnd(14)}${LIST_SHARES.map((share) => `${share * 100} %`.padStart(7)).join('')}`,
    `${'  real'.padEnd(43)}${sizes(real)}`,
    `${'  synthetic'.padEnd(43)}${sizes(synthetic)}`,
    '',
  ].join('\n');
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
