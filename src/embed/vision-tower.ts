// Child process that runs the image network.
import { serve } from './child.js';
import { type Network, openNetwork } from './network.js';

export interface VisionTask {
  weightsPath: string;
  threads: number;
  /** size x size RGB triples. */
  pixels: Uint8Array;
  size: number;
  mean: readonly number[];
  std: readonly number[];
}

/** Loaded for the first image, then kept: a process serves a single model. */
let network: Promise<Network> | undefined;

/** @returns the embedding of one image as the network outputs it */
async function embedPixels(task: VisionTask): Promise<Float32Array> {
  const { weightsPath, threads, size } = task;
  network ??= openNetwork(weightsPath, threads);
  const shape = [1, 3, size, size];
  const pixels = { type: 'float32', data: normalize(task), shape } as const;
  const tower = await network;
  return tower.run({ pixel_values: pixels }, 'image_embeds');
}

/** RGB bytes → planes of floats, (value / 255 − mean) / std, through one table per channel. */
function normalize({ pixels, size, mean, std }: VisionTask): Float32Array {
  const area = size * size;
  const planes = new Float32Array(3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const table = new Float32Array(256);
    for (let value = 0; value < 256; value++) {
      table[value] = (value / 255 - (mean[channel] as number)) / (std[channel] as number);
    }
    let from = channel;
    for (let to = channel * area; to < (channel + 1) * area; to++, from += 3) {
      planes[to] = table[pixels[from] as number] as number;
    }
  }
  return planes;
}

serve(embedPixels);
