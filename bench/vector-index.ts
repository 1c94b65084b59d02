// Makes an index directly from vectors in memory: one codec, one or more segments, a commit for each.
//
// For benches and tests, which set lists, groups and training rows freely and need no pipeline. Ids
// count from 0 over all parts.
import { randomUUID } from 'node:crypto';
import { type NativeCodec, native } from '../src/native/addon.js';
import { buildRoutingGraph, needsRoutingGraph } from '../src/query/routing/graph.js';
import type { NewItem } from '../src/store/catalog-writer.js';
import { IndexWriter, type Publication } from '../src/store/index-folder.js';

export interface VectorIndexOptions {
  /** The index folder; must not exist. */
  path: string;
  dims: number;
  /** Trained on these rows; rows x dims, any length but zero. */
  train: Float32Array;
  /** Each becomes a segment. */
  parts: readonly Float32Array[];
  method?: 'trained' | 'rotation';
  levels?: readonly number[];
  lists?: number;
  groups?: number;
  outerGroups?: number;
  seed?: number;
  threads?: number;
  /** Keep int8 vectors. */
  vectors?: boolean;
  /** The catalog's item of an id; if omitted, the index has no items. */
  item?: (id: number) => Omit<NewItem, 'id'>;
  encoder?: unknown;
}

export interface VectorIndexSummary {
  rows: number;
  trainSeconds: number;
  encodeSeconds: number;
  placeSeconds: number;
}

interface PartSummary {
  /** The first free id after the part. */
  nextId: number;
  encodeSeconds: number;
  placeSeconds: number;
}

const BATCH_ROWS = 4096;
const MEMORY_BYTES = 256 * 2 ** 20;

export async function makeVectorIndex(options: VectorIndexOptions): Promise<VectorIndexSummary> {
  const { path, dims, parts, train, threads = 2, vectors = false } = options;
  const summary: VectorIndexSummary = {
    rows: parts.reduce((sum, part) => sum + part.length / dims, 0),
    trainSeconds: 0,
    encodeSeconds: 0,
    placeSeconds: 0,
  };
  const writer = IndexWriter.open(path);
  try {
    writer.create({
      writtenBy: 'bench',
      dims,
      encoder: options.encoder ?? null,
      vectors,
      hasItems: options.item !== undefined,
      nextId: 0,
      recallCard: null,
      build: null,
    });
    const start = performance.now();
    const staged = writer.newCodec();
    const groups = options.groups ?? 64;
    const trained = await native.startTraining(native.toUnit(train, dims), {
      dims,
      method: options.method ?? 'trained',
      levels: options.levels ?? [64, 128, 256, 512].filter((level) => level <= Math.max(64, dims)),
      lists: options.lists ?? 1024,
      groups,
      outerGroups: options.outerGroups ?? Math.max(1, groups / 4),
      seed: options.seed ?? 7,
      threads,
    }).result;
    await trained.save(staged.path);
    const codec = native.openCodec(staged.path);
    summary.trainSeconds = (performance.now() - start) / 1000;
    const { uuid } = codec.info();
    let nextId = 0;
    for (const part of parts) {
      const first = nextId === 0;
      const added = await addPart(writer, codec, part, nextId, options, {
        ...(first ? { codec: { ...staged, uuid } } : {}),
        ...(first && needsRoutingGraph(codec.info().lists)
          ? { routing: await routingOf(writer, codec) }
          : {}),
      });
      nextId = added.nextId;
      summary.encodeSeconds += added.encodeSeconds;
      summary.placeSeconds += added.placeSeconds;
    }
  } finally {
    writer.close();
  }
  return summary;
}

async function routingOf(writer: IndexWriter, codec: NativeCodec) {
  const staged = writer.newRouting();
  await buildRoutingGraph(codec, staged.path);
  return staged;
}

/** Adds a segment and commits it together with `others`. */
export async function addPart(
  writer: IndexWriter,
  codec: NativeCodec,
  part: Float32Array,
  firstId: number,
  options: Pick<VectorIndexOptions, 'dims' | 'vectors' | 'threads' | 'item'>,
  others: Partial<Publication> = {},
): Promise<PartSummary> {
  const { dims, vectors = false, threads = 2, item } = options;
  const rows = part.length / dims;
  const uuid = randomUUID();
  const staged = writer.newSegment(uuid);
  const segment = native.createSegmentWriter({
    dir: staged.dir,
    uuid,
    codec,
    vectors,
    rowsHint: rows,
    memoryBytes: MEMORY_BYTES,
  });
  const start = performance.now();
  for (let row = 0; row < rows; row += BATCH_ROWS) {
    const batch = native.toUnit(part.subarray(row * dims, (row + BATCH_ROWS) * dims), dims);
    const encoded = await codec.encode(batch, { vectors, threads });
    const ids = Float64Array.from({ length: encoded.rows }, (_, i) => firstId + row + i);
    await segment.append(encoded, ids);
    if (item !== undefined) {
      writer.catalog.addItems(Array.from(ids, (id) => ({ ...item(id), id })));
    }
  }
  const placing = performance.now();
  await segment.finish();
  const encodeSeconds = (placing - start) / 1000;
  const placeSeconds = (performance.now() - placing) / 1000;
  const nextId = firstId + rows;
  writer.publish({
    ...others,
    settings: { nextId },
    segments: [{ ...staged, uuid, rows }],
  });
  return { nextId, encodeSeconds, placeSeconds };
}
