// The native codec for TypeScript: training with progress and cancellation, encoding, files.
//
// Arguments are checked here; the work is native and off the JavaScript thread. Errors are
// CorvidErrors.
import { CorvidError, throwIfAborted } from '../errors.js';
import {
  type EncodedBatch,
  fromNative,
  type NativeByteSample,
  type NativeCodec,
  type NativeLists,
  type NativeTraining,
  native,
  type RawVectors,
} from '../native/addon.js';
import type { CodecChoice } from './choose.js';

export interface TrainCodecOptions extends CodecChoice, TrainingWatch {
  dims: number;
  /** A safe integer >= 0; the same seed and sample give the same codec. */
  seed: number;
  threads: number;
}

export interface TrainingWatch {
  signal?: AbortSignal | undefined;
  /** Called a few times a second with a phase and how much of it is done. */
  onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

export interface TrainingProgress {
  phase: string;
  done: number;
  total: number;
}

const PROGRESS_INTERVAL_MS = 200;

/**
 * Trains a codec. The sample must not change until the promise settles.
 * @param sample rows x dims, unit length
 * @param lists from `findLists`, which training consumes; null: found among the sample's rows
 * @throws ERR_USAGE, ERR_ABORTED, ERR_MEMORY
 */
export async function trainCodec(
  sample: Float32Array,
  options: TrainCodecOptions,
  lists: NativeLists | null = null,
): Promise<NativeCodec> {
  const { signal, onProgress, ...settings } = options;
  checkEmbeddings(sample, options.dims, 'the training sample');
  throwIfAborted(signal);
  const training = callNative(() => native.startTraining(sample, settings, lists));
  return finished(training, { signal, onProgress });
}

/**
 * Finds more lists than a training sample has rows for, by k-means in two levels.
 * @throws ERR_USAGE, ERR_ABORTED, ERR_MEMORY
 */
export async function findLists(
  sample: NativeByteSample,
  options: { lists: number; seed: number; threads: number } & TrainingWatch,
): Promise<NativeLists> {
  const { signal, onProgress, ...settings } = options;
  throwIfAborted(signal);
  const training = callNative(() => native.startLists(sample, settings));
  return finished(training, { signal, onProgress });
}

async function finished<Result>(
  training: NativeTraining<Result>,
  { signal, onProgress }: TrainingWatch,
): Promise<Result> {
  const cancel = () => training.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  const timer =
    onProgress && setInterval(() => onProgress(training.progress()), PROGRESS_INTERVAL_MS);
  try {
    return await training.result;
  } catch (error) {
    throwIfAborted(signal);
    throw fromNative(error);
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

/**
 * Assigns lists and encodes. `vectors` must not change until the promise settles.
 * @param vectors rows x dims, of any length but zero; scaled to unit length
 * @throws ERR_DIMENSION; ERR_VECTOR_INVALID for NaN, infinity or a vector of zeros
 */
export async function encodeEmbeddings(
  codec: NativeCodec,
  vectors: RawVectors,
  options: { vectors: boolean; threads: number },
): Promise<EncodedBatch> {
  checkEmbeddings(vectors, codec.info().dims, 'the embeddings');
  try {
    return await codec.encode(vectors, options);
  } catch (error) {
    throw fromNative(error);
  }
}

/** Writes a codec file and fsyncs it. @throws ERR_DISK_FULL, ERR_PERMISSION, ERR_IO */
export async function saveCodec(codec: NativeCodec, path: string): Promise<void> {
  try {
    await codec.save(path);
  } catch (error) {
    throw fromNative(error);
  }
}

/** Maps a codec file. @throws ERR_NOT_FOUND, ERR_FORMAT_CORRUPT and the other ERR_FORMAT_… */
export function openCodec(path: string): NativeCodec {
  return callNative(() => native.openCodec(path));
}

function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

function checkEmbeddings(embeddings: RawVectors, dims: number, what: string): void {
  if (embeddings.length > 0 && embeddings.length % dims === 0) return;
  throw new CorvidError('ERR_DIMENSION', `${what} must be whole rows, at least one`, {
    expected: `a multiple of ${dims} numbers`,
    actual: `${embeddings.length}`,
    hint: 'pass the embeddings one after another in one typed array',
  });
}
