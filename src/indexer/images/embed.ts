// Reads, checks and embeds the pending images of a build, into the journal.
//
// The next images are read and hashed while several batches are being embedded. An image that cannot
// be used is recorded with its reason, and the build continues; only a failure of the embedder or of
// the journal ends it. When the signal fires, no new batch begins, and what the embedder still
// finishes is kept.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Embedder } from '../../embed/embedder.js';
import { type ImageInspection, inspectImage } from '../../embed/inspect.js';
import { DEFAULT_MAX_FILE_BYTES, type ImageLimits } from '../../embed/limits.js';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';
import type { KnownFile } from '../../store/catalog.js';
import type { SkippedFile } from '../settings/options.js';
import type { Captions } from '../sources/captions.js';
import type { PendingImage } from './compare.js';
import type { FileState } from './file-state.js';
import { fileUpdate, type ItemUpdate } from './items.js';
import type { EmbeddedImage, Journal } from './journal.js';
import { reasonOf } from './skipped.js';

/** A batch is closed at so many images, or so many bytes of their files. */
const BATCH_IMAGES = 8;
const BATCH_FILE_BYTES = 48 * 1024 * 1024;
const BATCHES_IN_FLIGHT = 3;
const FILES_IN_FLIGHT = 4;

export interface EmbedPipelineOptions {
  embedder: Embedder;
  journal: Journal;
  limits: ImageLimits;
  /** Items whose files are gone: one of the same content elsewhere is the same image, moved. */
  vanished: readonly KnownFile[];
  captions: Captions;
  signal: AbortSignal | undefined;
  /** Called with the number of images processed so far, and of those skipped among them. */
  onImages: (done: number, skipped: number) => void;
}

/** An image that was read and can be embedded. */
interface ReadImage {
  image: EmbeddedImage;
  content: Uint8Array;
}

/**
 * Embeds `pending` into the journal.
 * @returns updates of the items whose content was found unchanged, with a new time or in another place
 */
export async function embedImages(
  pending: readonly PendingImage[],
  options: EmbedPipelineOptions,
): Promise<ItemUpdate[]> {
  const run = new EmbedRun(options);
  const inFlight = new Set<Promise<void>>();
  let failure: { error: unknown } | null = null;
  const begin = async (batch: ReadImage[]) => {
    while (inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(inFlight);
    const work = run
      .embedBatch(batch)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => inFlight.delete(work));
    inFlight.add(work);
  };
  try {
    for await (const batch of run.readBatches(pending)) {
      await begin(batch);
      if (failure !== null) break;
      throwIfAborted(options.signal);
    }
  } finally {
    await Promise.all(inFlight);
  }
  throwIfAborted(options.signal);
  if (failure !== null) throw (failure as { error: unknown }).error;
  return run.touched;
}

class EmbedRun {
  readonly touched: ItemUpdate[] = [];
  #done = 0;
  #skipped = 0;

  /** Vanished items by their content. */
  readonly #vanished = new Map<string | null, KnownFile>();

  constructor(private readonly options: EmbedPipelineOptions) {
    for (const known of options.vanished) this.#vanished.set(known.sha256, known);
  }

  /** Images that can be embedded, in batches. Unchanged and unusable ones are recorded here. */
  async *readBatches(pending: readonly PendingImage[]): AsyncGenerator<ReadImage[]> {
    let batch: ReadImage[] = [];
    let batchBytes = 0;
    for (let start = 0; start < pending.length; start += FILES_IN_FLIGHT) {
      throwIfAborted(this.options.signal);
      const files = pending.slice(start, start + FILES_IN_FLIGHT);
      const results = await Promise.all(files.map((file) => this.#readImage(file)));
      for (const result of results.filter((image) => image !== null)) {
        batch.push(result);
        batchBytes += result.content.length;
        if (batch.length === BATCH_IMAGES || batchBytes >= BATCH_FILE_BYTES) {
          yield batch;
          batch = [];
          batchBytes = 0;
        }
      }
    }
    if (batch.length > 0) yield batch;
  }

  async #readImage(file: PendingImage): Promise<ReadImage | null> {
    const { path, key, bytes, modifiedMs, previous } = file;
    try {
      checkFileSize(file, this.options.limits);
      const content = await readFile(path).catch((error: unknown) => {
        throw fromSystemError(error, path, 'read the image');
      });
      const sha256 = createHash('sha256').update(content).digest('hex');
      const known = previous ?? this.#vanished.get(sha256);
      if (known?.sha256 === sha256) {
        this.#vanished.delete(sha256);
        this.touched.push(fileUpdate(known, file, this.options.captions));
        this.#count(1);
        return null;
      }
      const inspected = await inspectImage(content, this.options.limits);
      const image = { path, key, bytes, modifiedMs, sha256, ...factsOf(inspected), damaged: false };
      return { image, content };
    } catch (error) {
      await this.#skip([{ image: file, error }]);
      return null;
    }
  }

  async embedBatch(batch: readonly ReadImage[]): Promise<void> {
    const { embedder, journal, signal } = this.options;
    const { embeddings, failures, damaged } = await embedder.embedImages(
      batch.map(({ content }) => content),
      { signal },
    );
    const { dims } = embedder.fingerprint;
    const failed = new Set(failures.map(({ index }) => index));
    const isDamaged = new Set(damaged);
    const kept = batch.flatMap(({ image }, i) =>
      failed.has(i) ? [] : [{ i, image: { ...image, damaged: isDamaged.has(i) } }],
    );
    const rows = new Float32Array(kept.length * dims);
    kept.forEach(({ i }, row) => {
      rows.set(embeddings.subarray(i * dims, (i + 1) * dims), row * dims);
    });
    await journal.addImages(
      kept.map(({ image }) => image),
      rows,
    );
    await this.#skip(
      failures.map(({ index, error }) => {
        const { image } = batch[index] as ReadImage;
        if (error instanceof CorvidError) return { image, error };
        const details = { actual: error.message, cause: error };
        const refused = new CorvidError(
          'ERR_IMAGE_DECODE',
          'the encoder refused the image',
          details,
        );
        return { image, error: refused };
      }),
    );
    this.#count(kept.length);
  }

  /** Records images that cannot be used. An error that is not about the image is thrown. */
  async #skip(failures: { image: { path: string } & FileState; error: unknown }[]): Promise<void> {
    const files: SkippedFile[] = failures.map(({ image, error }) => {
      if (!(error instanceof CorvidError)) throw error;
      const { path, bytes, modifiedMs } = image;
      return { path, code: error.code, reason: reasonOf(error), bytes, modifiedMs };
    });
    await this.options.journal.addSkipped(files);
    this.#skipped += files.length;
    this.#count(files.length);
  }

  #count(images: number): void {
    this.#done += images;
    this.options.onImages(this.#done, this.#skipped);
  }
}

/** Refuses by size before anything is read. */
function checkFileSize({ path, bytes }: PendingImage, limits: ImageLimits): void {
  const { maxFileBytes = DEFAULT_MAX_FILE_BYTES } = limits;
  if (bytes === 0) throw new CorvidError('ERR_IMAGE_EMPTY', 'the file is empty', { path });
  if (bytes > maxFileBytes) {
    throw new CorvidError('ERR_IMAGE_TOO_LARGE', 'the file is above the size limit', {
      path,
      expected: `at most ${maxFileBytes} bytes`,
      actual: `${bytes}`,
      hint: 'raise the file-size limit',
    });
  }
}

function factsOf({ width, height, taken, latitude, longitude }: ImageInspection) {
  return { width, height, taken, latitude, longitude };
}
