// Files whose rows all have the same number of bytes: .npy, .fbin/.u8bin/.i8bin, .fvecs/.bvecs.
//
// The format modules parse a header into a FixedLayout; here its claims are held against the size
// of the file before anything is allocated, and rows are read by position, never the whole file.
import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';
import {
  MAX_DIMS,
  MIN_DIMS,
  type RawVectors,
  type ReadOptions,
  type VectorChunk,
  type VectorSource,
} from './source.js';

export type Element = 'f32' | 'f16' | 'i8' | 'u8';

const ELEMENT_BYTES: Record<Element, number> = { f32: 4, f16: 2, i8: 1, u8: 1 };

/** Where the rows of a file lie. All sizes as the file claims them, not yet believed. */
export interface FixedLayout {
  element: Element;
  dims: number;
  rows: number;
  /** First byte of row 0. */
  dataOffset: number;
  /** Bytes before the numbers of each row that repeat `dims` as int32 (.fvecs): 0 or 4. */
  prefixBytes: 0 | 4;
}

/** A file opened for reading by position. The handle is closed by `close`. */
export class FixedRowFile implements VectorSource {
  readonly rows: number;
  readonly dims: number;
  readonly hasItems = false;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly layout: FixedLayout,
    readonly bytes: number,
    readonly modifiedMs: number,
  ) {
    this.rows = layout.rows;
    this.dims = layout.dims;
  }

  /**
   * Opens `path`, lets `parse` read its header, and checks the layout against the file's size.
   * Throws ERR_SOURCE_INVALID, ERR_SOURCE_EMPTY or an error of the file system.
   */
  static async open(
    path: string,
    parse: (handle: FileHandle, fileBytes: number) => Promise<FixedLayout>,
  ): Promise<FixedRowFile> {
    if (endianness() !== 'LE') {
      throw new CorvidError('ERR_SOURCE_UNKNOWN', 'vector files need a little-endian machine', {
        path,
      });
    }
    const handle = await open(path).catch((error: unknown) => {
      throw fromSystemError(error, path, 'open the source');
    });
    try {
      const { size, mtimeMs } = await handle.stat();
      const layout = await parse(handle, size);
      checkLayout(path, layout, size);
      return new FixedRowFile(path, handle, layout, size, mtimeMs);
    } catch (error) {
      await handle.close();
      throw error instanceof CorvidError ? error : fromSystemError(error, path, 'read the header');
    }
  }

  async *read({ firstRow = 0, batchRows, signal }: ReadOptions): AsyncGenerator<VectorChunk> {
    for (let row = firstRow; row < this.rows; row += batchRows) {
      throwIfAborted(signal);
      const rows = Math.min(batchRows, this.rows - row);
      yield { firstRow: row, rows, vectors: await this.readAt(row, rows), items: null };
    }
  }

  async readAt(firstRow: number, rows: number): Promise<RawVectors> {
    const { element, dims, dataOffset, prefixBytes } = this.layout;
    const rowBytes = strideBytes(this.layout);
    const buffer = new ArrayBuffer(rows * rowBytes);
    await readFully(this.handle, this.path, buffer, dataOffset + firstRow * rowBytes);
    const packed = prefixBytes === 0 ? buffer : this.withoutPrefixes(buffer, firstRow, rows);
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

  private withoutPrefixes(buffer: ArrayBuffer, firstRow: number, rows: number): ArrayBuffer {
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
    await this.handle.close();
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
      hint: 'the file was cut off or damaged on its way; write or copy it again',
    });
  }
}

/** Fills `buffer` from `position`. A file that ends early was changed since it was opened. */
export async function readFully(
  handle: FileHandle,
  path: string,
  buffer: ArrayBuffer,
  position: number,
): Promise<void> {
  const bytes = new Uint8Array(buffer);
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await handle
      .read(bytes, done, bytes.length - done, position + done)
      .catch((error: unknown) => {
        throw fromSystemError(error, path, 'read the source');
      });
    if (bytesRead === 0) {
      throw new CorvidError('ERR_SOURCE_INVALID', 'the file ends early', {
        path,
        expected: `${bytes.length} bytes at ${position}`,
        actual: `${done}`,
        hint: 'the file was cut off, or changed while it was read; write or copy it again',
      });
    }
    done += bytesRead;
  }
}
