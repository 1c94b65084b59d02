// A stream of vectors can be read only once. It is copied to the staging folder as it arrives, as an
// .npy file with items beside it, and is then a source like any other.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';
import { npyHeader, openNpy } from '../../formats/npy.js';
import type { ItemFields, RawVectors, VectorSource } from '../../formats/vector-source.js';
import type { VectorBatch, VectorStream } from '../settings/options.js';
import { AlignedSource, jsonRows } from '../sources/aligned.js';

export interface SpoolOptions {
  signal: AbortSignal | undefined;
  /** Called with the number of rows copied so far. */
  onRows: (rows: number) => void;
}

/** Copies all of `stream` into files of `folder` that are named after `number`. */
export async function spoolStream(
  stream: VectorStream,
  folder: string,
  number: number,
  options: SpoolOptions,
): Promise<VectorSource> {
  const vectorsPath = join(folder, `stream-${number}.npy`);
  const itemsPath = join(folder, `stream-${number}.jsonl`);
  await mkdir(folder, { recursive: true });
  const vectorsFile = await open(vectorsPath, 'w');
  const itemsFile = await open(itemsPath, 'w');
  let copied: { rows: number; hasItems: boolean };
  try {
    copied = await copyBatches(stream, vectorsFile, itemsFile, options);
  } catch (error) {
    // Errors of the caller's iterable are thrown as they are; those of our files as CorvidErrors.
    const systemCode = (error as NodeJS.ErrnoException | undefined)?.code;
    throw systemCode === 'ENOSPC' ? fromSystemError(error, vectorsPath, 'copy the stream') : error;
  } finally {
    await vectorsFile.close();
    await itemsFile.close();
  }
  const vectors = await openNpy(vectorsPath);
  const source = copied.hasItems
    ? new AlignedSource(
        vectors,
        await jsonRows(itemsPath, copied.rows, (object) => object as ItemFields),
      )
    : vectors;
  return named(source, stream.name);
}

async function copyBatches(
  stream: VectorStream,
  vectorsFile: FileHandle,
  itemsFile: FileHandle,
  { signal, onRows }: SpoolOptions,
): Promise<{ rows: number; hasItems: boolean }> {
  const { dims, name } = stream;
  let rows = 0;
  let hasItems = false;
  let element: ReturnType<typeof elementOf> | undefined;
  await vectorsFile.appendFile(npyHeader('f32', 0, dims));
  for await (const batch of stream.batches) {
    throwIfAborted(signal);
    element ??= elementOf(name, batch.vectors);
    checkBatch(stream, batch, element, rows);
    const { buffer, byteOffset, byteLength } = batch.vectors;
    await vectorsFile.appendFile(new Uint8Array(buffer, byteOffset, byteLength));
    const count = batch.vectors.length / dims;
    const items = batch.items ?? Array.from({ length: count }, () => ({}));
    hasItems ||= batch.items !== undefined;
    await itemsFile.appendFile(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
    rows += count;
    onRows(rows);
  }
  if (element === undefined || rows === 0) {
    throw new CorvidError('ERR_SOURCE_EMPTY', 'the stream gave no vectors', { path: name });
  }
  await vectorsFile.write(npyHeader(element, rows, dims), 0, null, 0);
  return { rows, hasItems };
}

function elementOf(name: string, vectors: RawVectors): 'f32' | 'f16' | 'i8' {
  if (vectors instanceof Float32Array) return 'f32';
  if (vectors instanceof Uint16Array) return 'f16';
  if (vectors instanceof Int8Array) return 'i8';
  throw new CorvidError('ERR_SOURCE_INVALID', 'a batch without vectors', {
    path: name,
    expected: '{ vectors: Float32Array | Uint16Array | Int8Array, items? }',
  });
}

function checkBatch(
  { name, dims }: VectorStream,
  { vectors, items }: VectorBatch,
  element: string,
  rowsBefore: number,
): void {
  const at = `the batch after row ${rowsBefore}`;
  if (elementOf(name, vectors) !== element) {
    throw new CorvidError('ERR_SOURCE_INVALID', `${at} has elements of another type`, {
      path: name,
      expected: element,
      actual: elementOf(name, vectors),
    });
  }
  if (vectors.length % dims !== 0) {
    throw new CorvidError('ERR_DIMENSION', `${at} does not hold whole vectors`, {
      path: name,
      expected: `a multiple of ${dims} numbers`,
      actual: `${vectors.length}`,
    });
  }
  if (items !== undefined && items.length !== vectors.length / dims) {
    throw new CorvidError('ERR_SOURCE_INVALID', `${at} has not one item a row`, {
      path: name,
      expected: `${vectors.length / dims} items`,
      actual: `${items.length}`,
    });
  }
}

/** The same source under the stream's name, by which a later build recognises it. */
function named(source: VectorSource, name: string): VectorSource {
  return Object.create(source, { path: { value: name } }) as VectorSource;
}
