// Whether a file is still what it was: by its size and its time of modification.
import { stat } from 'node:fs/promises';
import { type CorvidError, fromSystemError } from '../../errors.js';

export interface FileState {
  bytes: number;
  /** Milliseconds since 1970, an integer. */
  modifiedMs: number;
}

/** @returns the state of the file at `path`, or why it cannot be read */
export async function fileStateOf(path: string): Promise<FileState | CorvidError> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, modifiedMs: Math.trunc(mtimeMs) };
  } catch (error) {
    return fromSystemError(error, path, 'look at the file');
  }
}

export function isSameState(a: FileState, b: FileState): boolean {
  return a.bytes === b.bytes && a.modifiedMs === b.modifiedMs;
}
