// Checks of options that callers pass: their names, and their numbers.
//
// An unknown name is refused, because a misspelt option would silently do nothing.
import { CorvidError } from './errors.js';

/** Every option of a type, by name; the compiler sees to it that none is missing. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** @throws ERR_USAGE if `options` is not an object, or has a property that `names` lacks */
export function checkNames<Options>(options: unknown, names: OptionNames<Options>): void {
  if (typeof options !== 'object' || options === null) {
    throw new CorvidError('ERR_USAGE', 'the options are not an object', {
      actual: typeof options,
    });
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  const expected = `one of ${Object.keys(names).join(', ')}`;
  throw usageError(unknown, 'there is no such option', expected);
}

/** @throws ERR_USAGE unless `value` is an integer from `least` to `most`, or undefined */
export function checkInteger(
  name: string,
  value: number | undefined,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (value === undefined) return;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range =
    most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw usageError(name, 'not a usable number', `an integer ${range}`, String(value));
}

/** The error of an option that cannot be used. */
export function usageError(
  name: string,
  what: string,
  expected: string,
  actual?: string,
  hint?: string,
): CorvidError {
  return new CorvidError('ERR_USAGE', what, {
    path: name,
    expected,
    ...(actual === undefined ? {} : { actual }),
    ...(hint === undefined ? {} : { hint }),
  });
}
