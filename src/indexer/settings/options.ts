// What a build is asked for, what it reports while it runs, and what it returns. Types alone: checks
// and defaults are in settings.ts.
import type { Embedder } from '../../embed/embedder.js';
import type { ItemFields, RawVectors } from '../../formats/vector-source.js';
import type { CodecInfo } from '../../native/addon.js';

/** The caller's vectors, given batch by batch. */
export interface VectorStream {
  /** Names the stream: a later build with a stream of the same name replaces its vectors. */
  name: string;
  dims: number;
  /** Each batch holds whole vectors: float32, half floats as Uint16Array, or int8. */
  batches: AsyncIterable<VectorBatch>;
}

/** The caller's vectors where they can be read by position, any number of times: they are not copied
 * to the disk, however many there are. */
export interface VectorTable {
  /** Names the table: a later build with a table of the same name replaces its vectors, unless
   * `rows` and `modifiedMs` are the same. */
  name: string;
  dims: number;
  rows: number;
  /** When the vectors were last changed, milliseconds since 1970. Default 0. */
  modifiedMs?: number | undefined;
  /** `rows` vectors from `firstRow` on, always the same: float32, half floats as Uint16Array, or
   * int8. The build owns what is returned. */
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
  /** The caller's encoder, instead of `model`; the caller closes it. */
  embedder?: Embedder | undefined;
  /** Default `auto`: kept up to a million rows. */
  vectors?: VectorsOption | undefined;
  /** Code lengths in bits, ascending, from 64, 128, 256, 512. Default: all that fit `dims`. */
  levels?: readonly number[] | undefined;
  /** Globs, relative to each source folder, of files to exclude. */
  ignore?: readonly string[] | undefined;
  /** File with captions of images, or with metadata row by row of the one vector file. */
  metadata?: string | undefined;
  /** Reports what would be done, and does nothing. */
  dryRun?: boolean | undefined;
  /** Bytes that buffers and training may use. Default: a quarter of the machine. */
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
  | 'read' // copy a stream of vectors to the disk
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

/** Upper bounds of what a build takes. */
export interface BuildEstimate {
  memoryBytes: number;
  /** At the peak, while old and new files both exist. */
  diskBytes: number;
  /** Bytes that searching keeps in memory. */
  residentBytes: number;
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
  /** For a dry run: what the build would take; null where too little is known. */
  estimate: BuildEstimate | null;
  diskBytes: number;
  residentBytes: number;
  seconds: number;
  /** Seconds of each phase that ran. */
  phases: Partial<Record<BuildPhase, number>>;
}

/** What a build did, or would do. */
export type BuildCounts = Pick<
  BuildSummary,
  'added' | 'changed' | 'touched' | 'removed' | 'unchanged' | 'skippedFiles' | 'trained'
>;
