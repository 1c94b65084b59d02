// What a commit does to the codec and the segments, from the size of the collection before and
// after. Pure: nothing is read or written here.
//
// A build adds one segment with the present codec. A collection that has doubled since its codec was
// trained, or whose size calls for another method, is trained again from its stored vectors. Segments
// are merged when there are many, or when many of their rows belong to removed items.
import type { CodecInfo } from '../../native/addon.js';
import type { SegmentRecord } from '../../store/catalog.js';
import type { VectorsOption } from '../settings/options.js';

/** Up to so many rows, `auto` keeps int8 vectors: 0.5 GB of disk at 512 dims. */
export const AUTO_VECTORS_MAX_ROWS = 1_000_000;
const RETRAIN_GROWTH = 2;
const MAX_SEGMENTS = 8;
const MAX_REMOVED_SHARE = 0.25;

export interface Before {
  codec: CodecInfo | null;
  /** Rows that there were when the codec was trained. */
  rowsAtTraining: number;
  segments: readonly SegmentRecord[];
  /** Whether the segments hold int8 vectors. */
  vectors: boolean;
  /** Rows of removed items, including those that this build removes. */
  removedRows: number;
}

export interface CommitPlan {
  /** Rows that can be found afterwards. */
  rows: number;
  /** Train a codec; all rows are encoded with it. */
  train: boolean;
  /** Segments that are rewritten together with the added rows, and then dropped: from their vectors
   * where the codec is new, else code by code. */
  rewrite: SegmentRecord[];
  /** Whether the new segment holds int8 vectors. */
  vectors: boolean;
}

/** @param methodFor the method that suits a number of rows */
export function planCommit(
  before: Before,
  addedRows: number,
  vectorsOption: VectorsOption,
  methodFor: (rows: number) => CodecInfo['method'],
): CommitPlan {
  const oldRows = before.segments.reduce((sum, segment) => sum + segment.rows, 0);
  const rows = oldRows - before.removedRows + addedRows;
  const keep = vectorsOption === 'auto' ? rows <= AUTO_VECTORS_MAX_ROWS : vectorsOption === 'int8';
  if (before.codec === null || (oldRows === before.removedRows && addedRows > 0)) {
    return { rows, train: true, rewrite: [...before.segments], vectors: keep };
  }
  const grown =
    rows >= RETRAIN_GROWTH * before.rowsAtTraining || methodFor(rows) !== before.codec.method;
  if (grown && before.vectors && addedRows > 0) {
    return { rows, train: true, rewrite: [...before.segments], vectors: keep };
  }
  const rewrite = segmentsToRewrite(before, oldRows, addedRows);
  return { rows, train: false, rewrite, vectors: before.vectors };
}

function segmentsToRewrite(before: Before, oldRows: number, addedRows: number): SegmentRecord[] {
  const { segments, removedRows } = before;
  if (oldRows === removedRows) return [...segments];
  if (removedRows > oldRows * MAX_REMOVED_SHARE) return [...segments];
  if (segments.length + (addedRows > 0 ? 1 : 0) <= MAX_SEGMENTS) return [];
  // Which segment a removed row lies in is not known here, so all are rewritten.
  return removedRows > 0 ? [...segments] : smallSegments(segments, addedRows);
}

/** The segments that are no larger than all smaller ones together, so that a row is moved few times. */
function smallSegments(segments: readonly SegmentRecord[], addedRows: number): SegmentRecord[] {
  const ascending = segments.toSorted((a, b) => a.rows - b.rows);
  let sum = addedRows;
  let count = 0;
  for (const [i, segment] of ascending.entries()) {
    if (i < 2 || segment.rows <= sum) count = i + 1;
    sum += segment.rows;
  }
  return ascending.slice(0, count).sort((a, b) => a.number - b.number);
}
