// fit trellis: values of the trellis code (native-bindings/src/simd/trellis_values.h) by generalised
// Lloyd iteration: Gaussian numbers are coded along their best paths (Viterbi), and every value
// becomes the mean of the numbers coded by its window; the two steps alternate.
//
// Prints the mean squared error, as a share of the variance, of the present values and of refitted
// ones, on numbers that neither was fitted to. Other starts end at other values of equal error; the
// format fixes the present ones.
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/indexer/rows/seeded-random.js';
import { numbersOf } from './constants.js';
import { columns } from './data.js';

const STATES = 32;
const WINDOWS = 64;
/** Length of a path from state 0: the coordinates of level 512. */
const PATH = 256;
const ROUNDS = 60;
/** Values are kept in 64ths of a standard deviation. */
const UNIT = 1 / 64;

export async function fitTrellis(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      numbers: { type: 'string', default: '200000' },
      starts: { type: 'string', default: '4' },
      seed: { type: 'string', default: '7' },
    },
  });
  const numbers = Math.ceil(Number(values.numbers) / PATH) * PATH;
  const seed = Number(values.seed);
  const training = gaussian(numbers, seed);
  const fresh = gaussian(numbers, seed + 1);
  const present = Float64Array.from(numbersOf('kTrellisValues'), (value) => value * UNIT);
  const errorOf = (tried: Float64Array) => bestPaths(fresh, tried).error.toFixed(4);
  process.stdout.write(columns('', 'squared error'));
  const signs = fresh.reduce((sum, x) => sum + (Math.abs(x) - Math.sqrt(2 / Math.PI)) ** 2, 0);
  process.stdout.write(columns('one sign bit per number', (signs / numbers).toFixed(4)));
  process.stdout.write(columns('rate-distortion bound at one bit', '0.2500'));
  process.stdout.write(columns('kTrellisValues', errorOf(present)));
  process.stdout.write(columns('the same, refitted', errorOf(fit(training, present))));
  for (let start = 0; start < Number(values.starts); start++) {
    const fitted = fit(training, gaussian(WINDOWS, seed + 2 + start));
    process.stdout.write(columns(`from a random start, ${start + 1}`, errorOf(fitted)));
    process.stdout.write(
      `  ${Array.from(fitted, (value) => Math.round(value / UNIT)).join(', ')}\n`,
    );
  }
}

/** Alternates between best paths and means, then rounds to UNIT. */
function fit(numbers: Float64Array, start: Float64Array): Float64Array {
  let values = start;
  for (let round = 0; round < ROUNDS; round++) {
    const { sums, counts } = bestPaths(numbers, values);
    values = values.map((value, w) => (counts[w] ? (sums[w] as number) / counts[w] : value));
  }
  return values.map((value) => Math.round(value / UNIT) * UNIT);
}

/** Codes all numbers. @returns the mean squared error, and sum and count per window */
function bestPaths(numbers: Float64Array, values: Float64Array) {
  const sums = new Float64Array(WINDOWS);
  const counts = new Float64Array(WINDOWS);
  const decisions = new Uint8Array(PATH * STATES);
  let error = 0;
  for (let first = 0; first < numbers.length; first += PATH) {
    let before = new Float64Array(STATES).fill(Number.POSITIVE_INFINITY);
    let after = new Float64Array(STATES);
    before[0] = 0;
    for (let i = 0; i < PATH; i++) {
      step(numbers[first + i] as number, values, before, after, decisions.subarray(i * STATES));
      [before, after] = [after, before];
    }
    let state = before.indexOf(Math.min(...before));
    error += before[state] as number;
    for (let i = PATH - 1; i >= 0; i--) {
      const window = decisions[i * STATES + state] as number;
      sums[window] = (sums[window] as number) + (numbers[first + i] as number);
      counts[window] = (counts[window] as number) + 1;
      state = window % STATES;
    }
  }
  return { error: error / numbers.length, sums, counts };
}

/** One step of Viterbi: windows 2t and 2t + 1 end in state t; window w begins in state w % 32. */
function step(
  number: number,
  values: Float64Array,
  before: Float64Array,
  after: Float64Array,
  decisions: Uint8Array,
): void {
  const cost = (window: number) =>
    (before[window % STATES] as number) + (number - (values[window] as number)) ** 2;
  for (let state = 0; state < STATES; state++) {
    const [even, odd] = [cost(2 * state), cost(2 * state + 1)];
    after[state] = Math.min(even, odd);
    decisions[state] = odd < even ? 2 * state + 1 : 2 * state;
  }
}

/** Standard normal numbers, by Box and Muller. */
function gaussian(count: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
}
