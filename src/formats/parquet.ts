// Parquet: files with a column of vectors, and metadata of vectors in another file, row by row.
//
// The reader decodes a row group at a time; a group that is too large for memory is refused. Any
// error inside the parser is reported as ERR_SOURCE_INVALID of the file.
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { CorvidError, throwIfAborted } from '../errors.js';
import { itemFields } from './item-fields.js';
import { VECTOR_FIELDS } from './jsonl.js';
import { LazyFile } from './lazy-file.js';
import {
  type ItemFields,
  MAX_DIMS,
  MIN_DIMS,
  type ReadOptions,
  type VectorChunk,
  type VectorSource,
} from './vector-source.js';

/** Most numbers that one row group may hold: decoded as doubles they take eight bytes each. */
const MAX_GROUP_VALUES = 64 * 1024 * 1024;

type Row = Record<string, unknown>;

/** A parquet file, open while it is read. */
export class ParquetFile {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly modifiedMs: number;

  private constructor(
    private readonly file: LazyFile,
    private readonly buffer: AsyncBuffer,
    private readonly metadata: FileMetaData,
  ) {
    this.path = file.path;
    this.rows = Number(metadata.num_rows);
    this.bytes = file.bytes;
    this.modifiedMs = file.modifiedMs;
  }

  static async open(path: string): Promise<ParquetFile> {
    const file = await LazyFile.open(path);
    const buffer: AsyncBuffer = {
      byteLength: file.bytes,
      slice: (start, end = file.bytes) => file.read(start, Math.max(0, end - start)),
    };
    try {
      const metadata = await parsing(path, () => parquetMetadataAsync(buffer));
      return new ParquetFile(file, buffer, metadata);
    } finally {
      await file.release();
    }
  }

  /** Columns that hold lists, and all columns. */
  columns(): { lists: string[]; all: string[] } {
    const children = parquetSchema(this.metadata).children;
    const lists = children.filter((child) => child.children.length > 0);
    return {
      lists: lists.map((child) => child.element.name),
      all: children.map((child) => child.element.name),
    };
  }

  /** Rows from `firstRow`, at most one row group at a time. */
  async *read(firstRow: number): AsyncGenerator<{ firstRow: number; objects: Row[] }> {
    let groupStart = 0;
    try {
      for (const group of this.metadata.row_groups) {
        const rowEnd = groupStart + Number(group.num_rows);
        const rowStart = Math.max(groupStart, firstRow);
        groupStart = rowEnd;
        if (rowStart >= rowEnd) continue;
        this.#checkGroup(group);
        const { buffer: file, metadata } = this;
        const options = { file, metadata, compressors, rowStart, rowEnd };
        const objects = await parsing(this.path, () => parquetReadObjects(options));
        yield { firstRow: rowStart, objects };
      }
    } finally {
      await this.close();
    }
  }

  #checkGroup(group: FileMetaData['row_groups'][number]): void {
    const values = group.columns.reduce((sum, c) => sum + Number(c.meta_data?.num_values ?? 0), 0);
    if (values > MAX_GROUP_VALUES) {
      throw new CorvidError('ERR_MEMORY', 'a row group is too large to be decoded', {
        path: this.path,
        expected: `at most ${MAX_GROUP_VALUES} values in a row group`,
        actual: `${values}`,
        hint: 'write it with smaller row groups (row_group_size=50000), or as .npy',
      });
    }
  }

  async close(): Promise<void> {
    await this.file.release();
  }
}

class ParquetVectors implements VectorSource {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly hasItems: boolean;
  readonly #exclude: ReadonlySet<string>;

  constructor(
    private readonly file: ParquetFile,
    private readonly column: string,
    readonly dims: number,
  ) {
    this.path = file.path;
    this.rows = file.rows;
    this.bytes = file.bytes;
    this.modifiedMs = file.modifiedMs;
    this.hasItems = file.columns().all.length > 1;
    this.#exclude = new Set([column]);
  }

  async *read({ firstRow = 0, batchRows, signal }: ReadOptions): AsyncGenerator<VectorChunk> {
    for await (const group of this.file.read(firstRow)) {
      for (let start = 0; start < group.objects.length; start += batchRows) {
        throwIfAborted(signal);
        yield this.#chunk(group.firstRow + start, group.objects.slice(start, start + batchRows));
      }
    }
  }

  #chunk(firstRow: number, objects: Row[]): VectorChunk {
    const vectors = new Float32Array(objects.length * this.dims);
    const items: ItemFields[] = [];
    objects.forEach((row, i) => {
      const vector = toVector(row[this.column]);
      if (vector?.length !== this.dims) {
        throw new CorvidError('ERR_SOURCE_INVALID', `row ${firstRow + i} has another length`, {
          path: this.path,
          expected: `${this.dims} numbers in column "${this.column}"`,
          actual: vector === null ? 'none' : `${vector.length}`,
        });
      }
      vectors.set(vector, i * this.dims);
      if (this.hasItems) items.push(itemFields(row, this.#exclude));
    });
    return { firstRow, rows: objects.length, vectors, items: this.hasItems ? items : null };
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Opens a parquet file with a column of vectors: one named like a vector, or the only list. */
export async function openParquetVectors(path: string): Promise<VectorSource> {
  const file = await ParquetFile.open(path);
  try {
    if (file.rows === 0) {
      throw new CorvidError('ERR_SOURCE_EMPTY', 'the file holds no rows', { path });
    }
    const { lists, all } = file.columns();
    const column = VECTOR_FIELDS.find((name) => lists.includes(name)) ?? lists[0];
    if (column === undefined || (lists.length > 1 && !VECTOR_FIELDS.includes(column))) {
      throw new CorvidError('ERR_SOURCE_INVALID', 'the column of vectors is ambiguous or missing', {
        path,
        expected: `a list column named ${VECTOR_FIELDS.join(' or ')}, or one list column`,
        actual: `columns ${all.join(', ')}`,
      });
    }
    return new ParquetVectors(file, column, await firstLength(file, column));
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function firstLength(file: ParquetFile, column: string): Promise<number> {
  for await (const { objects } of file.read(0)) {
    const length = toVector(objects[0]?.[column])?.length ?? 0;
    if (length < MIN_DIMS || length > MAX_DIMS) {
      throw new CorvidError('ERR_SOURCE_INVALID', `column "${column}" holds no vectors`, {
        path: file.path,
        expected: `${MIN_DIMS} to ${MAX_DIMS} numbers a row`,
        actual: `${length}`,
      });
    }
    return length;
  }
  throw new CorvidError('ERR_SOURCE_EMPTY', 'the file holds no rows', { path: file.path });
}

function toVector(value: unknown): ArrayLike<number> | null {
  if (value instanceof Float32Array || value instanceof Float64Array) return value;
  if (Array.isArray(value) && value.every((number) => typeof number === 'number')) return value;
  return null;
}

/** Runs the parser; whatever it throws is an error of the file. */
async function parsing<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CorvidError) throw error;
    throw new CorvidError('ERR_SOURCE_INVALID', 'the parquet file cannot be read', {
      path,
      actual: String((error as Error)?.message ?? error),
      hint: 'check the file with another reader, or write it again',
      cause: error,
    });
  }
}
