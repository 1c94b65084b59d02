// What a build is asked, what it reports while it runs, and what it says at the end.
//
// Defaults stand here and nowhere else.
import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { Embedder } from '../embed/embedder.js';
import { CorvidError } from '../errors.js';
import type { ItemFields, RawVectors } from '../formats/vector-source.js';
import type { CodecInfo } from '../native/addon.js';
import { checkNames, type OptionNames } from '../option-names.js';
import type { BuildEstimate } from './plan/estimate.js';

/** Vectors of an app's own, given batch by batch. */
export interface VectorStream {
  /** Names the stream: a later build with a stream of the same name replaces its vectors. */
  name: string;
  dims: number;
  /** Each batch holds whole vectors: float32, half floats as Uint16Array, or int8. */
  batches: AsyncIterable<VectorBatch>;
}

/** Vectors of an app's own that can be read by position, any number of times: they are not copied
 * to the disk, whatever their number. */
export interface VectorTable {
  /** Names the table: a later build with a table of the same name replaces its vectors, unless
   * `rows` and `modifiedMs` are the same. */
  name: string;
  dims: number;
  rows: number;
  /** When the vectors were last changed, milliseconds since 1970. Default 0. */
  modifiedMs?: number | undefined;
  /** `rows` vectors from `firstRow` on, always the same: float32, half floats as Uint16Array, or
   * int8. What is returned becomes the build's. */
  read(firstRow: number, rows: number): RawVectors | Promise<RawVectors>;
}

/** Some rows of a stream of vectors. */
export interface VectorBatch {
  /** rows x dims; any length but zero, scaled to unit length. */
  vectors: RawVectors;
  /** One entry a row, or none at all. */
  items?: readonly ItemFields[];
}

/** Whether int8 vectors are kept beside the codes, for nearly exact scores. */
export type VectorsOption = 'auto' | 'int8' | 'none';

/** Options of `buildIndex`. */
export interface BuildOptions {
  /** Folders and files of images, or of vectors, or streams or tables of vectors; never mixed. Empty
   * only where something is removed. */
  sources: readonly (string | VectorStream | VectorTable)[];
  /** Folders and files (or names of streams and tables) whose items leave the index; what lies there
   * now does not matter. */
  remove?: readonly string[] | undefined;
  /** Folder of the index, made if there is none; extended if there is one. */
  out: string;
  /** Encoder of images: a folder or a hub id. Default: the one that the index was made with. */
  model?: string | undefined;
  /** An encoder of the caller's own, instead of `model`; stays the caller's to close. */
  embedder?: Embedder | undefined;
  /** Default `auto`: kept up to a million rows. */
  vectors?: VectorsOption | undefined;
  /** Code lengths in bits, ascending, from 64, 128, 256, 512. Default: all that fit `dims`. */
  levels?: readonly number[] | undefined;
  /** Globs, relative to each source folder, of files to leave out. */
  ignore?: readonly string[] | undefined;
  /** File with captions of images, or with metadata row by row of the one vector file. */
  metadata?: string | undefined;
  /** Says what would be done, and does nothing. */
  dryRun?: boolean | undefined;
  /** Bytes that buffers and training may take. Default: a quarter of the machine. */
  memoryBytes?: number | undefined;
  /** Default: the machine's cores. */
  threads?: number | undefined;
  /** Default 1. The same seed, sources and machine give the same index. */
  seed?: number | undefined;
  /** Number of lists and of groups of the codec. Default: chosen from the number of rows. */
  lists?: number | undefined;
  groups?: number | undefined;
  /** Images above these are skipped before they are decoded. */
  maxPixels?: number | undefined;
  maxFileBytes?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called at most a few times a second, and at the end of every phase. */
  onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** The steps of a build, in their order; not every build has all of them. */
export type BuildPhase =
  | 'list' // find the files and compare them with the catalog
  | 'embed' // read, decode and embed images
  | 'read' // take in an app's own vectors
  | 'sample' // read training vectors
  | 'train' // train the codec
  | 'encode' // vectors to codes
  | 'place' // put the codes into list order
  | 'route' // build the routing graph
  | 'calibrate' // measure what each effort finds
  | 'commit';

/** How far a build is, as `onProgress` reports it. */
export interface BuildProgress {
  phase: BuildPhase;
  /** Units of the phase: files, images or rows; `total` 0 while it is unknown. */
  done: number;
  total: number;
  /** Over the last seconds; 0 while unknown. */
  ratePerSecond: number;
  /** Null while unknown. */
  etaSeconds: number | null;
  /** Images skipped so far. */
  skipped: number;
}

/** Why an image is not in the index. A line of skipped.jsonl. */
export interface SkippedFile {
  path: string;
  /** Stable code, of ErrorCode. */
  code: string;
  reason: string;
  bytes: number;
  modifiedMs: number;
}

/** What a build did, or, of a dry run, what it would do. */
export interface BuildSummary {
  path: string;
  dryRun: boolean;
  kind: 'images' | 'vectors';
  /** Items that can be found after this build (after a dry run: before it). */
  rows: number;
  added: number;
  changed: number;
  /** Same content with a new time, or a new caption: nothing was embedded. */
  touched: number;
  removed: number;
  unchanged: number;
  skipped: number;
  /** Files newly skipped, or skipped again, at most the first thousand; all: skipped.jsonl. */
  skippedFiles: SkippedFile[];
  /** Whether the codec was trained, and what it is; null where nothing is indexed. */
  trained: boolean;
  codec: CodecInfo | null;
  /** Whether int8 vectors are kept. */
  vectors: boolean;
  segments: number;
  /** Of a dry run: what the build would take; null where too little is known. */
  estimate: BuildEstimate | null;
  diskBytes: number;
  residentBytes: number;
  seconds: number;
  /** Seconds of each phase that ran. */
  phases: Partial<Record<BuildPhase, number>>;
}

/** Options with every default filled in. */
export interface Settings extends BuildOptions {
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

/** Checks `options` and fills in defaults. Throws ERR_USAGE. */
export function settle(options: BuildOptions): Settings {
  checkNames(options, BUILD_OPTIONS);
  if (typeof options.out !== 'string' || options.out === '') {
    throw usage('out', 'the folder of the index is missing', 'a path such as photos.corvid');
  }
  const remove = options.remove ?? [];
  if (!Array.isArray(remove) || remove.some((path) => typeof path !== 'string' || path === '')) {
    throw usage('remove', 'not a list of paths', 'folders, files or names');
  }
  if (!Array.isArray(options.sources) || options.sources.length + remove.length === 0) {
    throw usage('sources', 'there are no sources', 'at least one folder, file or stream');
  }
  const paths = options.sources.filter((source) => typeof source === 'string');
  const own = options.sources.filter((source) => typeof source !== 'string');
  for (const source of own) checkOwn(source);
  if (new Set(own.map(({ name }) => name)).size !== own.length) {
    throw usage('sources', 'two streams have the same name', 'a name of its own for each');
  }
  if (options.model !== undefined && options.embedder !== undefined) {
    throw usage('model', 'both a model and an embedder are given', 'one of them');
  }
  if (!['auto', 'int8', 'none', undefined].includes(options.vectors)) {
    throw usage('vectors', 'no such choice', 'auto, int8 or none', String(options.vectors));
  }
  checkLevels(options.levels);
  for (const name of ['threads', 'lists', 'groups', 'maxPixels', 'maxFileBytes'] as const) {
    checkWhole(name, options[name], 1);
  }
  checkWhole('seed', options.seed, 0);
  checkWhole('memoryBytes', options.memoryBytes, MIN_MEMORY_BYTES);
  return {
    ...options,
    out: resolve(options.out),
    remove,
    paths,
    streams: own.filter((source) => 'batches' in source),
    tables: own.filter((source) => 'read' in source),
    vectors: options.vectors ?? 'auto',
    dryRun: options.dryRun ?? false,
    memoryBytes: options.memoryBytes ?? Math.max(Math.floor(totalmem() / 4), MIN_MEMORY_BYTES),
    threads: options.threads ?? availableParallelism(),
    seed: options.seed ?? 1,
  };
}

function checkOwn(source: VectorStream | VectorTable): void {
  const { name, batches, read } = (source ?? {}) as Partial<VectorStream & VectorTable>;
  const isStream = batches?.[Symbol.asyncIterator] !== undefined;
  if (typeof name !== 'string' || name === '' || isStream === (typeof read === 'function')) {
    const expected = '{ name, dims, batches } or { name, dims, rows, read }';
    throw usage('sources', 'neither a path nor a stream or table', expected);
  }
  checkWhole('dims', source.dims, 1);
  if ('rows' in source) checkWhole('rows', source.rows, 0);
}

function checkLevels(levels: readonly number[] | undefined): void {
  const allowed = [64, 128, 256, 512];
  const fine = levels?.every((bits, i) => bits === allowed[i]) ?? true;
  if (!fine || levels?.length === 0) {
    throw usage('levels', 'levels nest', '64, then 128, 256, 512 in order', `${levels}`);
  }
}

function checkWhole(name: string, value: number | undefined, least: number): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw usage(name, 'not a usable number', `a whole number of at least ${least}`, `${value}`);
}

function usage(path: string, what: string, expected: string, actual?: string): CorvidError {
  return new CorvidError('ERR_USAGE', what, {
    path,
    expected,
    ...(actual === undefined ? {} : { actual }),
  });
}
