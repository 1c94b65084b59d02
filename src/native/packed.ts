// Typed surface of native searching in the caller's packed codes.

/** A file of the caller's packed codes, mapped: rows x strideBytes from an offset on. */
export interface NativePackedCodes {
  /** Best `limit` of rows [firstRow, lastRow) by exact Hamming distance to `query` (strideBytes),
   * then row. */
  scan(
    query: Uint8Array,
    firstRow: number,
    lastRow: number,
    limit: number,
  ): { rows: Float64Array; distances: Uint16Array };
  close(): void;
}
