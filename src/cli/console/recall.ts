// Formats the recall card as a table: the work and the recall of each effort.
import Table from 'cli-table3';
import type { RecallCard } from '../../index.js';
import { PLAIN_FRAME } from './ledger.js';
import { count } from './numbers.js';

/** One line per effort: recall@10 and recall@100, for each level or vectors that scores last. */
export function recallLines({ steps, queries, rows }: RecallCard): string[] {
  const lasts = Object.keys(steps[0]?.recall ?? {});
  const label = (last: string) => (last === 'vectors' ? 'vectors' : `${last} bits`);
  const table = new Table({
    head: ['effort', 'lists', 'rows', ...lasts.map(label)],
    chars: PLAIN_FRAME,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: ['left', ...Array.from({ length: lasts.length + 2 }, () => 'right' as const)],
  });
  for (const { effort, probedLists, scannedRows, recall } of steps) {
    const shares = lasts.map((last) => {
      const { at10, at100 } = recall[last] ?? { at10: 0, at100: 0 };
      return `${at10.toFixed(3)} ${at100.toFixed(3)}`;
    });
    table.push([String(effort), probedLists.toFixed(1), count(Math.round(scannedRows)), ...shares]);
  }
  return [
    `  recall of the 10 and the 100 nearest, ${count(queries)} queries, ${count(rows)} rows:`,
    ...table.toString().split('\n'),
  ];
}
