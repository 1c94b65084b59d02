// bench filters: latency and recall of searching with a condition that keeps half, a twentieth, a
// thousandth, or three of all rows.
//
// usage: npm run bench -- filters --train <vectors> [--base <vectors>] [--queries 500] [--seed 7]
//          [--effort e] [--vectors] [--threads n] [--json] [--record]
//
// Data and queries as in bench search. Recall is measured against exact search among the rows that
// the filter keeps.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCodec, trainingRowsFor } from '../src/codec/choose.js';
import { CorvidError, type CorvidIndex, openIndex } from '../src/index.js';
import { exactNeighbours, recall } from './ground-truth.js';
import { describeMachine, machineLine, writeRecord } from './machine.js';
import { makeVectorIndex } from './vector-index.js';
import { loadVectors, pickRows, rowOf, splitByVideo, type Vectors } from './vectors.js';

export const describe = 'latency and recall with filters of different selectivity';

const LIMIT = 10;

interface Condition {
  name: string;
  where: string | undefined;
  keeps: (id: number, rows: number) => boolean;
}

const CONDITIONS: readonly Condition[] = [
  { name: 'none', where: undefined, keeps: () => true },
  { name: '50 %', where: 'id % 2 = 1', keeps: (id) => id % 2 === 1 },
  { name: '5 %', where: 'id % 20 = 3', keeps: (id) => id % 20 === 3 },
  { name: '0.1 %', where: 'id % 1000 = 7', keeps: (id) => id % 1000 === 7 },
  { name: '3 rows', where: 'id in (11, 222, 3333)', keeps: (id) => [11, 222, 3333].includes(id) },
];

interface FilterPoint {
  condition: string;
  matchingRows: number;
  /** Mean hits per query; at most `limit`, at most matchingRows. */
  hits: number;
  recall: number;
  /** Milliseconds: the first search with the condition, which makes its bitmap, then the others. */
  firstMs: number;
  p50Ms: number;
  p99Ms: number;
  scannedRows: number;
}

interface FiltersBench {
  rows: number;
  queries: number;
  limit: number;
  effort: number | 'default';
  points: FilterPoint[];
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      base: { type: 'string' },
      queries: { type: 'string', default: '500' },
      seed: { type: 'string', default: '7' },
      effort: { type: 'string' },
      threads: { type: 'string', default: '2' },
      vectors: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  if (values.train === undefined) {
    throw new CorvidError('ERR_USAGE', 'no data', { hint: 'give --train, and perhaps --base' });
  }
  const loaded = await loadVectors(values.train);
  const { train, base } =
    values.base === undefined && loaded.videos !== null
      ? splitByVideo(loaded, Number(values.seed))
      : { train: loaded, base: values.base ? await loadVectors(values.base) : loaded };
  const folder = mkdtempSync(join(tmpdir(), 'corvid-filters-'));
  try {
    const path = join(folder, 'index.corvid');
    const threads = Number(values.threads);
    await makeVectorIndex({
      path,
      dims: base.dims,
      train: train.values,
      parts: [base.values],
      ...chooseCodec(base.rows, trainingRowsFor(train.rows), base.dims),
      vectors: values.vectors,
      threads,
      item: (id) => ({ key: String(id) }),
    });
    await using index = await openIndex(path, { threads });
    const effort = values.effort === undefined ? undefined : Number(values.effort);
    const bench: FiltersBench = {
      rows: base.rows,
      queries: Number(values.queries),
      limit: LIMIT,
      effort: effort ?? 'default',
      points: [],
    };
    for (const condition of CONDITIONS) {
      bench.points.push(await measure(index, base, condition, bench.queries, effort));
    }
    if (values.record) writeRecord('filters', args, bench);
    process.stdout.write(values.json ? `${JSON.stringify(bench)}\n` : table(bench));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  index: CorvidIndex,
  base: Vectors,
  { name, where, keeps }: Condition,
  queries: number,
  effort: number | undefined,
): Promise<FilterPoint> {
  const step = Math.max(1, Math.floor(base.rows / queries));
  const rows = Array.from({ length: queries }, (_, i) => (i * step) % base.rows);
  const kept = Array.from({ length: base.rows }, (_, id) => id).filter((id) =>
    keeps(id, base.rows),
  );
  const among = pickRows(base, kept);
  const selves = rows.map((row) => kept.indexOf(row));
  const found = await exactNeighbours(among, pickRows(base, rows), selves, LIMIT);
  const truth = found.map((positions) => positions.map((position) => kept[position] as number));
  const options = {
    // One more than is counted, as the filter may keep the query itself.
    limit: LIMIT + 1,
    ...(where === undefined ? {} : { where }),
    ...(effort === undefined ? {} : { effort }),
  };
  const times: number[] = [];
  const answers: number[][] = [];
  let matchingRows = 0;
  let scannedRows = 0;
  for (const row of rows) {
    const start = performance.now();
    const result = await index.search(rowOf(base, row), options);
    times.push(performance.now() - start);
    answers.push([...result.ids].filter((id) => id !== row).slice(0, LIMIT));
    matchingRows = result.matchingRows;
    scannedRows += result.scannedRows;
  }
  const [firstMs = 0, ...later] = times;
  later.sort((a, b) => a - b);
  const at = (share: number) => later[Math.floor(share * later.length)] as number;
  return {
    condition: name,
    matchingRows,
    hits: answers.reduce((sum, { length }) => sum + length, 0) / rows.length,
    recall: recall(truth, answers, LIMIT),
    firstMs,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    scannedRows: scannedRows / rows.length,
  };
}

function table({ rows, queries, limit, effort, points }: FiltersBench): string {
  const lines = [
    machineLine(describeMachine()),
    `${rows} rows, ${queries} queries, limit ${limit}, effort ${effort}`,
    '',
    'condition    matching    hits  recall  first ms   p50 ms   p99 ms  rows scanned',
  ];
  for (const point of points) {
    lines.push(
      point.condition.padEnd(10) +
        String(point.matchingRows).padStart(11) +
        point.hits.toFixed(1).padStart(8) +
        point.recall.toFixed(3).padStart(8) +
        point.firstMs.toFixed(1).padStart(10) +
        point.p50Ms.toFixed(2).padStart(9) +
        point.p99Ms.toFixed(2).padStart(9) +
        point.scannedRows.toFixed(0).padStart(14),
    );
  }
  return `${lines.join('\n')}\n`;
}
