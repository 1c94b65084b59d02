// Finds the files of an encoder, reads its configuration, and computes its fingerprint.
//
// A model is a folder in the layout of transformers.js: config.json, preprocessor_config.json,
// tokenizer.json, onnx/{text,vision}_model_quantized.onnx (or, without 8-bit weights,
// onnx/{text,vision}_model.onnx). It is the bundled one, a folder of the user, or a hub model that
// was downloaded once into the cache folder.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { CorvidError, fromSystemError } from '../errors.js';
import type { EncoderFingerprint } from './embedder.js';
import { describePreprocessing, type Preprocessing, parsePreprocessing } from './preprocessing.js';

/** The model that is used unless another is named. */
export const DEFAULT_MODEL = 'Xenova/clip-vit-base-patch32';
/** The small encoder that comes with corvid. */
export const BUNDLED_MODEL = 'clip-nano';

const FILES = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'onnx/text_model_quantized.onnx',
  'onnx/vision_model_quantized.onnx',
];

/** Where a model lies on this machine: transformers.js takes parent folder and name separately. */
export interface ModelPlace {
  /** Readable name, as `--model` takes it: the bundled name, a hub id, or an absolute folder. */
  model: string;
  /** Folder that holds `name`. */
  root: string;
  name: string;
  /** False for a hub model that was never downloaded. */
  present: boolean;
  fromHub: boolean;
}

export interface ModelFacts {
  /** Paths of the two networks. */
  textWeights: string;
  visionWeights: string;
  preprocessing: Preprocessing;
  fingerprint: EncoderFingerprint;
}

const here = dirname(fileURLToPath(import.meta.url));
/** dist/src/embed is three folders below the package root; the bundled model is not compiled. */
const bundledRoot = join(here, '..', '..', '..', 'src', 'embed', 'models');

/** Folder of downloaded models: in CORVID_CACHE, or else in the user's cache folder. */
export function modelCacheFolder(): string {
  const { CORVID_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const base =
    CORVID_CACHE ?? join(XDG_CACHE_HOME ?? LOCALAPPDATA ?? join(homedir(), '.cache'), 'corvid');
  return join(base, 'models');
}

/** Finds a model by name, without reading it. */
export function locateModel(model: string): ModelPlace {
  if (model === BUNDLED_MODEL && !existsSync(resolve(model, 'config.json'))) {
    return { model, root: bundledRoot, name: model, present: true, fromHub: false };
  }
  const folder = resolve(model);
  if (existsSync(join(folder, 'config.json'))) {
    const place = { model: folder, root: dirname(folder), name: basename(folder) };
    return { ...place, present: true, fromHub: false };
  }
  if (!/^[\w.-]+\/[\w.-]+$/.test(model) || existsSync(folder)) {
    throw new CorvidError('ERR_MODEL_NOT_FOUND', 'no encoder was found', {
      path: model,
      expected: `a folder with config.json and onnx/, or a hub id such as ${DEFAULT_MODEL}`,
      hint: `check the path, or use the bundled model ${BUNDLED_MODEL}`,
    });
  }
  const root = modelCacheFolder();
  const present = FILES.every((file) => existsSync(join(root, model, file)));
  return { model, root, name: model, present, fromHub: true };
}

/** The error for a hub model that is not on this machine when downloading is not allowed. */
export function notDownloaded({ model, root, name }: ModelPlace): CorvidError {
  return new CorvidError('ERR_MODEL_NOT_FOUND', 'this encoder is not on this machine', {
    path: model,
    expected: `its files in ${join(root, name)}`,
    hint:
      `name it while online to download it once (--model ${model}; allowDownload in code), ` +
      `copy its folder there, or use a model folder or the bundled model (--model ${BUNDLED_MODEL})`,
  });
}

/** Reads the small files and hashes the weights. @throws ERR_MODEL_NOT_FOUND, ERR_MODEL_INVALID */
export async function readModelFacts({ model, root, name }: ModelPlace): Promise<ModelFacts> {
  const folder = join(root, name);
  const config = (await readJson(join(folder, 'config.json'))) as {
    model_type?: string;
    projection_dim?: number;
    text_config?: { projection_dim?: number };
  };
  if (config.model_type !== 'clip') {
    throw new CorvidError('ERR_MODEL_INVALID', 'not an encoder that corvid can use', {
      path: join(folder, 'config.json'),
      expected: 'model_type "clip"',
      actual: JSON.stringify(config.model_type),
      hint: 'use a CLIP model with a text and an image tower',
    });
  }
  const dims = config.projection_dim ?? config.text_config?.projection_dim ?? 512;
  const preprocessorPath = join(folder, 'preprocessor_config.json');
  const preprocessing = parsePreprocessing(await readJson(preprocessorPath), preprocessorPath);
  const described = describePreprocessing(preprocessing);
  const textWeights = findWeights(folder, 'text');
  const visionWeights = findWeights(folder, 'vision');
  const weightsSha256 = await hashFiles([textWeights, visionWeights]);
  const id = createHash('sha256')
    .update(JSON.stringify({ weightsSha256, preprocessing: described, dims }))
    .digest('hex');
  return {
    textWeights,
    visionWeights,
    preprocessing,
    fingerprint: { id, model, dims, weightsSha256, preprocessing: described },
  };
}

/** The 8-bit weights of a tower, or the full ones if there are no 8-bit ones. */
function findWeights(folder: string, tower: 'text' | 'vision'): string {
  const small = join(folder, 'onnx', `${tower}_model_quantized.onnx`);
  const full = join(folder, 'onnx', `${tower}_model.onnx`);
  return !existsSync(small) && existsSync(full) ? full : small;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw missing(error, path);
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CorvidError('ERR_MODEL_INVALID', 'the file cannot be parsed', {
      path,
      expected: 'JSON',
      hint: 'copy or download the model again',
      cause,
    });
  }
}

async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    const { size } = await stat(path).catch((error: unknown) => {
      throw missing(error, path);
    });
    // Hashing the lengths too keeps bytes from moving between files without changing the hash.
    hash.update(`${size}\n`);
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk as Buffer);
    });
  }
  return hash.digest('hex');
}

function missing(error: unknown, path: string): CorvidError {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
    return fromSystemError(error, path, 'read the model');
  }
  return new CorvidError('ERR_MODEL_NOT_FOUND', 'a file of the encoder is missing', {
    path,
    expected: FILES.join(', '),
    hint: 'copy or download the model again',
    cause: error,
  });
}
