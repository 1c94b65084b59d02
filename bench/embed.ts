// bench embed: time to embed an image, against bare onnxruntime with the same network and cores.
//
// usage: npm run bench -- embed [--model clip-nano] [--images <folder>] [--count 96] [--rounds 7]
//          [--threads n] [--json] [--record]
//
// Four things are timed in turn, round after round, so that other load on the machine affects all of
// them equally: bare onnxruntime (default options, batches of 8, pixels ready), corvid's networks with
// pixels ready, corvid's decoding alone, and corvid from files to embeddings.
import { readdirSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ChildPool } from '../src/embed/child-pool.js';
import { openClip } from '../src/embed/clip.js';
import { decodeImage, readImage } from '../src/embed/decode.js';
import { locateModel, type ModelFacts, readModelFacts } from '../src/embed/model-files.js';
import { Semaphore } from '../src/embed/semaphore.js';
import type { VisionTask } from '../src/embed/vision-tower.js';
import { CorvidError } from '../src/errors.js';
import type { BareTask } from './embed-bare.js';
import { describeMachine, machineLine, writeRecord } from './machine.js';

export const describe = 'time to embed an image, against bare onnxruntime';

const here = dirname(fileURLToPath(import.meta.url));
const PICTURES = join(here, '..', '..', 'test', 'fixtures', 'pictures');
const EMBED = join(here, '..', 'src', 'embed');
const BARE_BATCH = 8;
const DECODES_IN_FLIGHT = 6;

/** Milliseconds per image, one number per round. */
interface Rounds {
  bare: number[];
  networks: number[];
  decoding: number[];
  endToEnd: number[];
}

/** One way to embed, or one stage of it. @returns milliseconds per image */
type Contender = () => Promise<number>;

interface EmbedSettings {
  model: string;
  files: string[];
  threads: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string', default: 'clip-nano' },
      images: { type: 'string', default: PICTURES },
      count: { type: 'string', default: '96' },
      rounds: { type: 'string', default: '7' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      record: { type: 'boolean', default: false },
    },
  });
  const { model } = values;
  const threads = Number(values.threads);
  const files = listImages(values.images, Number(values.count));
  const rounds = await measure({ model, files, threads }, Number(values.rounds));
  const result = {
    model,
    images: files.length,
    threads,
    ...summary(rounds),
    loadAverage: loadavg(),
  };
  if (values.record) writeRecord('embed', args, result);
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : table(result));
}

/** `count` pictures of a folder, evenly spaced over its sorted names. */
function listImages(folder: string, count: number): string[] {
  const all = readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => /\.(jpe?g|png|webp)$/i.test(path))
    .sort();
  if (all.length === 0) throw new CorvidError('ERR_SOURCE_EMPTY', 'no pictures', { path: folder });
  const step = Math.max(1, all.length / count);
  return Array.from(
    { length: Math.min(count, all.length) },
    (_, i) => all[Math.floor(i * step)] as string,
  );
}

async function measure(settings: EmbedSettings, roundCount: number): Promise<Rounds> {
  const facts = await readModelFacts(locateModel(settings.model));
  const { files, threads } = settings;
  const bare = new ChildPool(join(here, 'embed-bare.js'), 1);
  const networks = new ChildPool(join(EMBED, 'vision-tower.js'), Math.min(threads, 4));
  const clip = await openClip(settings.model, { threads });
  const decoded = await decodeAll(files, facts);
  const task: BareTask = {
    weightsPath: facts.visionWeights,
    size: facts.preprocessing.size,
    batch: BARE_BATCH,
    runs: Math.ceil(files.length / BARE_BATCH),
  };
  const contenders: Record<keyof Rounds, Contender> = {
    bare: () => bare.run<number>(task),
    networks: () => timed(files, () => runNetworks(networks, decoded, facts)),
    decoding: () => timed(files, () => decodeAll(files, facts)),
    endToEnd: () => timed(files, () => clip.embedImages(files)),
  };
  const rounds: Rounds = { bare: [], networks: [], decoding: [], endToEnd: [] };
  // The first round loads the models and is not counted.
  for (let round = 0; round <= roundCount; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const ms = await contender();
      if (round > 0) rounds[name as keyof Rounds].push(ms);
    }
    process.stderr.write(`round ${round} of ${roundCount}\n`);
  }
  await Promise.all([bare.close(), networks.close(), clip.close()]);
  return rounds;
}

async function timed(files: readonly string[], work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / files.length;
}

function decodeAll(files: readonly string[], { preprocessing }: ModelFacts) {
  const semaphore = new Semaphore(DECODES_IN_FLIGHT);
  const decode = async (file: string) =>
    (await decodeImage(await readImage(file), preprocessing)).pixels;
  return Promise.all(files.map((file) => semaphore.run(() => decode(file))));
}

function runNetworks(pool: ChildPool, images: readonly Uint8Array[], facts: ModelFacts) {
  const { size, mean, std } = facts.preprocessing;
  const { visionWeights: weightsPath } = facts;
  const task = (pixels: Uint8Array): VisionTask => {
    return { weightsPath, threads: 1, pixels, size, mean, std };
  };
  return Promise.all(images.map((pixels) => pool.run(task(pixels))));
}

function summary(rounds: Rounds) {
  const ratios = (name: keyof Rounds) =>
    rounds[name].map((ms, round) => ms / (rounds.bare[round] as number));
  const msPerImage = (name: keyof Rounds) => {
    return { best: Math.min(...rounds[name]), median: median(rounds[name]) };
  };
  return {
    msPerImage: {
      bare: msPerImage('bare'),
      networks: msPerImage('networks'),
      decoding: msPerImage('decoding'),
      endToEnd: msPerImage('endToEnd'),
    },
    /** Median over the rounds of the ratio to bare onnxruntime's time in the same round. */
    overBare: { networks: median(ratios('networks')), endToEnd: median(ratios('endToEnd')) },
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

type Result = ReturnType<typeof summary> & { model: string; images: number; threads: number };

function table({ msPerImage, overBare, model, images, threads }: Result): string {
  const line = (name: string, { best, median }: { best: number; median: number }) =>
    `  ${name.padEnd(38)}${best.toFixed(2).padStart(8)}${median.toFixed(2).padStart(8)}\n`;
  return (
    `${machineLine(describeMachine())}\n${model}, ${images} images, ${threads} threads\n` +
    `  ${'ms per image'.padEnd(38)}${'best'.padStart(8)}${'median'.padStart(8)}\n` +
    line('bare onnxruntime, batches of 8', msPerImage.bare) +
    line('corvid, networks alone', msPerImage.networks) +
    line('corvid, decoding alone', msPerImage.decoding) +
    line('corvid, from files to embeddings', msPerImage.endToEnd) +
    `  over bare onnxruntime: networks ${overBare.networks.toFixed(2)}, ` +
    `from files ${overBare.endToEnd.toFixed(2)}\n`
  );
}
