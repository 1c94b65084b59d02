// The statistics of the real and the synthetic collection side by side, as a table and as a plot.
import type * as vegaLite from 'vega-lite';
import { DIRECTIONS, QUANTILES, type Statistics } from './statistics.js';

export interface CollectionFit {
  real: Statistics;
  synthetic: Statistics;
}

/** Lines of text, real beside synthetic. */
export function fitTable({ real, synthetic }: CollectionFit): string {
  const numbers = (values: readonly number[], digits = 3) =>
    values.map((value) => value.toFixed(digits).padStart(7)).join('');
  const pair = (name: string, of: (one: Statistics) => readonly number[], digits?: number) => [
    `${name.padEnd(34)}real     ${numbers(of(real), digits)}`,
    `${''.padEnd(34)}synthetic${numbers(of(synthetic), digits)}`,
  ];
  const percent = QUANTILES.map((share) => `${share * 100} %`.padStart(7)).join('');
  return [
    `${real.rows} real rows, ${synthetic.rows} synthetic`,
    ...pair('length of the mean, variance', ({ meanLength, variance }) => [meanLength, variance]),
    `${'share of variance in directions'.padEnd(43)}${DIRECTIONS.map((n) => `${n}`.padStart(7)).join('')}`,
    ...pair('  all rows', ({ varianceShares }) => varianceShares),
    ...real.localShares.flatMap(({ neighbours }, i) =>
      pair(`  nearest ${neighbours} of a row`, (one) => one.localShares[i]?.shares ?? []),
    ),
    `${'quantiles'.padEnd(43)}${percent}`,
    ...pair('  cosine of random pairs', ({ pairCosines }) => pairCosines),
    ...real.neighbourCosines.flatMap(({ rank }, i) =>
      pair(`  cosine with neighbour ${rank}`, (one) => one.neighbourCosines[i]?.quantiles ?? []),
    ),
    ...real.localDimension.flatMap(({ from, to }, i) =>
      pair(
        `  dimension, ranks ${from} to ${to}`,
        (one) => one.localDimension[i]?.quantiles ?? [],
        1,
      ),
    ),
    '',
  ].join('\n');
}

/** Quantile plots: real as lines, synthetic as points. */
export function fitPlot(fit: CollectionFit): vegaLite.TopLevelSpec {
  const data = Object.entries(fit).flatMap(([data, one]: [string, Statistics]) => [
    ...one.neighbourCosines.flatMap(({ rank, quantiles }) =>
      points('cosine with the neighbour of rank', `${rank}`, data, QUANTILES, quantiles),
    ),
    ...points('cosine with the neighbour of rank', 'random pair', data, QUANTILES, one.pairCosines),
    ...one.localDimension.flatMap(({ from, to, quantiles }) =>
      points('local dimension, ranks', `${from} to ${to}`, data, QUANTILES, quantiles),
    ),
    ...points('share of variance', 'all rows', data, DIRECTIONS, one.varianceShares),
    ...one.localShares.flatMap(({ neighbours, shares }) =>
      points('share of variance', `nearest ${neighbours}`, data, DIRECTIONS, shares),
    ),
  ]);
  const panel = (title: string, across: string, logarithmic: boolean): object => ({
    title,
    width: 260,
    height: 260,
    transform: [{ filter: { field: 'panel', equal: title } }],
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title: across,
        scale: logarithmic ? { type: 'log', base: 2 } : {},
      },
      y: { field: 'y', type: 'quantitative', title: null, scale: { zero: false } },
      color: { field: 'series', type: 'nominal', title: null },
    },
    layer: [
      { mark: 'line', transform: [{ filter: "datum.data == 'real'" }] },
      { mark: { type: 'point', size: 40 }, transform: [{ filter: "datum.data == 'synthetic'" }] },
    ],
    resolve: { scale: { color: 'independent' } },
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    title: `Real embeddings (lines) and synthetic ones (points), ${fit.real.rows} rows each`,
    background: 'white',
    data: { values: data },
    hconcat: [
      panel('cosine with the neighbour of rank', 'quantile over rows', false),
      panel('local dimension, ranks', 'quantile over rows', false),
      panel('share of variance', 'principal directions', true),
    ],
    resolve: { scale: { color: 'independent' } },
  } as vegaLite.TopLevelSpec;
}

function points(
  panel: string,
  series: string,
  data: string,
  xs: readonly number[],
  ys: readonly number[],
): object[] {
  return ys.map((y, i) => ({ panel, series, data, x: xs[i], y }));
}
