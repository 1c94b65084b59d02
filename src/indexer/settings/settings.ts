// The options of a build, checked and with every default filled in. Defaults stand here alone.
import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { checkInteger, checkNames, type OptionNames, usageError } from '../../option-checks.js';
import type { BuildOptions, VectorStream, VectorsOption, VectorTable } from './options.js';

export interface BuildSettings extends BuildOptions {
  remove: readonly string[];
  paths: string[];
  streams: VectorStream[];
  tables: VectorTable[];
  vectors: VectorsOption;
  dryRun: boolean;
  memoryBytes: number;
  threads: number;
  seed: number;
}

const BUILD_OPTIONS: OptionNames<BuildOptions> = {
  sources: true,
  remove: true,
  out: true,
  model: true,
  embedder: true,
  vectors: true,
  levels: true,
  ignore: true,
  metadata: true,
  dryRun: true,
  memoryBytes: true,
  threads: true,
  seed: true,
  lists: true,
  groups: true,
  maxPixels: true,
  maxFileBytes: true,
  signal: true,
  onProgress: true,
};

const MIB = 1024 * 1024;
const MIN_MEMORY_BYTES = 64 * MIB;
const LEVELS = [64, 128, 256, 512];

/** Checks `options` and fills in defaults. @throws ERR_USAGE */
export function resolveOptions(options: BuildOptions): BuildSettings {
  checkNames(options, BUILD_OPTIONS);
  if (typeof options.out !== 'string' || options.out === '') {
    throw usageError('out', 'the folder of the index is missing', 'a path such as photos.corvid');
  }
  const remove = options.remove ?? [];
  if (!Array.isArray(remove) || remove.some((path) => typeof path !== 'string' || path === '')) {
    throw usageError('remove', 'not a list of paths', 'folders, files or names');
  }
  if (!Array.isArray(options.sources) || options.sources.length + remove.length === 0) {
    throw usageError('sources', 'there are no sources', 'at least one folder, file or stream');
  }
  const paths = options.sources.filter((source) => typeof source === 'string');
  const given = options.sources.filter((source) => typeof source !== 'string');
  for (const source of given) checkStreamOrTable(source);
  if (new Set(given.map(({ name }) => name)).size !== given.length) {
    throw usageError('sources', 'two streams have the same name', 'a different name for each');
  }
  if (options.model !== undefined && options.embedder !== undefined) {
    throw usageError('model', 'both a model and an embedder are given', 'one of them');
  }
  if (!['auto', 'int8', 'none', undefined].includes(options.vectors)) {
    throw usageError('vectors', 'no such choice', 'auto, int8 or none', String(options.vectors));
  }
  checkLevels(options.levels);
  for (const name of ['threads', 'lists', 'groups', 'maxPixels', 'maxFileBytes'] as const) {
    checkInteger(name, options[name], 1);
  }
  checkInteger('seed', options.seed, 0);
  checkInteger('memoryBytes', options.memoryBytes, MIN_MEMORY_BYTES);
  return {
    ...options,
    out: resolve(options.out),
    remove,
    paths,
    streams: given.filter((source) => 'batches' in source),
    tables: given.filter((source) => 'read' in source),
    vectors: options.vectors ?? 'auto',
    dryRun: options.dryRun ?? false,
    memoryBytes: options.memoryBytes ?? Math.max(Math.floor(totalmem() / 4), MIN_MEMORY_BYTES),
    threads: options.threads ?? availableParallelism(),
    seed: options.seed ?? 1,
  };
}

function checkStreamOrTable(source: VectorStream | VectorTable): void {
  const { name, batches, read } = (source ?? {}) as Partial<VectorStream & VectorTable>;
  const isStream = batches?.[Symbol.asyncIterator] !== undefined;
  if (typeof name !== 'string' || name === '' || isStream === (typeof read === 'function')) {
    const expected = '{ name, dims, batches } or { name, dims, rows, read }';
    throw usageError('sources', 'neither a path nor a stream or table', expected);
  }
  checkInteger('dims', source.dims, 1);
  if ('rows' in source) checkInteger('rows', source.rows, 0);
}

function checkLevels(levels: readonly number[] | undefined): void {
  const isPrefix = levels?.every((bits, i) => bits === LEVELS[i]) ?? true;
  if (isPrefix && levels?.length !== 0) return;
  const expected = '64, then 128, 256, 512 in order';
  throw usageError('levels', 'the levels are not nested', expected, `${levels}`);
}
