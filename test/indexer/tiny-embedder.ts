// An app's own encoder for tests that need many images embedded fast: the picture's colours on a
// grid of 6 x 6, as 108 numbers. Real decoding, the same for the same bytes, no model to load.
import sharp from 'sharp';
import type {
  Embedder,
  EmbedOptions,
  ImageEmbeddings,
  ImageInput,
} from '../../src/embed/embedder.js';
import { CorvidError, throwIfAborted } from '../../src/errors.js';

const GRID = 6;
const DIMS = GRID * GRID * 3;

export class TinyEmbedder implements Embedder {
  readonly fingerprint;
  /** Images embedded so far. */
  images = 0;

  /** @param delayMs added to each batch, so that a build can be interrupted half-way */
  constructor(
    name = 'tiny',
    private readonly delayMs = 0,
  ) {
    this.fingerprint = {
      id: `tiny-${name}`,
      model: name,
      dims: DIMS,
      weightsSha256: null,
      preprocessing: `${GRID} x ${GRID} colours`,
    };
  }

  async embedTexts(texts: readonly string[]): Promise<Float32Array> {
    return new Float32Array(texts.length * DIMS).fill(1 / Math.sqrt(DIMS));
  }

  async embedImages(
    images: readonly ImageInput[],
    { signal }: EmbedOptions = {},
  ): Promise<ImageEmbeddings> {
    const embeddings = new Float32Array(images.length * DIMS);
    const failures: ImageEmbeddings['failures'] = [];
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    throwIfAborted(signal);
    for (const [index, image] of images.entries()) {
      try {
        embeddings.set(await embedOne(image), index * DIMS);
        this.images++;
      } catch (cause) {
        const error = new CorvidError('ERR_IMAGE_DECODE', 'the image is damaged', { cause });
        failures.push({ index, error });
      }
    }
    return { embeddings, failures, damaged: [] };
  }

  async close(): Promise<void> {}
}

async function embedOne(image: ImageInput): Promise<Float32Array> {
  const pixels = await sharp(image)
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .resize(GRID, GRID, { fit: 'fill' })
    .raw()
    .toBuffer();
  const numbers = Float32Array.from(pixels.subarray(0, DIMS), (value) => value / 255 - 0.45);
  const norm = Math.hypot(...numbers);
  return numbers.map((value) => value / norm);
}
