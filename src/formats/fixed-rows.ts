// Files whose rows all have the same number of bytes: .npy, .fbin/.u8bin/.i8bin, .fvecs/.bvecs.
//
// The format modules parse a header into a FixedLayout. Its claims are checked here against the size
// of the file before anything is allocated. Rows are read by position, never the whole file.
import { endianness } from 'node:os';
import { CorvidError, throwIfAborted } from '../errors.js';
import { LazyFile } from './lazy-file.js';
import {
  MAX_DIMS,
  MIN_DIMS,
  type RawVectors,
  type ReadOptions,
  type VectorChunk,
  type VectorSource,
} from './vector-source.js';

export type Element = 'f32' | 'f16' | 'i8' | 'u8';

const ELEMENT_BYTES: Record<Element, number> = { f32: 4, f16: 2, i8: 1, u8: 1 };

/** Where the rows of a file are. All sizes as the file claims them, not yet checked. */
export interface FixedLayout {
  element: Element;
  dims: number;
  rows: number;
  /** First byte of row 0. */
  dataOffset: number;
  /** Bytes before the numbers of each row that repeat `dims` as int32 (.fvecs): 0 or 4. */
  prefixBytes: 0 | 4;
}

/** A file whose rows are read by position. */
export class FixedRowFile implements VectorSource {
  readonly path: string;
  readonly rows: number;
  readonly dims: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly hasItems = false;

  private constructor(
    private readonly file: LazyFile,
    /** Checked against the size of the file. */
    readonly layout: FixedLayout,
  ) {
    this.path = file.path;
    this.rows = layout.rows;
    this.dims = layout.dims;
    this.bytes = file.bytes;
    this.modifiedMs = file.modifiedMs;
  }

  /**
   * Opens `path`, lets `parse` read its header, and checks the layout against the file's size.
   * Throws ERR_SOURCE_INVALID, ERR_SOURCE_EMPTY or an error of the file system.
   */
  static async open(
    path: string,
    parse: (file: LazyFile) => Promise<FixedLayout>,
  ): Promise<FixedRowFile> {
    if (endianness() !== 'LE') {
      throw new CorvidError('ERR_SOURCE_UNKNOWN', 'vector files need a little-endian machine', {
        path,
      });
    }
    const file = await LazyFile.open(path);
    try {
      if (file.bytes === 0) {
        throw new CorvidError('ERR_SOURCE_EMPTY', 'the file is empty', { path });
      }
      const layout = await parse(file);
      checkLayout(path, layout, file.bytes);
      return new FixedRowFile(file, layout);
    } finally {
      await file.release();
    }
  }

  async *read({ firstRow = 0, batchRows, signal }: ReadOptions): AsyncGenerator<VectorChunk> {
    try {
      for (let row = firstRow; row < this.rows; row += batchRows) {
        throwIfAborted(signal);
        const rows = Math.min(batchRows, this.rows - row);
        yield { firstRow: row, rows, vectors: await this.readAt(row, rows), items: null };
      }
    } finally {
      await this.close();
    }
  }

  async readAt(firstRow: number, rows: number): Promise<RawVectors> {
    const { element, dims, dataOffset, prefixBytes } = this.layout;
    const rowBytes = strideBytes(this.layout);
    const buffer = await this.file.read(dataOffset + firstRow * rowBytes, rows * rowBytes);
    const packed = prefixBytes === 0 ? buffer : this.#withoutPrefixes(buffer, firstRow, rows);
    switch (element) {
      case 'f32':
        return new Float32Array(packed);
      case 'f16':
        return new Uint16Array(packed);
      case 'i8':
        return new Int8Array(packed);
      case 'u8':
        return Float32Array.from(new Uint8Array(packed, 0, rows * dims));
    }
  }

  #withoutPrefixes(buffer: ArrayBuffer, firstRow: number, rows: number): ArrayBuffer {
    const { dims, element } = this.layout;
    const numberBytes = dims * ELEMENT_BYTES[element];
    const stride = strideBytes(this.layout);
    const from = new Uint8Array(buffer);
    const view = new DataView(buffer);
    const packed = new Uint8Array(rows * numberBytes);
    for (let row = 0; row < rows; row++) {
      const claimed = view.getInt32(row * stride, true);
      if (claimed !== dims) {
        throw new CorvidError('ERR_SOURCE_INVALID', `row ${firstRow + row} has another length`, {
          path: this.path,
          expected: `${dims} numbers`,
          actual: `${claimed}`,
          hint: 'all vectors of a file must have the same length; write the file again',
        });
      }
      const start = row * stride + 4;
      packed.set(from.subarray(start, start + numberBytes), row * numberBytes);
    }
    return packed.buffer;
  }

  async close(): Promise<void> {
    await this.file.release();
  }
}

function strideBytes({ element, dims, prefixBytes }: FixedLayout): number {
  return prefixBytes + dims * ELEMENT_BYTES[element];
}

function checkLayout(path: string, layout: FixedLayout, fileBytes: number): void {
  const { dims, rows, dataOffset } = layout;
  if (!Number.isSafeInteger(dims) || dims < MIN_DIMS || dims > MAX_DIMS) {
    throw new CorvidError('ERR_SOURCE_INVALID', 'vectors of a length that corvid does not index', {
      path,
      expected: `${MIN_DIMS} to ${MAX_DIMS} numbers`,
      actual: `${dims}`,
    });
  }
  if (rows === 0) {
    throw new CorvidError('ERR_SOURCE_EMPTY', 'the file holds no vectors', { path });
  }
  const expected = dataOffset + rows * strideBytes(layout);
  if (!Number.isSafeInteger(rows) || rows < 0 || expected !== fileBytes) {
    throw new CorvidError('ERR_SOURCE_INVALID', 'the file is not as long as its header says', {
      path,
      expected: `${rows} rows of ${dims}: ${expected} bytes`,
      actual: `${fileBytes} bytes`,
      hint: 'the file was truncated or damaged in a transfer; write or copy it again',
    });
  }
}
