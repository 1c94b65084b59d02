// Encodes rows and hands them to the segment writer: batch k+1 is read while k is encoded and
// k-1 is written. Memory is a few batches and what the writer's buffers may take.
import { encodeEmbeddings } from '../codec/codec.js';
import { throwIfAborted } from '../errors.js';
import {
  type EncodedBatch,
  fromNative,
  type NativeCodec,
  type NativeSegmentWriter,
  native,
  type SegmentInfo,
} from '../native.js';
import type { StagedSegment } from '../store/index-folder.js';
import type { Truth } from './calibrate.js';
import type { BuildContext } from './context.js';
import { readAhead } from './read-ahead.js';
import type { Rows } from './rows.js';
import type { SegmentRows } from './segment-rows.js';
import { unitVectors } from './unit.js';

/** Bytes of a batch as floats: the more rows, the better the kernels work, and about five batches
 * are on their way at a time. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
const BATCH_SHARE = 1 / 64;
const MAX_BATCH_ROWS = 16_384;
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

/**
 * Writes one segment. It is complete afterwards, but not yet live.
 * @param truth is shown every row that is encoded; null: nobody wants to know
 */
export async function encodeSegment(
  { copied, encoded }: SegmentContent,
  codec: NativeCodec,
  target: StagedSegment & { uuid: string; vectors: boolean },
  truth: Truth | null,
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
    });
    writer = segment;
    await progress.during('encode', rows, async () => {
      let done = 0;
      const onRows = (batchRows: number) => {
        done += batchRows;
        progress.update(done);
      };
      for (const supply of copied) {
        for await (const { batch, ids } of supply.copy(COPY_ROWS, target.vectors, signal)) {
          await segment.append(batch, ids);
          onRows(batch.rows);
        }
      }
      for (const supply of encoded) {
        const batchRows = batchRowsOf(supply, settings.memoryBytes);
        const encoding = { vectors: target.vectors, threads, batchRows, truth };
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

async function encodeSupply(
  supply: Rows,
  codec: NativeCodec,
  writer: NativeSegmentWriter,
  options: { vectors: boolean; threads: number; batchRows: number; truth: Truth | null },
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<void> {
  let encoding: Promise<{ encoded: EncodedBatch; ids: Float64Array }> | null = null;
  let writing: Promise<void> = Promise.resolve();
  // Waits for the batch that is being encoded, and begins to write it once the last is written.
  const passOn = async () => {
    if (encoding === null) return;
    const { encoded, ids } = await encoding;
    await writing;
    writing = writer.append(encoded, ids);
    // Marks a failure as seen; it is thrown by the next await.
    writing.catch(() => {});
    onRows(ids.length);
  };
  try {
    for await (const batch of readAhead(supply.read(options.batchRows, signal), BATCHES_AHEAD)) {
      throwIfAborted(signal);
      const unit = unitVectors(supply, batch.vectors, (i) => batch.firstRow + i);
      await passOn();
      encoding = encodeBatch(codec, unit, batch.ids, options);
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

async function encodeBatch(
  codec: NativeCodec,
  unit: Float32Array,
  ids: Float64Array,
  options: { vectors: boolean; threads: number; truth: Truth | null },
): Promise<{ encoded: EncodedBatch; ids: Float64Array }> {
  const encoded = await encodeEmbeddings(codec, unit, options);
  await options.truth?.add(unit, ids);
  return { encoded, ids };
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
