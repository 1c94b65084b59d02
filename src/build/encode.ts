// Encodes rows and hands them to the segment writer: batch k+1 is read while k is encoded and
// k-1 is written. Memory is a few batches and what the writer's buffers may take.
import { CorvidError, throwIfAborted } from '../errors.js';
import {
  fromNative,
  type NativeCodec,
  type NativeSegmentWriter,
  native,
  type SegmentInfo,
} from '../native.js';
import type { StagedSegment } from '../store/index-folder.js';
import type { BuildContext } from './context.js';
import { readAhead } from './read-ahead.js';
import type { RowBatch, Rows } from './rows.js';
import type { RawVectors } from './sources/source.js';

/** Bytes of a batch as floats: large enough to keep the kernels busy, small enough for caches. */
const BATCH_BYTES = 16 * 1024 * 1024;
const MAX_BATCH_ROWS = 16_384;
const BATCHES_AHEAD = 2;
/** Share of the memory allowed that the writer's buffers may take. */
const WRITER_SHARE = 1 / 2;
const POLL_MS = 150;

/** Writes all rows of `supplies`, in order, into one segment. It is complete but not yet live. */
export async function encodeSegment(
  supplies: readonly Rows[],
  codec: NativeCodec,
  target: StagedSegment & { uuid: string; vectors: boolean },
  { settings, progress }: BuildContext,
): Promise<SegmentInfo> {
  const { signal, threads } = settings;
  const rows = supplies.reduce((sum, supply) => sum + supply.rows, 0);
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
      for (const supply of supplies) {
        const encoding = { vectors: target.vectors, threads };
        await encodeSupply(supply, codec, segment, encoding, signal, (batchRows) => {
          done += batchRows;
          progress.update(done);
        });
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
  options: { vectors: boolean; threads: number },
  signal: AbortSignal | undefined,
  onRows: (rows: number) => void,
): Promise<void> {
  const { dims } = supply;
  const batchRows = Math.max(1, Math.min(MAX_BATCH_ROWS, Math.floor(BATCH_BYTES / (dims * 4))));
  let writing: Promise<void> = Promise.resolve();
  try {
    for await (const batch of readAhead(supply.read(batchRows, signal), BATCHES_AHEAD)) {
      throwIfAborted(signal);
      const encoded = await codec.encode(toUnit(supply, batch), options);
      await writing;
      writing = writer.append(encoded, batch.ids);
      // Marks a failure as seen; it is thrown by the next await.
      writing.catch(() => {});
      onRows(batch.ids.length);
    }
  } finally {
    await writing;
  }
}

/** Vectors of unit length. Throws ERR_VECTOR_INVALID with the source and its row. */
function toUnit({ path, dims }: Rows, { vectors, firstRow }: RowBatch): Float32Array {
  try {
    return native.toUnit(vectors, dims);
  } catch (error) {
    const fault = fromNative(error);
    if (!(fault instanceof CorvidError) || fault.code !== 'ERR_VECTOR_INVALID') throw fault;
    const row = firstRow + firstBadRow(vectors, dims);
    throw new CorvidError('ERR_VECTOR_INVALID', `the vector of row ${row} cannot be used`, {
      path,
      expected: 'finite numbers, not all zero',
      actual: fault.actual ?? 'NaN, infinity or only zeros',
      hint: 'take the row out, or write it again',
      cause: error,
    });
  }
}

/** The first row with a number that is not finite, or with only zeros; 0 if there is none. */
function firstBadRow(vectors: RawVectors, dims: number): number {
  const half = vectors instanceof Uint16Array;
  const isBad = (value: number) => (half ? (value & 0x7c00) === 0x7c00 : !Number.isFinite(value));
  const isZero = (value: number) => (half ? (value & 0x7fff) === 0 : value === 0);
  for (let start = 0; start < vectors.length; start += dims) {
    const row = vectors.subarray(start, start + dims);
    if (row.some(isBad) || row.every(isZero)) return start / dims;
  }
  return 0;
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
  try {
    return await writer.finish();
  } finally {
    clearInterval(timer);
  }
}
