// fit routing: from how many lists on a graph over the centroids finds a query's lists faster than
// comparing it with all of them (GRAPH_MIN_LISTS of src/query/routing/graph.ts).
//
// Codecs of some numbers of lists are trained on the rows given, which should be more than the
// lists. Of each: microseconds a query by brute force, alone and with twelve in a call, and by the
// graph; and how often the graph has the nearest list.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chooseCodec } from '../../src/codec/choose.js';
import { findLists, trainCodec } from '../../src/codec/codec.js';
import { type NativeCodec, native } from '../../src/native/addon.js';
import { probesFor } from '../../src/query/plan/plan.js';
import { buildRoutingGraph, Router } from '../../src/query/routing/graph.js';
import { checksumFile } from '../../src/store/files.js';
import { describeMachine, machineLine } from '../machine.js';
import { rowOf, type Vectors } from '../vectors.js';
import { numberOf } from './constants.js';
import { columns, loadSplit, median } from './data.js';

/** Queries in a call that share the reading of the centroids. */
const TOGETHER = 12;
/** Efforts whose number of lists is asked for: a cheap search, and one as it is by default. */
const EFFORTS = [0.2, 0.5];
/** Shorter levels would not change routing. */
const LEVELS = [64];

export async function fitRouting(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      lists: { type: 'string', default: '4096,16384,32768' },
      rows: { type: 'string', default: '100000' },
      queries: { type: 'string', default: '996' },
    },
  });
  const split = await loadSplit(values.train, Number(values.rows), Number(values.queries));
  process.stdout.write(
    `${machineLine(describeMachine())}\n` +
      columns(
        'microseconds a query',
        'alone',
        `${TOGETHER} in a call`,
        'by graph',
        'nearest found',
      ),
  );
  for (const lists of values.lists.split(',').map(Number)) {
    const codec = await codecOf(split.base, lists);
    process.stdout.write(await compare(codec, lists, split.queries));
  }
  process.stdout.write(`code has GRAPH_MIN_LISTS ${numberOf('GRAPH_MIN_LISTS')}\n`);
}

/** Its lists are found in two steps, as those of large collections are. */
async function codecOf({ rows, dims, values }: Vectors, lists: number): Promise<NativeCodec> {
  process.stderr.write(`training a codec of ${lists} lists\n`);
  const options = { seed: 7, threads: availableParallelism() };
  const sample = new native.ByteSample(rows, dims);
  sample.add(values);
  const found = await findLists(sample, { ...options, lists });
  const choice = { ...chooseCodec(rows, rows, dims), levels: LEVELS, lists };
  return trainCodec(values, { ...choice, ...options, dims }, found);
}

async function compare(codec: NativeCodec, lists: number, queries: Vectors): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'corvid-fit-'));
  try {
    const path = join(folder, 'routing.hnsw');
    process.stderr.write('building its graph\n');
    await buildRoutingGraph(codec, path);
    const router = new Router(codec, { path, file: checksumFile(path) });
    await router.load();
    return EFFORTS.map((effort) => line(codec, router, lists, queries, effort)).join('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function line(
  codec: NativeCodec,
  router: Router,
  lists: number,
  queries: Vectors,
  effort: number,
): string {
  const probes = probesFor(effort, lists, 'image');
  const found = Array.from(codec.nearestLists(queries.values, 1)).filter(
    (list, q) => router.byGraph(rowOf(queries, q), probes)?.lists[0] === list,
  );
  const time = (together: number, route: (some: Float32Array) => unknown) =>
    microsecondsOf(queries, together, route).toFixed(0);
  return columns(
    `${lists} lists, ${probes} probed`,
    time(1, (query) => codec.nearestLists(query, probes)),
    time(TOGETHER, (some) => codec.nearestLists(some, probes)),
    time(1, (query) => router.byGraph(query, probes)),
    `${found.length} of ${queries.rows}`,
  );
}

/** Median time of a query, so many in a call. */
function microsecondsOf(
  { rows, dims, values }: Vectors,
  together: number,
  route: (queries: Float32Array) => unknown,
): number {
  const times: number[] = [];
  for (let first = 0; first + together <= rows; first += together) {
    const some = values.slice(first * dims, (first + together) * dims);
    const start = performance.now();
    route(some);
    times.push(((performance.now() - start) * 1000) / together);
  }
  return median(times);
}
