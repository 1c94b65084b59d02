// Entry point of a packed-codes worker thread: scans a range of rows.
import { type NativePackedCodes, native } from '../native/addon.js';

export interface PackedTask {
  path: string;
  offset: number;
  rows: number;
  strideBytes: number;
  query: Uint8Array;
  firstRow: number;
  lastRow: number;
  limit: number;
}

export interface PackedPart {
  rows: Float64Array;
  distances: Uint16Array;
}

/** A pool serves one file, so the mapping is opened once per thread. */
let codes: NativePackedCodes | null = null;

export default function scan(task: PackedTask): PackedPart {
  codes ??= new native.PackedCodes(task.path, task.offset, task.rows, task.strideBytes);
  return codes.scan(task.query, task.firstRow, task.lastRow, task.limit);
}
