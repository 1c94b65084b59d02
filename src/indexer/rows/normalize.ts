// Scales vectors to unit length. One that cannot be scaled is reported with its source and row.
import { CorvidError } from '../../errors.js';
import { fromNative, native, type RawVectors } from '../../native/addon.js';
import type { RowSource } from './row-source.js';

/**
 * @param rowOf the row in the source of the i-th vector, for the message
 * @returns as many unit rows; throws ERR_VECTOR_INVALID for NaN, infinity or a vector of zeros
 */
export function unitVectors(
  { path, dims }: Pick<RowSource, 'path' | 'dims'>,
  vectors: RawVectors,
  rowOf: (i: number) => number,
): Float32Array {
  try {
    return native.toUnit(vectors, dims);
  } catch (error) {
    throw withRow(error, { path, dims }, vectors, rowOf);
  }
}

/** The error that native code threw; one about a vector names its row, as `unitVectors` does. */
export function withRow(
  error: unknown,
  { path, dims }: Pick<RowSource, 'path' | 'dims'>,
  vectors: RawVectors,
  rowOf: (i: number) => number,
): unknown {
  const fault = fromNative(error);
  if (!(fault instanceof CorvidError) || fault.code !== 'ERR_VECTOR_INVALID') return fault;
  const row = rowOf(firstBadRow(vectors, dims));
  return new CorvidError('ERR_VECTOR_INVALID', `the vector of row ${row} cannot be used`, {
    path,
    expected: 'finite numbers, not all zero',
    actual: fault.actual ?? 'NaN, infinity or only zeros',
    hint: 'take the row out, or write it again',
    cause: error,
  });
}

/** The first row with a number that is not finite, or with only zeros; 0 if there is none. */
function firstBadRow(vectors: RawVectors, dims: number): number {
  const half = vectors instanceof Uint16Array;
  const isBad = (value: number) => (half ? (value & 0x7c00) === 0x7c00 : !Number.isFinite(value));
  const isZero = (value: number) => (half ? (value & 0x7fff) === 0 : value === 0);
  for (let start = 0; start < vectors.length; start += dims) {
    const row = vectors.subarray(start, start + dims);
    if (row.some(isBad) || row.every(isZero)) return start / dims;
  }
  return 0;
}
