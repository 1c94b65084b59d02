// The plots of bench scale: latency against recall, and latency against the number of rows.
import type * as vegaLite from 'vega-lite';
import { drawSvg } from '../plot.js';
import type { ScaleResult } from './result.js';

/** @param others results of other sizes on the same machine; the one of the same size is replaced */
export async function drawScale(
  result: ScaleResult,
  others: readonly ScaleResult[],
  path: string,
): Promise<void> {
  const same = ({ machine }: ScaleResult) => machine.processor === result.machine.processor;
  const sizes = [...others.filter((one) => one.rows !== result.rows && same(one)), result];
  const efforts = result.served.flatMap(({ limitBytes, report }) =>
    report.efforts.map((one) => ({
      ...one,
      series: `${one.levels.length === 1 ? '64 bits' : 'refined'}, ${limitName(limitBytes)}`,
    })),
  );
  const growth = sizes.flatMap(({ rows, served }) =>
    (served[0]?.report.asked ?? []).flatMap(({ levels, repeated, fresh }) => {
      const how = levels.length === 1 ? '64 bits' : 'refined';
      return [
        { rows, p50: repeated.p50, series: `${how}, repeated` },
        { rows, p50: fresh.p50, series: `${how}, new queries` },
      ];
    }),
  );
  const panel = (title: string, values: object[], x: object, y: object): object => ({
    title,
    width: 320,
    height: 260,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: { x, y, color: { field: 'series', type: 'nominal', title: null } },
  });
  await drawSvg(
    {
      $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
      title: `${result.rows.toLocaleString('en')} synthetic rows`,
      background: 'white',
      hconcat: [
        panel(
          'median latency and recall, effort by effort',
          efforts,
          quantitative('recallWithin300', 'float ten within 300'),
          quantitative('p50', 'ms', { type: 'log' }),
        ),
        panel(
          `median latency by rows, about ${Math.round(result.rowsPerList)} in a list`,
          growth,
          quantitative('rows', 'rows', { type: 'log' }),
          quantitative('p50', 'ms', { type: 'log' }),
        ),
      ],
      resolve: { scale: { color: 'independent' } },
    } as vegaLite.TopLevelSpec,
    path,
  );
}

function quantitative(field: string, title: string, scale: object = { zero: false }): object {
  return { field, type: 'quantitative', title, scale };
}

function limitName(bytes: number | null): string {
  return bytes === null ? 'no limit' : `${bytes / 1e9} GB`;
}
