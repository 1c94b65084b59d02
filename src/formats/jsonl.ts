// JSON lines with vectors: {"vector": [...], "key": …, "caption": …, …}, or bare arrays of numbers.
//
// Opening counts the rows (one pass without parsing) and takes the length from the first. Text is a
// poor container for many vectors, so this is for small and handmade collections.
import { stat } from 'node:fs/promises';
import { CorvidError, throwIfAborted } from '../errors.js';
import { itemFields } from './item-fields.js';
import { parseLine, readLines } from './json-lines.js';
import {
  type ItemFields,
  MAX_DIMS,
  MIN_DIMS,
  type ReadOptions,
  type VectorChunk,
  type VectorSource,
} from './vector-source.js';

/** Names of the field that holds an object's vector, in order of preference. */
export const VECTOR_FIELDS: readonly string[] = ['vector', 'embedding'];
const EXCLUDED_FIELDS = new Set(VECTOR_FIELDS);

class JsonLinesSource implements VectorSource {
  readonly hasItems = true;

  constructor(
    readonly path: string,
    readonly rows: number,
    readonly dims: number,
    readonly bytes: number,
    readonly modifiedMs: number,
  ) {}

  async *read({ firstRow = 0, batchRows, signal }: ReadOptions): AsyncGenerator<VectorChunk> {
    let row = 0;
    let chunk: VectorChunk | undefined;
    for await (const { line, text } of readLines(this.path)) {
      if (row++ < firstRow) continue;
      chunk ??= this.#newChunk(row - 1, batchRows);
      const { vector, item } = parseRow(this.path, line, text, this.dims);
      (chunk.vectors as Float32Array).set(vector, chunk.rows * this.dims);
      (chunk.items as ItemFields[]).push(item);
      if (++chunk.rows === batchRows) {
        throwIfAborted(signal);
        yield chunk;
        chunk = undefined;
      }
    }
    if (chunk !== undefined) {
      chunk.vectors = chunk.vectors.slice(0, chunk.rows * this.dims);
      yield chunk;
    }
  }

  #newChunk(firstRow: number, batchRows: number): VectorChunk {
    const rows = Math.min(batchRows, this.rows - firstRow);
    return { firstRow, rows: 0, vectors: new Float32Array(rows * this.dims), items: [] };
  }

  async close(): Promise<void> {}
}

/** Opens a JSON-lines file of vectors. */
export async function openJsonLines(path: string): Promise<VectorSource> {
  const { size, mtimeMs } = await stat(path);
  let rows = 0;
  let dims = 0;
  for await (const { line, text } of readLines(path)) {
    if (rows++ === 0) dims = parseRow(path, line, text, null).vector.length;
  }
  if (rows === 0) throw new CorvidError('ERR_SOURCE_EMPTY', 'the file holds no vectors', { path });
  return new JsonLinesSource(path, rows, dims, size, mtimeMs);
}

function parseRow(path: string, line: number, text: string, dims: number | null) {
  const value = parseLine(path, line, text);
  const object = Array.isArray(value) ? null : value;
  const vector = object === null ? value : object[VECTOR_FIELDS.find((f) => f in object) ?? ''];
  if (!Array.isArray(vector) || !vector.every((number) => typeof number === 'number')) {
    throw new CorvidError('ERR_SOURCE_INVALID', `line ${line} has no vector`, {
      path,
      expected: `an array of numbers under ${VECTOR_FIELDS.map((f) => `"${f}"`).join(' or ')}`,
      actual: object === null ? 'an array of other things' : Object.keys(object).join(', '),
    });
  }
  const fits = dims === null ? vector.length >= MIN_DIMS && vector.length <= MAX_DIMS : true;
  if (!fits || (dims !== null && vector.length !== dims)) {
    throw new CorvidError('ERR_SOURCE_INVALID', `line ${line} has a vector of another length`, {
      path,
      expected: dims === null ? `${MIN_DIMS} to ${MAX_DIMS} numbers` : `${dims} numbers`,
      actual: `${vector.length}`,
    });
  }
  return {
    vector: vector as number[],
    item: object === null ? {} : itemFields(object, EXCLUDED_FIELDS),
  };
}
