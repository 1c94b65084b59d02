// How much memory and disk a build will take, estimated before it starts, so that a build that
// cannot fit is refused at once and not after hours.
//
// The figures are upper bounds from the sizes of the structures (FORMAT.md), not measurements.
import { mkdir, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { CorvidError, fromSystemError } from '../../errors.js';
import { STAGING_NAME } from '../../store/index-folder.js';
import type { BuildEstimate } from '../settings/options.js';
import { centerBytes, listFindingBytes } from './choice.js';

export interface BuildShape {
  /** Rows that will be encoded, including those of rewritten segments. */
  rows: number;
  dims: number;
  levels: readonly number[];
  vectors: boolean;
  /** Items that get a row in the catalog. */
  items: number;
  /** Images to be embedded, whose embeddings will be in the journal. */
  journaled: number;
  trainingRows: number;
  listRows: number;
  lists: number;
}

/** A catalog row of an image with path, hash, EXIF fields and a caption, with its indexes. */
const CATALOG_ROW_BYTES = 600;
const JOURNAL_RECORD_BYTES = 400;
/** Node, SQLite, the native libraries and the batches in flight. */
const BASE_MEMORY_BYTES = 96 * 1024 * 1024;
/** Training holds the sample, its residual and a projection of it: floats, three times. */
const TRAINING_COPIES = 3;
/** Spilled codes exist beside the finished files while the last bucket is placed. */
const PEAK_SHARE = 1.15;

export function estimateBuild(shape: BuildShape): BuildEstimate {
  const { rows, dims, levels, vectors, items, journaled, lists } = shape;
  const longest = levels.at(-1) ?? 64;
  // A norm byte for each residual level, and one gain byte.
  const planeBytes = longest / 8 + (levels.length > 1 ? levels.length : 0);
  const rowBytes = planeBytes + 5 + (vectors ? dims : 0);
  const centroidBytes = lists * dims * 4;
  const trainingBytes = shape.trainingRows * dims * 4 * TRAINING_COPIES + centerBytes(lists, dims);
  const listBytes = shape.listRows > 0 ? listFindingBytes(shape.listRows, lists, dims) : 0;
  return {
    memoryBytes: BASE_MEMORY_BYTES + Math.max(trainingBytes, listBytes),
    diskBytes:
      Math.ceil(rows * rowBytes * PEAK_SHARE) +
      items * CATALOG_ROW_BYTES +
      journaled * (dims * 2 + JOURNAL_RECORD_BYTES) +
      centroidBytes * 2,
    residentBytes: rows * 8 + centroidBytes,
  };
}

/** Throws ERR_MEMORY or ERR_DISK_FULL where the estimate clearly does not fit. */
export async function checkFits(
  estimate: BuildEstimate,
  folder: string,
  memoryBytes: number,
): Promise<void> {
  if (estimate.memoryBytes > memoryBytes + BASE_MEMORY_BYTES) {
    throw new CorvidError('ERR_MEMORY', 'the build needs more memory than it may use', {
      path: folder,
      expected: `about ${estimate.memoryBytes} bytes`,
      actual: `${memoryBytes} bytes allowed`,
      hint: 'allow more memory, or ask for fewer lists',
    });
  }
  let freeBytes: number;
  try {
    await mkdir(folder, { recursive: true });
    const { bavail, bsize } = await statfs(folder);
    // What an interrupted build has written counts as free: this build continues it.
    freeBytes = bavail * bsize + (await bytesBelow(join(folder, STAGING_NAME)));
  } catch (error) {
    throw fromSystemError(error, folder, 'look at the free space');
  }
  if (estimate.diskBytes > freeBytes) {
    throw new CorvidError('ERR_DISK_FULL', 'the index would not fit on the disk', {
      path: folder,
      expected: `about ${estimate.diskBytes} bytes free`,
      actual: `${freeBytes}`,
      hint: 'free some space, or build with fewer levels or without stored vectors',
    });
  }
}

async function bytesBelow(folder: string): Promise<number> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const stats = await Promise.all(
      files.map(({ parentPath, name }) => stat(join(parentPath, name))),
    );
    return stats.reduce((sum, { size }) => sum + size, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
