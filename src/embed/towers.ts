// The two networks of a model, in the worker thread that runs them: the default export is the
// function that the pool calls. The only file that knows @xenova/transformers.
//
// Each tower is loaded when it is first needed, once: searching by words never loads the image
// tower. The network runs on its own threads, and blocks this one, which is why it is not the
// caller's.
import type { PreTrainedModel, PreTrainedTokenizer } from '@xenova/transformers';
import { move } from 'piscina';

/** What the worker is asked. */
export type TowerTask = { place: TowerPlace } & (
  | { kind: 'load'; download: boolean }
  | { kind: 'texts'; texts: readonly string[] }
  | {
      kind: 'pixels';
      images: number;
      size: number;
      pixels: Uint8Array;
      mean: number[];
      std: number[];
    }
);

export interface TowerPlace {
  root: string;
  name: string;
}

/** Images in one run of the network: larger ones gain nothing on a processor, and cost memory. */
const IMAGES_PER_RUN = 8;

/** Imported by the first task, so that a library that cannot be loaded fails that task alone. */
const library = () => import('@xenova/transformers');

let tokenizer: Promise<PreTrainedTokenizer> | undefined;
let textTower: Promise<PreTrainedModel> | undefined;
let visionTower: Promise<PreTrainedModel> | undefined;

export default async function run(task: TowerTask): Promise<Float32Array | null> {
  const { place } = task;
  await configure(place, task.kind === 'load' && task.download);
  switch (task.kind) {
    case 'load':
      // The processor is wanted for its file alone: decode.ts does its work.
      await Promise.all([
        (await library()).AutoProcessor.from_pretrained(place.name),
        tokenizerOf(place),
        textTowerOf(place),
        visionTowerOf(place),
      ]);
      return null;
    case 'texts':
      return handOver(await embedTexts(place, task.texts));
    case 'pixels':
      return handOver(await embedPixels(place, task));
  }
}

/** Everything comes from `place`; only a download may look elsewhere, and keeps what it gets. */
async function configure({ root }: TowerPlace, download: boolean): Promise<void> {
  const { env } = await library();
  env.localModelPath = root;
  env.cacheDir = root;
  env.allowLocalModels = true;
  env.allowRemoteModels = download;
  const mirror = process.env.HF_ENDPOINT;
  if (download && mirror) env.remoteHost = mirror.endsWith('/') ? mirror : `${mirror}/`;
}

function tokenizerOf({ name }: TowerPlace): Promise<PreTrainedTokenizer> {
  tokenizer ??= library().then(({ AutoTokenizer }) => AutoTokenizer.from_pretrained(name));
  return tokenizer;
}
function textTowerOf({ name }: TowerPlace): Promise<PreTrainedModel> {
  textTower ??= library().then((m) => m.CLIPTextModelWithProjection.from_pretrained(name));
  return textTower;
}
function visionTowerOf({ name }: TowerPlace): Promise<PreTrainedModel> {
  visionTower ??= library().then((m) => m.CLIPVisionModelWithProjection.from_pretrained(name));
  return visionTower;
}

/** @returns texts.length x dims, as the network gives them */
async function embedTexts(place: TowerPlace, texts: readonly string[]): Promise<Float32Array> {
  const [tokenize, network] = await Promise.all([tokenizerOf(place), textTowerOf(place)]);
  const inputs = await tokenize([...texts], { padding: true, truncation: true });
  const { text_embeds: output } = await network(inputs);
  return output.data as Float32Array;
}

/** @returns images x dims, as the network gives them */
async function embedPixels(
  place: TowerPlace,
  { images, size, pixels, mean, std }: Extract<TowerTask, { kind: 'pixels' }>,
): Promise<Float32Array> {
  const [network, { Tensor }] = await Promise.all([visionTowerOf(place), library()]);
  const imageLength = 3 * size * size;
  let all: Float32Array | undefined;
  for (let first = 0; first < images; first += IMAGES_PER_RUN) {
    const count = Math.min(IMAGES_PER_RUN, images - first);
    const part = pixels.subarray(first * imageLength, (first + count) * imageLength);
    const input = new Tensor('float32', normalise(part, count, size, mean, std), [
      count,
      3,
      size,
      size,
    ]);
    const { image_embeds: output } = await network({ pixel_values: input });
    const embeddings = output.data as Float32Array;
    all ??= new Float32Array((embeddings.length / count) * images);
    all.set(embeddings, (embeddings.length / count) * first);
  }
  return all ?? new Float32Array(0);
}

/** RGB triples of bytes → planes of floats, (value / 255 − mean) / std by a table a channel. */
function normalise(
  pixels: Uint8Array,
  images: number,
  size: number,
  mean: readonly number[],
  std: readonly number[],
): Float32Array {
  const area = size * size;
  const planes = new Float32Array(images * 3 * area);
  for (let channel = 0; channel < 3; channel++) {
    const table = new Float32Array(256);
    for (let value = 0; value < 256; value++) {
      table[value] = (value / 255 - (mean[channel] as number)) / (std[channel] as number);
    }
    for (let image = 0; image < images; image++) {
      let from = image * 3 * area + channel;
      const to = (image * 3 + channel) * area;
      for (let at = 0; at < area; at++, from += 3) {
        planes[to + at] = table[pixels[from] as number] as number;
      }
    }
  }
  return planes;
}

/** The network's memory is its own: what leaves the thread is a copy, moved. */
function handOver(output: Float32Array): Float32Array {
  return move(output.slice()) as Float32Array;
}
