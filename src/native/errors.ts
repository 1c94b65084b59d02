// Errors that native code throws, as the one public error class.
import { CorvidError, type ErrorCode } from '../errors.js';

/** Properties that native errors carry beside their message. */
interface NativeErrorShape {
  code?: string;
  path?: string;
  expected?: string;
  actual?: string;
  hint?: string;
}

/** Gives an error thrown by native code the one public class. Anything else passes unchanged. */
export function fromNative(error: unknown): unknown {
  if (error instanceof CorvidError || !(error instanceof Error)) return error;
  const shape = error as Error & NativeErrorShape;
  if (typeof shape.code !== 'string' || !shape.code.startsWith('ERR_')) return error;
  const { path, expected, actual, hint } = shape;
  return new CorvidError(shape.code as ErrorCode, shape.message, {
    ...(path === undefined ? {} : { path }),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}
