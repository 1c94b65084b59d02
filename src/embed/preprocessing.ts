// How a model expects its images, read from its preprocessor_config.json.
import { CorvidError } from '../errors.js';

export interface Preprocessing {
  /** `cover`: the shorter edge becomes `resize`, then a centre crop; `fill`: squeezed to `size`. */
  fit: 'cover' | 'fill';
  /** Pixels of the shorter edge before the crop; equals `size` for `fill`. */
  resize: number;
  /** Side in pixels of the square that the network sees. */
  size: number;
  kernel: 'lanczos3' | 'cubic' | 'linear' | 'nearest';
  /** (value / 255 − mean) / std, for red, green, blue. */
  mean: [number, number, number];
  std: [number, number, number];
}

// The filter numbers of the Python Imaging Library.
const KERNELS: Record<number, Preprocessing['kernel']> = {
  0: 'nearest',
  1: 'lanczos3',
  2: 'linear',
  3: 'cubic',
};

interface Config {
  do_resize?: boolean;
  do_center_crop?: boolean;
  do_normalize?: boolean;
  size?: number | { shortest_edge?: number; height?: number; width?: number };
  crop_size?: number | { height?: number; width?: number };
  resample?: number;
  image_mean?: number[];
  image_std?: number[];
}

/** @throws CorvidError ERR_MODEL_INVALID if the file asks for something unsupported. */
export function parsePreprocessing(json: unknown, path: string): Preprocessing {
  const config = (json ?? {}) as Config;
  const { size, crop_size: crop } = config;
  const square = typeof size === 'object' ? size.height : undefined;
  // A bare number is the shorter edge, as in CLIP's first configurations.
  const shortest = typeof size === 'object' ? size.shortest_edge : size;
  const cropped = typeof crop === 'object' ? crop.height : crop;
  const side = config.do_center_crop === false ? (square ?? shortest) : (cropped ?? square);
  const resize = square ?? shortest;
  const kernel = KERNELS[config.resample ?? 3];
  const numbers = [side, resize].every((value) => Number.isInteger(value) && Number(value) > 0);
  if (!numbers || kernel === undefined || Number(side) > Number(resize)) {
    throw new CorvidError('ERR_MODEL_INVALID', 'this preprocessing is not supported', {
      path,
      expected: 'a size, a crop no larger than it, and a resampling filter from 0 to 3',
      actual: JSON.stringify({ size, crop_size: crop, resample: config.resample }),
    });
  }
  const plain = config.do_normalize === false;
  return {
    fit: square !== undefined && shortest === undefined ? 'fill' : 'cover',
    resize: Number(resize),
    size: Number(side),
    kernel,
    mean: plain ? [0, 0, 0] : triple(config.image_mean, 'image_mean', path),
    std: plain ? [1, 1, 1] : triple(config.image_std, 'image_std', path),
  };
}

/** Everything that changes an embedding, in one line: part of the encoder's fingerprint. */
export function describePreprocessing(p: Preprocessing): string {
  const shape =
    p.fit === 'fill'
      ? `squeezed to ${p.size} x ${p.size}`
      : `shorter edge ${p.resize}, centre crop ${p.size}`;
  return (
    `upright, sRGB, on white, ${shape}, ${p.kernel}, ` +
    `mean ${p.mean.join(' ')}, std ${p.std.join(' ')}`
  );
}

function triple(value: unknown, name: string, path: string): [number, number, number] {
  const fine = Array.isArray(value) && value.length === 3 && value.every(Number.isFinite);
  if (fine) return value as [number, number, number];
  throw new CorvidError('ERR_MODEL_INVALID', `${name} is not valid`, {
    path,
    expected: 'three numbers',
    actual: JSON.stringify(value),
  });
}
