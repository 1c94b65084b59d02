// Which images are worth decoding: checked against the header, before any pixel is touched.

export interface ImageLimits {
  /** Width times height, above which an image is refused. Default 200 million. */
  maxPixels?: number | undefined;
  /** Size of the encoded file. Default 256 MiB. */
  maxFileBytes?: number | undefined;
}

export const DEFAULT_MAX_PIXELS = 200_000_000;
export const DEFAULT_MAX_FILE_BYTES = 256 * 1024 * 1024;

/** An image with a shorter side than this means nothing to an encoder. */
export const MIN_SIDE_PIXELS = 16;

/**
 * Above this, pictures are decoded one at a time: a progressive JPEG or an interlaced PNG is held
 * whole, about three bytes a pixel, however small its file is.
 */
export const LARGE_IMAGE_PIXELS = 50_000_000;
