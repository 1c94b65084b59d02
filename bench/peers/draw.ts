// The two pictures of the peers bench: recall against queries a second, and against bytes.
import type { TopLevelSpec } from 'vega-lite';
import { drawSvg } from '../plot.js';
import type { PeersBench } from './result.js';

const WIDTH = 640;
const HEIGHT = 420;

export async function drawPeers(
  bench: PeersBench,
  paths: { speed: string; bytes: string },
): Promise<void> {
  const values = bench.peers.flatMap(({ name, points }) =>
    points.map((point, order) => ({ index: name, order, ...point })),
  );
  await drawSvg(speedPlot(values, bench), paths.speed);
  await drawSvg(bytesPlot(values, bench), paths.bytes);
}

type Value = { index: string };

function frame(values: Value[], { base, queries, threads }: PeersBench, title: string) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    title: {
      text: title,
      subtitle: `${base} rows of CLIP ViT-B/32, ${queries} queries, ${threads} threads`,
      anchor: 'start',
    },
    width: WIDTH,
    height: HEIGHT,
    background: 'white',
    data: { values },
  } as const;
}

const color = {
  field: 'index',
  type: 'nominal',
  sort: null,
  legend: { title: null, symbolType: 'circle' },
  scale: { scheme: 'tableau20' },
} as const;

/** corvid is drawn thicker than the others. */
const width = {
  condition: { test: "indexof(datum.index, 'corvid') === 0", value: 3 },
  value: 1.2,
} as const;

function speedPlot(values: Value[], bench: PeersBench): TopLevelSpec {
  return {
    ...frame(values, bench, 'Recall against speed, queries in batches'),
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'batch',
        type: 'quantitative',
        scale: { type: 'log' },
        title: 'queries per second',
      },
      y: {
        field: 'recall10',
        type: 'quantitative',
        scale: { zero: false },
        title: 'recall@10',
      },
      order: { field: 'order', type: 'quantitative' },
      color,
      strokeWidth: width,
    },
  };
}

function bytesPlot(values: Value[], bench: PeersBench): TopLevelSpec {
  return {
    ...frame(values, bench, 'Best recall against memory'),
    transform: [
      {
        aggregate: [
          { op: 'max', field: 'recall10', as: 'best' },
          { op: 'max', field: 'bytesPerVector', as: 'bytes' },
        ],
        groupby: ['index'],
      },
    ],
    layer: [
      { mark: { type: 'point', filled: true, size: 90 } },
      {
        mark: { type: 'text', align: 'left', dx: 8, fontSize: 11 },
        encoding: { text: { field: 'index' } },
      },
    ],
    encoding: {
      x: {
        field: 'bytes',
        type: 'quantitative',
        scale: { type: 'log', domain: [6, 8000] },
        title: 'bytes per vector in memory, ids counted',
      },
      y: { field: 'best', type: 'quantitative', scale: { zero: false }, title: 'recall@10' },
      color: { ...color, legend: null },
    },
  };
}
