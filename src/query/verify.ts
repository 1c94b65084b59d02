// Verification as the open index shows it: a report if all is well, one error that tells all faults
// if not.
import { CorvidError } from '../errors.js';
import { verifyIndex } from '../store/verify.js';
import type { VerifyReport } from './types.js';

/**
 * Verifies what the index at `path` holds now, whatever generation is open.
 * @throws ERR_FORMAT_CORRUPT, ERR_NOT_FOUND, … : the fault, or a list of them; ERR_ABORTED
 */
export async function verifyOpenIndex(
  path: string,
  signal: AbortSignal | undefined,
): Promise<VerifyReport> {
  const { files, bytes, faults } = await verifyIndex(path, signal);
  const [first] = faults;
  if (first === undefined) return { files, bytes };
  if (faults.length === 1) throw first;
  const list = faults.map(({ message }) => `\n  ${message}`).join('');
  throw new CorvidError('ERR_FORMAT_CORRUPT', `${faults.length} faults were found:${list}`, {
    path,
    cause: new AggregateError(faults),
  });
}
