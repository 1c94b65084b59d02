// Names of options: one that nobody knows is refused, for misspelt it would silently do nothing.
import { CorvidError } from './errors.js';

/** Every option of a type, by name; the compiler sees to it that none is missing. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** @throws ERR_USAGE if `options` is no object, or has a property that `names` lacks */
export function checkNames<Options>(options: unknown, names: OptionNames<Options>): void {
  if (typeof options !== 'object' || options === null) {
    throw new CorvidError('ERR_USAGE', 'the options are no object', { actual: typeof options });
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (unknown === undefined) return;
  throw new CorvidError('ERR_USAGE', 'there is no such option', {
    path: unknown,
    expected: `one of ${Object.keys(names).join(', ')}`,
  });
}
