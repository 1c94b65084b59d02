// bench fit: fits constants of the code from embeddings, or measures them on this machine, and prints
// each beside its present value.
//
// usage: npm run bench -- fit costs    --train <vectors> [--rows 40000] [--queries 200]
//        npm run bench -- fit callers  --train <vectors> [--rows 40000] [--queries 400]
//        npm run bench -- fit routing  --train <vectors> [--lists 4096,16384,32768]
//        npm run bench -- fit stop     --train <vectors> [--rows 40000] [--queries 500]
//        npm run bench -- fit trellis  [--numbers 200000] [--starts 4] [--seed 7]
//
// Each is described at the head of its file. Nothing is written into the sources: changing a constant
// is a decision, and those of the format (the trellis values) never change.
import { CorvidError } from '../../src/errors.js';
import { fitCallers } from './callers.js';
import { fitCosts } from './costs.js';
import { fitRouting } from './routing.js';
import { fitStop } from './stop.js';
import { fitTrellis } from './trellis.js';

export const describe = 'fits constants of the code: costs, callers, routing, stop, trellis';

/** Prints its result. @param args the options after its name */
type Fit = (args: string[]) => Promise<void>;

const FITS: Readonly<Record<string, Fit>> = {
  costs: fitCosts,
  callers: fitCallers,
  routing: fitRouting,
  stop: fitStop,
  trellis: fitTrellis,
};

export async function run([name, ...args]: string[]): Promise<void> {
  const fit = name === undefined ? undefined : FITS[name];
  if (fit === undefined) {
    throw new CorvidError('ERR_USAGE', 'say which constants to fit', {
      expected: Object.keys(FITS).join(', '),
      actual: name ?? 'nothing',
      hint: 'npm run bench -- fit costs --train <vectors>',
    });
  }
  await fit(args);
}
