// Draws a Vega-Lite specification as SVG, for the plots that are committed beside records.
import { writeFileSync } from 'node:fs';
import * as vega from 'vega';
import * as vegaLite from 'vega-lite';

/** @param specification a Vega-Lite view with its data inline */
export async function drawSvg(specification: vegaLite.TopLevelSpec, path: string): Promise<void> {
  const view = new vega.View(vega.parse(vegaLite.compile(specification).spec), {
    renderer: 'none',
  });
  try {
    writeFileSync(path, `${await view.toSVG()}\n`);
  } finally {
    view.finalize();
  }
}
