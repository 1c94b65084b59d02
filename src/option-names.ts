// Checks that all entry points share: unknown option names are refused, since a misspelt option would
// silently do nothing, and so are numbers that are no usable integers.
import { CorvidError } from './errors.js';

/** Every option of a type, by name; the compiler reports a missing one. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** @throws ERR_USAGE if `options` is no object, or has a property that `names` lacks */
export function checkNames<Options>(options: unknown, names: OptionNames<Options>): void {
  if (typeof options !== 'object' || options === null) {
    throw new CorvidError('ERR_USAGE', 'the options are not an object', { actual: typeof options });
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw new CorvidError('ERR_USAGE', 'there is no such option', {
    path: unknown,
    expected: `one of ${Object.keys(names).join(', ')}`,
  });
}

/** @throws ERR_USAGE if `value` is not an integer from `least` to `most` */
export function checkInteger(name: string, value: unknown, least: number, most = Infinity): void {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return;
  throw new CorvidError('ERR_USAGE', 'not a usable number', {
    path: name,
    expected:
      most === Infinity ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`,
    actual: String(value),
  });
}
