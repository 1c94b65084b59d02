// CLIP and similar models as an Embedder. Images are decoded in this process, by the threads of the
// image library; the networks run in child processes.
//
// Each image passes through decoder and network independently of the others. A few sessions with few
// threads each do more on the same cores than one session with all of them, and leave gaps for the
// decoder. Each network is loaded when first needed: a text search never loads the image network.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { CorvidError, throwIfAborted } from '../errors.js';
import { native } from '../native/addon.js';
import { checkInteger } from '../option-checks.js';
import { ChildPool } from './child-pool.js';
import { type DecodedImage, decodeImage, readImage } from './decode.js';
import type {
  Embedder,
  EmbedFailure,
  EmbedOptions,
  EncoderFingerprint,
  ImageEmbeddings,
  ImageInput,
} from './embedder.js';
import type { ImageLimits } from './limits.js';
import {
  DEFAULT_MODEL,
  locateModel,
  type ModelFacts,
  type ModelPlace,
  notDownloaded,
  readModelFacts,
} from './model-files.js';
import { Semaphore } from './semaphore.js';
import type { TextTask } from './text-tower.js';
import type { VisionTask } from './vision-tower.js';

/** Options of `openClip`. */
export interface ClipOptions {
  /** Download a hub model that is not on this machine yet. Default false. */
  allowDownload?: boolean | undefined;
  /** Limits on the images that are decoded. */
  limits?: ImageLimits | undefined;
  /** Cores that the networks may use. Default: all. */
  threads?: number | undefined;
}

/** Every session holds a copy of the image network's weights, so their number is bounded. */
const MAX_VISION_SESSIONS = 4;
/** Images in the decoder while every session has one: enough to keep the sessions busy. */
const DECODES_IN_FLIGHT = 4;
/** Texts between two checks of the caller's signal. */
const TEXTS_PER_TASK = 16;

/**
 * Opens a CLIP-like encoder.
 * @param model `clip-nano` (bundled), a folder, or a hub id; default Xenova/clip-vit-base-patch32
 * @throws CorvidError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID, ERR_USAGE
 */
export async function openClip(
  model: string = DEFAULT_MODEL,
  options: ClipOptions = {},
): Promise<Embedder> {
  const threads = options.threads ?? availableParallelism();
  checkInteger('threads', threads, 1);
  const place = locateModel(model);
  if (!place.present && options.allowDownload !== true) throw notDownloaded(place);
  if (!place.present) await download(place);
  return new ClipEmbedder(place, await readModelFacts(place), threads, options.limits ?? {});
}

async function download(place: ModelPlace): Promise<void> {
  const pool = startPool('./download.js', 1);
  try {
    await pool.run(place);
  } catch (cause) {
    throw new CorvidError('ERR_MODEL_NOT_FOUND', 'the encoder could not be downloaded', {
      path: place.model,
      actual: String((cause as Error).message),
      hint: 'check the name and the network, or give the path of a model folder',
      cause,
    });
  } finally {
    await pool.close();
  }
}

function startPool(file: string, size: number): ChildPool {
  return new ChildPool(fileURLToPath(new URL(file, import.meta.url)), size);
}

class ClipEmbedder implements Embedder {
  readonly fingerprint: EncoderFingerprint;
  readonly #facts: ModelFacts;
  readonly #place: ModelPlace;
  readonly #limits: ImageLimits;
  readonly #visionThreads: number;
  readonly #textPool: ChildPool;
  readonly #visionPool: ChildPool;
  /** Bounds memory: images between file and embedding, over all calls. */
  readonly #inFlight: Semaphore;
  #closed = false;

  constructor(place: ModelPlace, facts: ModelFacts, threads: number, limits: ImageLimits) {
    this.fingerprint = facts.fingerprint;
    this.#facts = facts;
    this.#place = place;
    this.#limits = limits;
    const sessions = Math.min(threads, MAX_VISION_SESSIONS);
    this.#visionThreads = Math.floor(threads / sessions);
    this.#textPool = startPool('./text-tower.js', 1);
    this.#visionPool = startPool('./vision-tower.js', sessions);
    this.#inFlight = new Semaphore(sessions + DECODES_IN_FLIGHT);
  }

  async embedTexts(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array> {
    this.#check(options.signal);
    const blank = texts.findIndex((text) => text.trim() === '');
    if (blank >= 0) {
      throw new CorvidError('ERR_QUERY', 'a text is empty', {
        path: `texts[${blank}]`,
        hint: 'describe what the image shows',
      });
    }
    const { dims } = this.fingerprint;
    const embeddings = new Float32Array(texts.length * dims);
    for (let first = 0; first < texts.length; first += TEXTS_PER_TASK) {
      const part = texts.slice(first, first + TEXTS_PER_TASK);
      const rows = await untilAborted(this.#runTexts(part), options.signal);
      embeddings.set(rows, first * dims);
    }
    return embeddings;
  }

  async embedImages(
    images: readonly ImageInput[],
    { signal }: EmbedOptions = {},
  ): Promise<ImageEmbeddings> {
    this.#check(signal);
    const { dims } = this.fingerprint;
    const embeddings = new Float32Array(images.length * dims);
    const failures: EmbedFailure[] = [];
    const damaged: number[] = [];
    let over = false;
    const embedOne = async (image: ImageInput, index: number) => {
      if (over) return;
      this.#check(signal);
      const result = await this.#embedImage(image, signal);
      if ('error' in result) {
        failures.push({ index, error: result.error });
        return;
      }
      embeddings.set(result.embedding, index * dims);
      if (result.damaged) damaged.push(index);
    };
    const all = images.map((image, index) => this.#inFlight.run(() => embedOne(image, index)));
    try {
      await untilAborted(Promise.all(all), signal);
    } finally {
      // After a network failure or an abort nobody waits for the images that are still queued.
      over = true;
    }
    failures.sort((a, b) => a.index - b.index);
    return { embeddings, failures, damaged: damaged.sort((a, b) => a - b) };
  }

  /** Waits for running network tasks; calls that need another one end with ERR_CLOSED. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#textPool.close(), this.#visionPool.close()]);
  }

  /** Returns the error of a bad image; throws the error of a broken encoder. */
  async #embedImage(
    image: ImageInput,
    signal: AbortSignal | undefined,
  ): Promise<{ embedding: Float32Array; damaged: boolean } | { error: CorvidError }> {
    const { preprocessing } = this.#facts;
    let decoded: DecodedImage;
    try {
      decoded = await decodeImage(await readImage(image), preprocessing, this.#limits);
    } catch (error) {
      if (error instanceof CorvidError) return { error };
      throw error;
    }
    this.#check(signal);
    const { size, mean, std } = preprocessing;
    const { pixels, damaged } = decoded;
    const threads = this.#visionThreads;
    const { visionWeights: weightsPath } = this.#facts;
    const task: VisionTask = { weightsPath, threads, pixels, size, mean, std };
    return { embedding: await this.#run(this.#visionPool, task), damaged };
  }

  #runTexts(texts: readonly string[]): Promise<Float32Array> {
    const { root, name } = this.#place;
    const { textWeights: weightsPath } = this.#facts;
    const task: TextTask = { root, name, weightsPath, threads: 1, texts };
    return this.#run(this.#textPool, task);
  }

  /** Runs a network and normalizes its rows to unit length. */
  async #run(pool: ChildPool, task: TextTask | VisionTask): Promise<Float32Array> {
    this.#check(undefined);
    const { dims } = this.fingerprint;
    const rows = await pool.run<Float32Array>(task).catch((cause: Error) => {
      throw this.#broken(cause.message, cause);
    });
    const expected = 'texts' in task ? task.texts.length * dims : dims;
    if (rows.length !== expected) throw this.#broken(`${rows.length} numbers, not ${expected}`);
    return native.toUnit(rows, dims);
  }

  #broken(actual: string, cause?: unknown): CorvidError {
    if (this.#closed) return new CorvidError('ERR_CLOSED', 'the encoder is closed', { cause });
    return new CorvidError('ERR_MODEL_INVALID', 'the encoder failed', {
      path: this.#place.model,
      actual,
      hint: 'check that the model folder is complete, or copy or download the model again',
      cause,
    });
  }

  #check(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.#closed) throw new CorvidError('ERR_CLOSED', 'the encoder is closed');
  }
}

/** `work`, or ERR_ABORTED as soon as `signal` fires; the work itself goes on to its next check. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = () => {
      try {
        throwIfAborted(signal);
      } catch (error) {
        reject(error);
      }
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
