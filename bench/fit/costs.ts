// fit costs: the costs by which a search is distributed over threads (src/query/execute/strategy.ts):
// scanning a list and a row, refining and rescoring a row, and a round trip to a worker.
//
// Two indexes are made of the same rows, one with few long lists and one with many short ones, which
// separates the cost of a list from that of its rows. One process per instruction set (CORVID_SIMD)
// searches both; scan times are fitted by least squares over all queries. Prints them beside the
// present constants.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { native } from '../../src/native/addon.js';
import { describeMachine, machineLine } from '../machine.js';
import { makeVectorIndex } from '../vector-index.js';
import { numberOf } from './constants.js';
import type { Costs, CostsTask } from './costs-child.js';
import { columns, loadSplit } from './data.js';

/** Mean rows per list of the two indexes. */
const ROWS_PER_LIST = [40, 1_000];

export async function fitCosts(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      train: { type: 'string' },
      rows: { type: 'string', default: '40000' },
      queries: { type: 'string', default: '200' },
    },
  });
  const { base, queries } = await loadSplit(
    values.train,
    Number(values.rows),
    Number(values.queries),
  );
  const folder = mkdtempSync(join(tmpdir(), 'corvid-fit-'));
  try {
    const task: CostsTask = { indexes: [], queries: join(folder, 'queries.f32'), dims: base.dims };
    writeFileSync(task.queries, queries.values);
    for (const rowsPerList of ROWS_PER_LIST) {
      const lists = Math.max(2, Math.round(base.rows / rowsPerList));
      const path = join(folder, `${lists}.corvid`);
      const groups = Math.min(lists, 16);
      const { dims, values: rows } = base;
      await makeVectorIndex({
        path,
        dims,
        train: rows,
        parts: [rows],
        lists,
        groups,
        vectors: true,
      });
      task.indexes.push(path);
    }
    const levels = native.simdLevels();
    const found: Costs[] = [];
    for (const level of levels) found.push(await measure(task, level));
    process.stdout.write(`${machineLine(describeMachine())}\n${table(levels, found)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(task: CostsTask, level: string): Promise<Costs> {
  process.stderr.write(`searching with ${level}\n`);
  const child = fileURLToPath(new URL('./costs-child.js', import.meta.url));
  const env = { ...process.env, CORVID_SIMD: level };
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [child, JSON.stringify(task)], { env });
  return JSON.parse(stdout) as Costs;
}

function table(levels: readonly string[], found: readonly Costs[]): string {
  const line = (name: string, of: keyof Costs) =>
    columns(name, numberOf(name), ...found.map((costs) => costs[of].toFixed(1)));
  return [
    columns('nanoseconds', 'now', ...levels),
    line('SCAN_LIST_NS', 'scanListNs'),
    line('SCAN_ROW_NS', 'scanRowNs'),
    line('REFINE_ROW_NS', 'refineRowNs'),
    line('RESCORE_ROW_NS', 'rescoreRowNs'),
    columns('round trip to a worker, ms', '', ...found.map(({ hopMs }) => hopMs.toFixed(3))),
    columns('INLINE_MAX_MS: a few round trips', numberOf('INLINE_MAX_MS')),
    columns('INLINE_MAX_CROWDED_MS: half of one', numberOf('INLINE_MAX_CROWDED_MS')),
  ].join('');
}
