// The caller's vectors where they can be read by position: a source as they are, never copied.
import { CorvidError, throwIfAborted } from '../../errors.js';
import {
  MAX_DIMS,
  MIN_DIMS,
  type RawVectors,
  type ReadOptions,
  type VectorChunk,
  type VectorSource,
} from '../../formats/vector-source.js';
import type { VectorTable } from '../settings/options.js';

export class TableSource implements VectorSource {
  readonly path: string;
  readonly rows: number;
  readonly dims: number;
  readonly bytes = 0;
  readonly modifiedMs: number;
  readonly hasItems = false;

  /** Throws ERR_SOURCE_EMPTY, or ERR_SOURCE_INVALID for a length that is not indexed. */
  constructor(private readonly table: VectorTable) {
    const { name, rows, dims, modifiedMs } = table;
    if (rows === 0) {
      throw new CorvidError('ERR_SOURCE_EMPTY', 'the table holds no vectors', { path: name });
    }
    if (dims < MIN_DIMS || dims > MAX_DIMS) {
      throw new CorvidError(
        'ERR_SOURCE_INVALID',
        'vectors of a length that corvid does not index',
        { path: name, expected: `${MIN_DIMS} to ${MAX_DIMS} numbers`, actual: `${dims}` },
      );
    }
    this.path = name;
    this.rows = rows;
    this.dims = dims;
    this.modifiedMs = modifiedMs ?? 0;
  }

  async *read({ firstRow = 0, batchRows, signal }: ReadOptions): AsyncGenerator<VectorChunk> {
    for (let row = firstRow; row < this.rows; row += batchRows) {
      throwIfAborted(signal);
      const rows = Math.min(batchRows, this.rows - row);
      yield { firstRow: row, rows, vectors: await this.readAt(row, rows), items: null };
    }
  }

  async readAt(firstRow: number, rows: number): Promise<RawVectors> {
    const vectors = await this.table.read(firstRow, rows);
    const known = [Float32Array, Uint16Array, Int8Array].some((kind) => vectors instanceof kind);
    if (known && vectors.length === rows * this.dims) return vectors;
    throw new CorvidError(
      'ERR_SOURCE_INVALID',
      'the table returned other data than it was asked for',
      {
        path: this.path,
        expected: `${rows} rows of ${this.dims} numbers: a Float32Array, Uint16Array or Int8Array`,
        actual: known ? `${vectors.length} numbers` : typeof vectors,
      },
    );
  }

  async close(): Promise<void> {}
}
