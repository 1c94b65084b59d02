// skipped.jsonl: every image that is not in the index, and why. One JSON object a line.
//
// A skipped image is tried again when its size or time changes, or when the reason may have gone
// without a change of the file (permissions, a disk that failed, limits that are options).
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type CorvidError, fromSystemError } from '../../errors.js';
import { parseLine } from '../../formats/json-lines.js';
import { SKIPPED_NAME } from '../../store/index-folder.js';
import type { SkippedFile } from '../settings/options.js';
import { type FileState, isSameState } from './file-state.js';

const TEMPORARY = new Set(['ERR_PERMISSION', 'ERR_IO', 'ERR_NOT_FOUND', 'ERR_IMAGE_TOO_LARGE']);

/** Reads the list of an index folder, by path; empty where there is none. */
export async function readSkipped(folder: string): Promise<Map<string, SkippedFile>> {
  const path = join(folder, SKIPPED_NAME);
  const skipped = new Map<string, SkippedFile>();
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return skipped;
    throw fromSystemError(error, path, 'read the list of skipped files');
  }
  text.split('\n').forEach((line, i) => {
    if (line.trim() === '') return;
    const file = parseLine(path, i + 1, line) as unknown as SkippedFile;
    skipped.set(file.path, file);
  });
  return skipped;
}

/** Replaces the list in one step. */
export async function writeSkipped(folder: string, files: Iterable<SkippedFile>): Promise<void> {
  const path = join(folder, SKIPPED_NAME);
  const lines = Array.from(files, (file) => `${JSON.stringify(file)}\n`);
  try {
    const handle = await open(`${path}.tmp`, 'w');
    try {
      await handle.writeFile(lines.join(''));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.tmp`, path);
  } catch (error) {
    throw fromSystemError(error, path, 'write the list of skipped files');
  }
}

/** Whether a file that was skipped before is skipped again without being read. */
export function isStillSkipped(
  before: SkippedFile | undefined,
  now: FileState,
): before is SkippedFile {
  if (before === undefined || TEMPORARY.has(before.code)) return false;
  return isSameState(before, now);
}

/** An error's message without the code and the path, which stand beside it. */
export function reasonOf({ message, code, path }: CorvidError): string {
  const withoutCode = message.slice(code.length + 2);
  return path !== undefined && withoutCode.startsWith(`${path}: `)
    ? withoutCode.slice(path.length + 2)
    : withoutCode;
}
