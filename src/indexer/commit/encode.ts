// Encodes rows and hands them to the segment writer: batch k+1 is read while k is encoded and
// k-1 is written. Memory is a few batches and what the writer's buffers may take.
//
// The writer makes checkpoints in staging. Rows come in the same order each time, so a build that was
// cut off leaves out as many as the last checkpoint has and ends with the same bytes.
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
import type { StagedSegment } from '../../store/index-folder.js';
import type { BuildContext } from '../context.js';
import { VERSION } from '../version.js';
import type { GroundTruth } from './calibrate.js';
import { unitVectors, withRow } from './normalize.js';
import { readAhead } from './read-ahead.js';
import { type RowBatch, type Rows, rowsFrom } from './rows.js';
import type { SegmentRows } from './segment-rows.js';

/** Bytes of a batch as floats: with very many lists, each read of their centers serves the rows of
 * one batch. About five batches are on their way at a time. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
const BATCH_SHARE = 1 / 64;
const MAX_BATCH_ROWS = 32_768;
const BATCHES_AHEAD = 2;
const COPY_ROWS = 8192;
/** Share of the memory allowed that the writer's buffers may take. */
const WRITER_SHARE = 1 / 2;
const POLL_MS = 150;

/** What goes into one segment, in this order. */
export interface SegmentContent {
  /** Rows of segments with the same codec, taken over code by code. */
  copied: readonly SegmentRows[];
  encoded: readonly Rows[];
}

/** A UUID (version 8, RFC 9562) that is another one when the segment would be. */
export function segmentUuid(
  { copied, encoded }: SegmentContent,
  codec: NativeCodec,
  vectors: boolean,
): string {
  const identity = (rows: Rows) => rows.identity;
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
 * Writes one segment, or what an interrupted build has left of it to write. It is complete afterwards,
 * but not yet live.
 * @param truth is shown every row that is encoded; null: nobody wants to know
 */
export async function encodeSegment(
  { copied, encoded }: SegmentContent,
  codec: NativeCodec,
  target: StagedSegment & { vectors: boolean },
  truth: GroundTruth | null,
  { settings, progress }: BuildContext,
): Promise<SegmentInfo> {
  const { signal, threads } = settings;
  const rows = [...copied, ...encoded].reduce((sum, supply) => sum + supply.rows, 0);
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
      /** Where to go on in the next supply. */
      const firstRowOf = (supply: Rows) => {
        const first = Math.min(Math.max(0, resumedRows - before), supply.rows);
        before += supply.rows;
        return first;
      };
      let done = resumedRows;
      if (resumedRows > 0) progress.goOnFrom(resumedRows);
      const onRows = (batchRows: number) => {
        done += batchRows;
        progress.update(done);
      };
      for (const supply of copied) {
        const first = firstRowOf(supply);
        for await (const { batch, ids } of supply.copy(first, COPY_ROWS, target.vectors, signal)) {
          await segment.append(batch, ids);
          onRows(batch.rows);
        }
      }
      for (const supply of encoded) {
        const firstRow = firstRowOf(supply);
        const batchRows = batchRowsOf(supply, settings.memoryBytes);
        const encoding = { vectors: target.vectors, threads, firstRow, batchRows, truth };
        await encodeSupply(supply, codec, segment, encoding, signal, onRows);
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
}

async function encodeSupply(
  supply: Rows,
  codec: NativeCodec,
  writer: NativeSegmentWriter,
  options: Encoding,
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<void> {
  let encoding: ReturnType<typeof encodeBatch> | null = null;
  let writing: Promise<void> = Promise.resolve();
  // Waits for the batch that is being encoded, and begins to write it once the last is written.
  const passOn = async () => {
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
  // The truth is not kept by an interrupted build: it is shown all rows again.
  const start = options.truth === null ? options.firstRow : 0;
  const batches = supply.read(start, options.batchRows, signal);
  try {
    for await (const { firstRow, vectors, ids } of readAhead(batches, BATCHES_AHEAD)) {
      throwIfAborted(signal);
      await passOn();
      encoding = encodeBatch(supply, codec, { firstRow, vectors, ids }, options);
    }
    await passOn();
  } finally {
    await Promise.allSettled([encoding]);
    await writing;
  }
}

function batchRowsOf({ dims }: Rows, memoryBytes: number): number {
  const bytes = Math.min(MAX_BATCH_BYTES, memoryBytes * BATCH_SHARE);
  return Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(bytes / (dims * 4))));
}

/** @returns null if all of the batch is in the segment */
async function encodeBatch(
  supply: Rows,
  codec: NativeCodec,
  batch: RowBatch,
  options: Encoding,
): Promise<{ encoded: EncodedBatch; ids: Float64Array } | null> {
  if (options.truth !== null) {
    const unit = unitVectors(supply, batch.vectors, (i) => batch.firstRow + i);
    await options.truth.add(unit, batch.ids);
  }
  const fresh = rowsFrom(options.firstRow, batch, supply.dims);
  if (fresh === null) return null;
  const { firstRow, vectors, ids } = fresh;
  try {
    return { encoded: await encodeEmbeddings(codec, vectors, options), ids };
  } catch (error) {
    throw withRow(error, supply, vectors, (i) => firstRow + i);
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
