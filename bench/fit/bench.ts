// bench fit: fits from given embeddings, or measures on this machine, numbers that code has as
// constants, and prints each beside the one that code has now.
//
// usage: npm run bench -- fit costs    --train <vectors> [--rows 40000] [--queries 200]
//        npm run bench -- fit callers  --train <vectors> [--rows 40000] [--queries 400]
//        npm run bench -- fit routing  --train <vectors> [--lists 4096,16384,32768]
//        npm run bench -- fit stop     --train <vectors> [--rows 40000] [--queries 500]
//        npm run bench -- fit trellis  [--numbers 200000] [--starts 4] [--seed 7]
//
// What each does stands at the head of its file. Nothing is written into the sources: a new number
// is a decision, and those of the format (the trellis values) never change.
import { CorvidError } from '../../src/errors.js';
import { fitCallers } from './callers.js';
import { fitCosts } from './costs.js';
import { fitRouting } from './routing.js';
import { fitStop } from './stop.js';
import { fitTrellis } from './trellis.js';

export const describe = 'where constants come from: costs, callers, routing, stop, trellis';

/** Prints what it found; its options are those that follow its name. */
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
    throw new CorvidError('ERR_USAGE', 'fit needs to know what', {
      expected: Object.keys(FITS).join(', '),
      actual: name ?? 'nothing',
      hint: 'npm run bench -- fit costs --train <vectors>',
    });
  }
  await fit(args);
}
