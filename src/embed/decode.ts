// Encoded image → the pixels that the network sees; and thumbnails.
//
// Images are rotated by their EXIF orientation, converted to sRGB, and flattened on white where they
// are transparent; only the first frame is used. The decoder shrinks while it decodes.
import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { CorvidError, fromSystemError } from '../errors.js';
import type { ImageInput } from './embedder.js';
import { checkImage } from './inspect.js';
import { type ImageLimits, LARGE_IMAGE_PIXELS } from './limits.js';
import type { Preprocessing } from './preprocessing.js';
import { Semaphore } from './semaphore.js';

export interface DecodedImage {
  /** size x size x 3, rows of RGB triples, 0..255; owned by the caller. */
  pixels: Uint8Array;
  /** True if part of the file was missing or broken and the rest was used. */
  damaged: boolean;
}

// The operation cache of the image library would keep whole decoded images (hundreds of megabytes for
// each large progressive JPEG, uncounted) for a second use that never comes.
sharp.cache(false);

const WHITE = { r: 255, g: 255, b: 255 };

/** One large image at a time in the whole process: this bounds the memory of decoding. */
const largeImages = new Semaphore(1);

/** The encoded bytes of an image. @throws CorvidError ERR_NOT_FOUND, ERR_PERMISSION, ERR_IO */
export async function readImage(image: ImageInput): Promise<Uint8Array> {
  if (typeof image !== 'string') return image;
  return readFile(image).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') {
      throw new CorvidError('ERR_USAGE', 'a folder is not an image', {
        path: image,
        hint: 'name one of the files in it',
      });
    }
    throw fromSystemError(error, image, 'read the image');
  });
}

/**
 * Decodes an image as the model needs it. Of a truncated file, uses what can be decoded.
 * @throws CorvidError ERR_IMAGE_* of checkImage, and ERR_IMAGE_DECODE
 */
export async function decodeImage(
  content: Uint8Array,
  preprocessing: Preprocessing,
  limits: ImageLimits = {},
): Promise<DecodedImage> {
  const { fit, resize, size, kernel } = preprocessing;
  const { result: pixels, damaged } = await tolerantly(content, limits, async (image) => {
    const sized = image.resize({ width: resize, height: resize, fit, kernel });
    const inset = Math.floor((resize - size) / 2);
    const cropped =
      inset === 0 ? sized : sized.extract({ left: inset, top: inset, width: size, height: size });
    const { data, info } = await cropped.raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 3 || info.width !== size || info.height !== size) {
      throw new Error(`decoded to ${info.width} x ${info.height} x ${info.channels}`);
    }
    return data;
  });
  if (damaged && isBlank(pixels)) throw undecodable();
  return { pixels, damaged };
}

/**
 * A small upright JPEG of an image.
 * @param side pixels of the longer edge
 * @throws as readImage and decodeImage do
 */
export async function thumbnail(image: ImageInput, side: number): Promise<Uint8Array> {
  const content = await readImage(image);
  const { result } = await tolerantly(content, {}, (picture) =>
    picture
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 80, mozjpeg: true })
      .toBuffer(),
  );
  return result;
}

/** Decodes an image within the limits: strictly first; if that fails, again with errors ignored. */
async function tolerantly<T>(
  content: Uint8Array,
  limits: ImageLimits,
  work: (image: Sharp) => Promise<T>,
): Promise<{ result: T; damaged: boolean }> {
  const { width, height } = await checkImage(content, limits);
  const decode = async () => {
    try {
      return { result: await work(upright(content, 'error')), damaged: false };
    } catch (strict) {
      try {
        return { result: await work(upright(content, 'none')), damaged: true };
      } catch (cause) {
        throw undecodable(String((strict as Error).message).split('\n')[0], cause);
      }
    }
  };
  return width * height > LARGE_IMAGE_PIXELS ? largeImages.run(decode) : decode();
}

/** A decoder that found no data fills all but a few pixels with one colour. */
function isBlank(pixels: Uint8Array): boolean {
  const middle = 3 * Math.floor(pixels.length / 6);
  let unlike = 0;
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] !== pixels[middle + (i % 3)]) unlike++;
  }
  return unlike < pixels.length / 100;
}

function undecodable(actual = 'no pixels', cause?: unknown): CorvidError {
  return new CorvidError('ERR_IMAGE_DECODE', 'the image is damaged beyond decoding', {
    actual,
    cause,
  });
}

function upright(content: Uint8Array, failOn: 'error' | 'none'): Sharp {
  // checkImage has already checked the size against the caller's limit.
  return sharp(content, { failOn, limitInputPixels: false })
    .rotate()
    .toColourspace('srgb')
    .flatten({ background: WHITE });
}
