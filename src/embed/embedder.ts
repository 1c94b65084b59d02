// What corvid needs of an encoder. clip.ts implements it; an application may supply its own.

/** Identifies an encoder: two with equal `id` give interchangeable embeddings. */
export interface EncoderFingerprint {
  /** Hash over model weights, preprocessing and dimensions, in hex. */
  id: string;
  /** Readable name, as `--model` takes it: a hub id or a folder. */
  model: string;
  dims: number;
  /** SHA-256 of the weight files in hex; null if unknown. */
  weightsSha256: string | null;
  /** Preprocessing in one readable line. */
  preprocessing: string;
}

/** An image: a path, or encoded bytes (JPEG, PNG, WebP, GIF, AVIF, TIFF). */
export type ImageInput = string | Uint8Array;

/** One image that an embedder could not embed. */
export interface EmbedFailure {
  /** Position in the batch. */
  index: number;
  error: Error;
}

/** What `embedImages` found: a row per image, and what was wrong with some of them. */
export interface ImageEmbeddings {
  /** images.length x dims; unit rows, zeros where an image failed. */
  embeddings: Float32Array;
  failures: EmbedFailure[];
  /** Positions of images that were embedded although their file is damaged (e.g. truncated). */
  damaged: number[];
}

/** Options of one call to an embedder. */
export interface EmbedOptions {
  signal?: AbortSignal | undefined;
}

/**
 * Turns images and texts into unit vectors of one space. Calls may overlap: implementations queue, so
 * that a caller with several calls in flight keeps decoder and network busy at the same time.
 * Nothing may block the calling thread for long. A bad image is a failure entry, not a rejection.
 */
export interface Embedder {
  readonly fingerprint: EncoderFingerprint;
  /** @returns texts.length x dims, unit rows. */
  embedTexts(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array>;
  /** @returns a row per image; a bad image is a failure in the result. */
  embedImages(images: readonly ImageInput[], options?: EmbedOptions): Promise<ImageEmbeddings>;
  /** Waits for running calls and frees the model. */
  close(): Promise<void>;
}
