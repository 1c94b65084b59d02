// CLIP and its kin as an Embedder: decoding here, by the image library's own threads; the networks
// in a worker thread of their own (towers.ts).
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { CorvidError, throwIfAborted } from '../errors.js';
import { native } from '../native.js';
import { decodeImage, readImage } from './decode.js';
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
import type { TowerTask } from './towers.js';

export interface ClipOptions {
  /** Lets a hub model that is not on this machine be downloaded, once. Default false. */
  allowDownload?: boolean | undefined;
  /** What images may be decoded. */
  limits?: ImageLimits | undefined;
}

/** Images decoded at once: enough to keep the decoder's threads busy beside the network's. */
const DECODES_IN_FLIGHT = 4;

/**
 * Opens a CLIP-like encoder.
 * @param model `clip-nano` (bundled), a folder, or a hub id; default Xenova/clip-vit-base-patch32
 * @throws CorvidError ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID
 */
export async function openClip(
  model: string = DEFAULT_MODEL,
  options: ClipOptions = {},
): Promise<Embedder> {
  const place = locateModel(model);
  if (!place.present && options.allowDownload !== true) throw notDownloaded(place);
  holdRuntime();
  const pool = new Piscina({
    filename: fileURLToPath(new URL('./towers.js', import.meta.url)),
    minThreads: 0,
    maxThreads: 1,
    // The towers stay loaded for as long as the embedder is open.
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 1,
    // Flags of the caller's process, such as --input-type, are not meant for this thread.
    execArgv: [],
  });
  try {
    if (!place.present) await download(pool, place);
    return new ClipEmbedder(pool, place, await readModelFacts(place), options.limits ?? {});
  } catch (error) {
    await pool.destroy();
    throw error;
  }
}

/**
 * Loads the network runtime's addon on this thread too, and never lets go of it. That addon cannot
 * be loaded a second time once the last thread that had it has ended ("Module did not
 * self-register"), as happens when one encoder is closed and another one opened.
 */
function holdRuntime(): void {
  const require = createRequire(import.meta.url);
  createRequire(require.resolve('@xenova/transformers'))('onnxruntime-node');
}

async function download(pool: Piscina, place: ModelPlace): Promise<void> {
  await pool.run({ kind: 'load', place, download: true } satisfies TowerTask).catch((cause) => {
    throw new CorvidError('ERR_MODEL_NOT_FOUND', 'the encoder could not be downloaded', {
      path: place.model,
      actual: String((cause as Error).message),
      hint: 'check the name and the network, or give the path of a model folder',
      cause,
    });
  });
}

class ClipEmbedder implements Embedder {
  readonly fingerprint: EncoderFingerprint;
  readonly #pool: Piscina;
  readonly #place: ModelPlace;
  readonly #facts: ModelFacts;
  readonly #limits: ImageLimits;
  readonly #decoding = new Gate(DECODES_IN_FLIGHT);
  #closed = false;

  constructor(pool: Piscina, place: ModelPlace, facts: ModelFacts, limits: ImageLimits) {
    this.fingerprint = facts.fingerprint;
    this.#pool = pool;
    this.#place = place;
    this.#facts = facts;
    this.#limits = limits;
  }

  async embedTexts(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array> {
    this.#check(options.signal);
    if (texts.length === 0) return new Float32Array(0);
    const blank = texts.findIndex((text) => text.trim() === '');
    if (blank >= 0) {
      throw new CorvidError('ERR_QUERY', 'an empty text has no meaning to search by', {
        path: `texts[${blank}]`,
        hint: 'say what the picture shows',
      });
    }
    return this.#run({ kind: 'texts', place: this.#place, texts }, options.signal);
  }

  async embedImages(
    images: readonly ImageInput[],
    options: EmbedOptions = {},
  ): Promise<ImageEmbeddings> {
    this.#check(options.signal);
    const { size, mean, std } = this.#facts.preprocessing;
    const { dims } = this.fingerprint;
    const imageLength = 3 * size * size;
    const pixels = new Uint8Array(images.length * imageLength);
    const failures: EmbedFailure[] = [];
    const damaged: number[] = [];
    const decoded: number[] = [];
    await Promise.all(
      images.map(async (image, index) => {
        try {
          const result = await this.#decode(image, options.signal);
          pixels.set(result.pixels, index * imageLength);
          if (result.damaged) damaged.push(index);
          decoded.push(index);
        } catch (error) {
          if (!(error instanceof CorvidError) || error.code === 'ERR_ABORTED') throw error;
          failures.push({ index, error });
        }
      }),
    );
    throwIfAborted(options.signal);
    const order = decoded.sort((a, b) => a - b);
    const packed = pack(pixels, order, imageLength);
    const task = { kind: 'pixels', images: order.length, size, pixels: packed, mean, std } as const;
    const rows =
      order.length === 0
        ? new Float32Array(0)
        : await this.#run({ ...task, place: this.#place }, options.signal);
    const embeddings = new Float32Array(images.length * dims);
    order.forEach((index, row) => {
      embeddings.set(rows.subarray(row * dims, (row + 1) * dims), index * dims);
    });
    failures.sort((a, b) => a.index - b.index);
    return { embeddings, failures, damaged: damaged.sort((a, b) => a - b) };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.close();
  }

  #decode(image: ImageInput, signal: AbortSignal | undefined) {
    return this.#decoding.pass(async () => {
      throwIfAborted(signal);
      return decodeImage(await readImage(image), this.#facts.preprocessing, this.#limits);
    });
  }

  /** Runs the network, which once begun is not broken off, and brings its rows to unit length. */
  async #run(task: TowerTask, signal: AbortSignal | undefined): Promise<Float32Array> {
    const output = (await this.#pool.run(task).catch((cause: unknown) => {
      throw new CorvidError('ERR_MODEL_INVALID', 'the encoder failed', {
        path: this.#place.model,
        actual: String((cause as Error)?.message ?? cause),
        hint: 'check that the model folder is whole and has 8-bit ONNX files',
        cause,
      });
    })) as Float32Array;
    throwIfAborted(signal);
    return native.toUnit(output, this.fingerprint.dims);
  }

  #check(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.#closed) throw new CorvidError('ERR_CLOSED', 'the encoder is closed');
  }
}

/** The images named by `order`, side by side; without a copy where that is all of them. */
function pack(pixels: Uint8Array, order: readonly number[], imageLength: number): Uint8Array {
  if (order.length * imageLength === pixels.length) return pixels;
  const packed = new Uint8Array(order.length * imageLength);
  order.forEach((index, at) => {
    packed.set(pixels.subarray(index * imageLength, (index + 1) * imageLength), at * imageLength);
  });
  return packed;
}

/** Lets a number of tasks through at once; the others wait in order. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async pass<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
