// Small real parts for the tests of the store: a trained codec, vectors, segments.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type EncodedBatch,
  type NativeCodec,
  type NativeSegment,
  native,
  type SegmentInfo,
} from '../../src/native/addon.js';
import { IndexWriter } from '../../src/store/index-folder.js';

export const DIMS = 128;
export const LEVELS = [64, 128] as const;
/** Bytes of a row's code in a batch: 8 of level 64, 8, a gain and a norm byte of level 128. */
export const CODE_BYTES = 18;
export const UUID = '01234567-89ab-4cde-8f01-23456789abcd';

/** Numbers in [0, 1), the same for a seed everywhere (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** rows x DIMS unit vectors around a few centres. */
export function randomVectors(rows: number, seed: number): Float32Array {
  const random = randomNumbers(seed);
  const centreNumbers = randomNumbers(0); // the same for all seeds: one kind of data
  const centres = Float32Array.from({ length: 20 * DIMS }, () => centreNumbers() - 0.5);
  const vectors = Float32Array.from({ length: rows * DIMS }, () => (random() - 0.5) * 0.6);
  for (let row = 0; row < rows; row++) {
    const centre = Math.floor(random() * 20) * DIMS;
    for (let d = 0; d < DIMS; d++) {
      const at = row * DIMS + d;
      vectors[at] = (vectors[at] as number) + (centres[centre + d] as number);
    }
  }
  return native.toUnit(vectors, DIMS);
}

/** A codec, saved to and opened from `path`. */
export async function makeCodec(
  path: string,
  { lists = 40, groups = 4, outerGroups = 2 } = {},
): Promise<NativeCodec> {
  const training = native.startTraining(randomVectors(4000, 1), {
    dims: DIMS,
    method: 'trained',
    levels: LEVELS,
    lists,
    groups,
    outerGroups,
    seed: 1,
    threads: 1,
  });
  await (await training.result).save(path);
  return native.openCodec(path);
}

export interface SegmentRows {
  batch: EncodedBatch;
  ids: Float64Array;
}

export async function writeSegment(
  dir: string,
  codec: NativeCodec,
  batches: readonly SegmentRows[],
  options: { uuid?: string; vectors?: boolean; rowsHint?: number; memoryBytes?: number } = {},
): Promise<SegmentInfo> {
  const { uuid = UUID, vectors = true, rowsHint = 1000, memoryBytes = 64e6 } = options;
  const settings = { dir, uuid, codec, vectors, rowsHint, memoryBytes };
  const writer = native.createSegmentWriter(settings);
  for (const { batch, ids } of batches) await writer.append(batch, ids);
  return writer.finish();
}

/** A segment of real codes of `rows` random vectors, ids 3 * row + 5. */
export async function makeSegment(
  folder: string,
  codec: NativeCodec,
  rows: number,
): Promise<{ dir: string; segment: NativeSegment; vectors: Float32Array }> {
  const vectors = randomVectors(rows, 2);
  const batch = await codec.encode(vectors, { vectors: true, threads: 1 });
  const ids = Float64Array.from({ length: rows }, (_, row) => 3 * row + 5);
  const dir = join(folder, 'segment');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await writeSegment(dir, codec, [{ batch, ids }]);
  return { dir, segment: native.openSegment(dir, codec), vectors };
}

/**
 * A committed index of items without pictures: `rows` items in one segment, ids from 0, one of them
 * removed for every `removed`.
 */
export async function makeIndex(
  path: string,
  rows: number,
  {
    removed = [],
    hasItems = true,
    codecSize = {},
  }: { removed?: number[]; hasItems?: boolean; codecSize?: Parameters<typeof makeCodec>[1] } = {},
): Promise<void> {
  const writer = IndexWriter.open(path);
  writer.create({
    writtenBy: '0.1.0',
    dims: DIMS,
    encoder: null,
    vectors: true,
    hasItems,
    nextId: 0,
    recallCard: null,
    build: null,
  });
  const codecFile = writer.newCodec();
  const codec = await makeCodec(codecFile.path, codecSize);
  const staged = writer.newSegment(UUID);
  const batch = await codec.encode(randomVectors(rows, 2), { vectors: true, threads: 1 });
  const ids = Float64Array.from({ length: rows }, (_, row) => row);
  await writeSegment(staged.dir, codec, [{ batch, ids }]);
  if (hasItems) {
    writer.catalog.addItems(Array.from(ids, (id) => ({ id, key: `picture ${id}` })));
  }
  writer.publish({
    segments: [{ ...staged, rows }],
    codec: { ...codecFile, uuid: codec.info().uuid },
    settings: { nextId: rows },
    removeIds: removed,
  });
  writer.close();
}
