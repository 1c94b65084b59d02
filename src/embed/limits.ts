// Limits on the images that are decoded, checked against the header before any pixel is read.

/** Limits on the images that are decoded. */
export interface ImageLimits {
  /** Images with more pixels (width x height) are refused. Default 200 million. */
  maxPixels?: number | undefined;
  /** Larger encoded files are refused. Default 256 MiB. */
  maxFileBytes?: number | undefined;
}

export const DEFAULT_MAX_PIXELS = 200_000_000;
export const DEFAULT_MAX_FILE_BYTES = 256 * 1024 * 1024;

/** An image with a shorter side than this has no useful embedding. */
export const MIN_SIDE_PIXELS = 16;

/**
 * Images above this are decoded one at a time: a progressive JPEG or an interlaced PNG is held in
 * memory as a whole, at about three bytes per pixel, however small its file is.
 */
export const LARGE_IMAGE_PIXELS = 50_000_000;
