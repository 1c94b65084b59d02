// Encodes rows into a segment, batch by batch: read → encode, add the items → append. Batch k+1 is
// read while k is encoded and k-1 is appended. Memory is a few batches and the writer's buffers.
//
// The segment writer makes checkpoints in staging. Rows come in the same order each time, so a build
// that was interrupted skips as many as the last checkpoint has and ends with the same bytes. Items
// are in the catalog ahead of the commit, with ids that readers do not see; those of an interrupted
// build are dropped, so a source with items is read from its first row again.
import { createHash } from 'node:crypto';
import { encodeEmbeddings } from '../../codec/codec.js';
import { throwIfAborted } from '../../errors.js';
import {
  type EncodedBatch,
  fromNative,
  type NativeCodec,
  type NativeSegmentWriter,
  native,
  type SegmentInfo,
} from '../../native/addon.js';
import type { CatalogWriter } from '../../store/catalog-writer.js';
import type { StagedSegment } from '../../store/index-folder.js';
import { unitVectors, withRow } from '../rows/normalize.js';
import { readAhead } from '../rows/read-ahead.js';
import { batchFrom, type EmbeddingBatch, type RowSource, totalRows } from '../rows/row-source.js';
import type { SegmentRows } from '../rows/segment-rows.js';
import type { BuildContext } from '../settings/context.js';
import { VERSION } from '../settings/version.js';
import type { GroundTruth } from './calibrate.js';

/** Bytes of a batch as floats: with very many lists, each read of their centers serves the rows of
 * one batch. About five batches are in memory at a time. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
const BATCH_SHARE = 1 / 64;
const MAX_BATCH_ROWS = 32_768;
const BATCHES_AHEAD = 2;
const COPY_ROWS = 8192;
/** Share of the memory limit that the writer's buffers may use. */
const WRITER_SHARE = 1 / 2;
const POLL_MS = 150;

/** What goes into one segment, in this order. */
export interface SegmentContent {
  /** Rows of segments with the same codec, copied code by code. */
  copied: readonly SegmentRows[];
  encoded: readonly RowSource[];
}

/** A UUID (version 8, RFC 9562) that differs when the segment would. */
export function segmentUuid(
  { copied, encoded }: SegmentContent,
  codec: NativeCodec,
  vectors: boolean,
): string {
  const identity = (source: RowSource) => source.identity;
  const content = [
    VERSION,
    codec.info().uuid,
    vectors,
    copied.map(identity),
    encoded.map(identity),
  ];
  const digest = createHash('sha256').update(JSON.stringify(content)).digest();
  digest[6] = ((digest[6] as number) & 0x0f) | 0x80;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  const digits = digest.toString('hex');
  return [0, 8, 12, 16, 20].map((at, i) => digits.slice(at, [8, 12, 16, 20, 32][i])).join('-');
}

/**
 * Writes one segment, or the rest of one that an interrupted build has begun, and adds the items of
 * its rows to the catalog. The segment is complete afterwards, but neither is live.
 * @param truth is given every row that is encoded; null: nothing is calibrated
 */
export async function encodeSegment(
  { copied, encoded }: SegmentContent,
  codec: NativeCodec,
  target: StagedSegment & { vectors: boolean },
  truth: GroundTruth | null,
  { settings, progress, writer: { catalog } }: BuildContext,
): Promise<SegmentInfo> {
  const { signal, threads } = settings;
  const rows = totalRows([...copied, ...encoded]);
  let writer: NativeSegmentWriter | null = null;
  try {
    const segment = native.createSegmentWriter({
      dir: target.dir,
      uuid: target.uuid,
      codec,
      vectors: target.vectors,
      rowsHint: rows,
      memoryBytes: Math.floor(settings.memoryBytes * WRITER_SHARE),
      resumable: true,
    });
    writer = segment;
    const resumedRows = segment.resumedRows();
    await progress.during('encode', rows, async () => {
      let before = 0;
      /** Where to resume in the next source. */
      const firstRowOf = (source: RowSource) => {
        const first = Math.min(Math.max(0, resumedRows - before), source.rows);
        before += source.rows;
        return first;
      };
      let done = resumedRows;
      if (resumedRows > 0) progress.resumeFrom(resumedRows);
      const onRows = (batchRows: number) => {
        done += batchRows;
        progress.update(done);
      };
      for (const source of copied) {
        const first = firstRowOf(source);
        for await (const { batch, ids } of source.copy(first, COPY_ROWS, target.vectors, signal)) {
          await segment.append(batch, ids);
          onRows(batch.rows);
        }
      }
      for (const source of encoded) {
        const firstRow = firstRowOf(source);
        const batchRows = batchRowsOf(source, settings.memoryBytes);
        const encoding = { vectors: target.vectors, threads, firstRow, batchRows, truth, catalog };
        await encodeSource(source, codec, segment, encoding, signal, onRows);
      }
    });
    return await progress.during('place', rows, () => finish(segment, progress, signal));
  } catch (error) {
    writer?.abort();
    throwIfAborted(signal);
    throw fromNative(error);
  }
}

interface Encoding {
  vectors: boolean;
  threads: number;
  /** Rows before this one are in the segment. */
  firstRow: number;
  batchRows: number;
  truth: GroundTruth | null;
  /** Gets the items of all rows. */
  catalog: CatalogWriter;
}

async function encodeSource(
  source: RowSource,
  codec: NativeCodec,
  writer: NativeSegmentWriter,
  options: Encoding,
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<void> {
  let encoding: ReturnType<typeof encodeBatch> | null = null;
  let writing: Promise<void> = Promise.resolve();
  // Waits for the batch that is being encoded, and begins to append it once the last is appended.
  const append = async () => {
    if (encoding === null) return;
    const result = await encoding;
    if (result === null) return;
    const { encoded, ids } = result;
    await writing;
    writing = writer.append(encoded, ids);
    // Marks a failure as seen; it is thrown by the next await.
    writing.catch(() => {});
    onRows(ids.length);
  };
  // An interrupted build keeps neither the ground truth nor the items: both need all rows again.
  const needsAllRows = options.truth !== null || source.hasItems;
  const start = needsAllRows ? 0 : options.firstRow;
  const batches = source.read(start, options.batchRows, signal);
  try {
    for await (const batch of readAhead(batches, BATCHES_AHEAD)) {
      throwIfAborted(signal);
      await append();
      encoding = encodeBatch(source, codec, batch, options);
      // Marks a failure as seen; it is thrown by the next append.
      encoding.catch(() => {});
      // One transaction, while other threads encode.
      if (batch.items !== null) options.catalog.addItems(batch.items);
    }
    await append();
  } finally {
    await Promise.allSettled([encoding]);
    await writing;
  }
}

function batchRowsOf({ dims }: RowSource, memoryBytes: number): number {
  const bytes = Math.min(MAX_BATCH_BYTES, memoryBytes * BATCH_SHARE);
  return Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(bytes / (dims * 4))));
}

/** @returns null if all of the batch is in the segment */
async function encodeBatch(
  source: RowSource,
  codec: NativeCodec,
  batch: EmbeddingBatch,
  options: Encoding,
): Promise<{ encoded: EncodedBatch; ids: Float64Array } | null> {
  if (options.truth !== null) {
    const unit = unitVectors(source, batch.vectors, (i) => batch.firstRow + i);
    await options.truth.add(unit, batch.ids);
  }
  const fresh = batchFrom(options.firstRow, batch, source.dims);
  if (fresh === null) return null;
  const { firstRow, vectors, ids } = fresh;
  try {
    return { encoded: await encodeEmbeddings(codec, vectors, options), ids };
  } catch (error) {
    throw withRow(error, source, vectors, (i) => firstRow + i);
  }
}

async function finish(
  writer: NativeSegmentWriter,
  progress: { update(done: number, total?: number): void },
  signal: AbortSignal | undefined,
): Promise<SegmentInfo> {
  throwIfAborted(signal);
  const timer = setInterval(() => {
    const { done, total } = writer.progress();
    progress.update(done, total);
  }, POLL_MS);
  const abort = () => writer.abort();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await writer.finish();
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', abort);
  }
}
