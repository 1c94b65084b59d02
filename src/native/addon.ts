// Loads the native addon. The only file that knows where it is, and the one that other folders
// import: the types of its classes are in the files beside it.
//
// Arguments are validated by the callers in TypeScript, with helpful messages; native code checks
// bounds again. Native objects that map files (codec, segment, filter) are shared by the whole
// process: a second `open` of the same file, from any worker thread, returns another handle of the
// same mapping. No typed array handed out aliases native memory.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CorvidError } from '../errors.js';
import type {
  NativeByteSample,
  NativeCodec,
  NativeLists,
  NativeTraining,
  RawVectors,
  TrainingOptions,
} from './codec.js';
import type { NativePackedCodes } from './packed.js';
import type { NativeGroundTruth, NativeSearcher } from './search.js';
import type { NativeSegment, NativeSegmentWriter, SegmentWriterOptions } from './segment.js';

export type * from './codec.js';
export { fromNative } from './errors.js';
export type * from './packed.js';
export type * from './search.js';
export type * from './segment.js';

export interface FileLock {
  release(): void;
}

export interface NativeAddon {
  simdLevel(): 'scalar' | 'avx2' | 'avx512' | 'amx' | 'neon';
  /** Instruction sets that this build has and this machine can run. */
  simdLevels(): string[];
  crc32c(data: Uint8Array, initial?: number): number;
  /** Exclusive advisory lock on a file (made if absent), or null if another holder has it.
   * Released by the operating system when the process dies. */
  lockFile(path: string): FileLock | null;
  /** Float32 rows of unit length from f32, f16 (as Uint16Array), or int8 rows.
   * Written to `into`, which may be `vectors` itself, or to a new array.
   * Throws ERR_VECTOR_INVALID with the row number for NaN, infinity or length zero. */
  toUnit(vectors: RawVectors, dims: number, into?: Float32Array): Float32Array;
  ByteSample: new (capacity: number, dims: number) => NativeByteSample;
  /** Finds lists by k-means in two levels; `lists` is at most the sample's rows. */
  startLists(
    sample: NativeByteSample,
    options: { lists: number; seed: number; threads: number },
  ): NativeTraining<NativeLists>;
  /** `lists`: those of the codec, found among other rows; if omitted, they are found among the
   * sample's. */
  startTraining(
    sample: Float32Array,
    options: TrainingOptions,
    lists?: NativeLists | null,
  ): NativeTraining;
  /** `uuid`: a codec of this path and UUID that is open in the process is returned, even if its file
   * is gone. */
  openCodec(path: string, uuid?: string): NativeCodec;
  createSegmentWriter(options: SegmentWriterOptions): NativeSegmentWriter;
  /** `uuid`: as for openCodec. */
  openSegment(dir: string, codec: NativeCodec, uuid?: string): NativeSegment;
  /** Checks header, length and every checksum of one of our binary files. @returns its bytes */
  verifyFile(path: string): Promise<number>;
  /** The segments must be open, and may be closed before the searcher. */
  openSearcher(codec: NativeCodec, segments: readonly NativeSegment[]): NativeSearcher;
  /** queries: count x dims, unit rows. `kept`: neighbours kept of each. `selves`: the id of each
   * query, or -1 if it is no row; if omitted, the first row that equals a query is taken for it. */
  GroundTruth: new (
    queries: Float32Array,
    dims: number,
    kept: number,
    selves?: Float64Array,
  ) => NativeGroundTruth;
  /** strideBytes: a multiple of 8 from 8 to 128. The file must hold all rows, and keep its length. */
  PackedCodes: new (
    path: string,
    offset: number,
    rows: number,
    strideBytes: number,
  ) => NativePackedCodes;
}

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

function load(): NativeAddon {
  const root = join(here, '..', '..', '..', 'native-bindings');
  try {
    const build = require('node-gyp-build') as (dir: string) => NativeAddon;
    return build(root);
  } catch (cause) {
    throw new CorvidError('ERR_NATIVE', 'the native addon could not be loaded', {
      path: root,
      hint: 'run "npm rebuild corvid" with a C++17 compiler and Python installed',
      cause,
    });
  }
}

/** The addon. One per thread; what it maps is shared by the process. */
export const native: NativeAddon = load();
