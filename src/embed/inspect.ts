// Reads image headers and decides whether an image may be decoded.
//
// Nothing here decodes pixels, so a file that claims to be enormous takes no memory.
import ExifReader from 'exifreader';
import sharp from 'sharp';
import { CorvidError } from '../errors.js';
import {
  DEFAULT_MAX_FILE_BYTES,
  DEFAULT_MAX_PIXELS,
  type ImageLimits,
  MIN_SIDE_PIXELS,
} from './limits.js';

export interface ImageInspection {
  /** jpeg, png, webp, gif, tiff or heif (AVIF). */
  format: string;
  /** Pixels, after the EXIF orientation is applied; of the first frame. */
  width: number;
  height: number;
  /** Capture time as the camera wrote it, 'YYYY-MM-DD HH:MM:SS', local to the camera. */
  taken: string | null;
  /** Degrees, north and east positive. */
  latitude: number | null;
  longitude: number | null;
}

const SUPPORTED = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']);
const SUPPORTED_TEXT = 'a JPEG, PNG, WebP, GIF, AVIF or TIFF image';

/**
 * Reads the header of an encoded image.
 * @param content the whole file; not kept
 * @throws CorvidError ERR_IMAGE_EMPTY, ERR_IMAGE_FORMAT, ERR_IMAGE_TOO_LARGE, ERR_IMAGE_TOO_SMALL
 */
export async function inspectImage(
  content: Uint8Array,
  limits: ImageLimits = {},
): Promise<ImageInspection> {
  const { format, width, height, hasExif } = await checkImage(content, limits);
  return { format, width, height, ...(hasExif ? cameraFacts(content) : NO_FACTS) };
}

/**
 * Checks that an image may be decoded: inspectImage without the EXIF facts.
 * @returns width and height of the upright first frame, in pixels
 */
export async function checkImage(content: Uint8Array, limits: ImageLimits) {
  checkBytes(content, limits);
  const header = await readHeader(content);
  const turned = (header.orientation ?? 1) >= 5;
  const frameHeight = header.pageHeight ?? header.height;
  const [width, height] = turned ? [frameHeight, header.width] : [header.width, frameHeight];
  checkPixels(width, height, limits);
  return { format: header.format, width, height, hasExif: header.exif !== undefined };
}

function checkBytes(content: Uint8Array, { maxFileBytes = DEFAULT_MAX_FILE_BYTES }: ImageLimits) {
  if (content.length === 0) throw new CorvidError('ERR_IMAGE_EMPTY', 'the file is empty');
  if (content.length > maxFileBytes) {
    throw new CorvidError('ERR_IMAGE_TOO_LARGE', 'the file is above the size limit', {
      expected: `at most ${maxFileBytes} bytes`,
      actual: `${content.length}`,
      hint: 'raise the file-size limit',
    });
  }
}

function checkPixels(
  width: number,
  height: number,
  { maxPixels = DEFAULT_MAX_PIXELS }: ImageLimits,
) {
  if (width * height > maxPixels) {
    throw new CorvidError('ERR_IMAGE_TOO_LARGE', 'the image is above the pixel limit', {
      expected: `at most ${maxPixels} pixels`,
      actual: `${width} x ${height} = ${width * height}`,
      hint: 'raise the pixel limit',
    });
  }
  if (Math.min(width, height) < MIN_SIDE_PIXELS) {
    throw new CorvidError('ERR_IMAGE_TOO_SMALL', 'the image is too small to embed', {
      expected: `at least ${MIN_SIDE_PIXELS} x ${MIN_SIDE_PIXELS} pixels`,
      actual: `${width} x ${height}`,
    });
  }
}

async function readHeader(content: Uint8Array) {
  refuseHeic(content);
  const header = await sharp(content, { limitInputPixels: false })
    .metadata()
    .catch((cause: unknown) => {
      throw new CorvidError('ERR_IMAGE_FORMAT', 'not an image', {
        expected: SUPPORTED_TEXT,
        actual: describeStart(content),
        cause,
      });
    });
  const { format, width, height, compression } = header;
  if (format === 'heif' && compression !== 'av1') throw heicRefused(compression ?? 'unknown');
  if (format === undefined || !SUPPORTED.has(format) || !width || !height) {
    throw new CorvidError('ERR_IMAGE_FORMAT', 'this image format is not supported', {
      expected: SUPPORTED_TEXT,
      actual: format ?? 'an unknown format',
      hint: 'convert it to one of these',
    });
  }
  return { ...header, format, width, height };
}

/** HEIC contains HEVC, which the image library cannot decode (patents); AVIF is supported. */
function refuseHeic(content: Uint8Array): void {
  if (ascii(content, 4, 8) !== 'ftyp') return;
  const brand = ascii(content, 8, 12);
  if (/^(hei[cxms]|hev[cxms])$/.test(brand)) throw heicRefused(brand);
}

function heicRefused(kind: string): CorvidError {
  return new CorvidError('ERR_IMAGE_FORMAT', 'HEIC images are not supported', {
    expected: SUPPORTED_TEXT,
    actual: `HEIC (${kind})`,
    hint: 'convert it to JPEG, for example with heif-convert',
  });
}

function ascii(content: Uint8Array, start: number, end: number): string {
  return Buffer.from(content.buffer, content.byteOffset, content.length).toString(
    'latin1',
    start,
    end,
  );
}

function describeStart(content: Uint8Array): string {
  const start = ascii(content, 0, 12);
  return /^[\x20-\x7e\s]+$/.test(start)
    ? `text that begins "${start.trim()}"`
    : `bytes ${Buffer.from(content.subarray(0, 8)).toString('hex')}`;
}

type CameraFacts = Pick<ImageInspection, 'taken' | 'latitude' | 'longitude'>;
const NO_FACTS: CameraFacts = { taken: null, latitude: null, longitude: null };

/** Facts from EXIF. Invalid EXIF data does not make the image invalid. */
function cameraFacts(content: Uint8Array): CameraFacts {
  const tags = readTags(content);
  if (tags === null) return NO_FACTS;
  const { exif = {}, gps } = tags;
  const time = exif.DateTimeOriginal ?? exif.DateTimeDigitized ?? exif.DateTime;
  return {
    taken: isoTime(time?.description),
    latitude: degrees(gps?.Latitude, 90),
    longitude: degrees(gps?.Longitude, 180),
  };
}

function readTags(content: Uint8Array): ExifReader.ExpandedTags | null {
  try {
    return ExifReader.load(Buffer.from(content), { expanded: true });
  } catch {
    // EXIF that cannot be parsed counts as absent; decoding decides whether the image is valid.
    return null;
  }
}

/** EXIF's 'YYYY:MM:DD HH:MM:SS' → 'YYYY-MM-DD HH:MM:SS'; null if that is not a date. */
function isoTime(text: unknown): string | null {
  const parts = /^(\d{4}):(\d{2}):(\d{2}) (\d{2}:\d{2}:\d{2})/.exec(String(text));
  if (parts === null) return null;
  const [, year, month, day, time] = parts;
  const iso = `${year}-${month}-${day}`;
  return Number.isNaN(Date.parse(`${iso}T${time}Z`)) ? null : `${iso} ${time}`;
}

function degrees(value: number | undefined, limit: number): number | null {
  return value !== undefined && Math.abs(value) <= limit ? value : null;
}
