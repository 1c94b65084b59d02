// Exact search by Hamming distance over codes that the caller has already packed into bits.
//
// Codes of other encoders (binary embeddings, LSH, perceptual hashes) need no training and no index:
// an .npy file of rows x bytes is mapped and scanned in full, split over the worker threads.
// Distances are integers and ties go to the lower row, so the answer never depends on threads.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { CorvidError, throwIfAborted } from '../errors.js';
import { openNpy } from '../formats/npy.js';
import { fromNative, type NativePackedCodes, native } from '../native/addon.js';
import { checkInteger } from '../option-checks.js';
import type { PackedPart, PackedTask } from './worker.js';

/** Options of `openPackedCodes`. */
export interface PackedOptions {
  /** Worker threads for large files. Default: the machine's cores, at most 16. */
  threads?: number | undefined;
}

/** Options of one search. */
export interface PackedSearchOptions {
  /** Hits to return. Default 10. */
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** By distance ascending, then row ascending; equal lengths. */
export interface PackedResult {
  rows: Float64Array;
  /** Bits that differ. */
  distances: Uint16Array;
}

const MIN_BITS = 64;
const MAX_BITS = 1024;
const DEFAULT_MAX_THREADS = 16;
const MAX_HITS = 100_000;
/** A file of at most this size is scanned by the calling thread: starting workers takes longer. */
const INLINE_BYTES = 4 * 2 ** 20;

/**
 * Opens an .npy file of packed codes: uint8, rows x bytes, 8 to 128 bytes per row, a multiple of 8.
 * The file is mapped, not copied, and must not change while it is open.
 * @throws ERR_SOURCE_INVALID, ERR_SOURCE_EMPTY, ERR_NOT_FOUND, ERR_USAGE
 */
export async function openPackedCodes(
  path: string,
  options: PackedOptions = {},
): Promise<PackedCodes> {
  const threads = options.threads ?? Math.min(DEFAULT_MAX_THREADS, availableParallelism());
  checkInteger('threads', threads, 1);
  const { layout, rows } = await openNpy(path);
  const bits = layout.dims * 8;
  if (layout.element !== 'u8' || bits % 64 !== 0 || bits < MIN_BITS || bits > MAX_BITS) {
    throw new CorvidError('ERR_SOURCE_INVALID', 'the file does not hold packed codes', {
      path,
      expected: `uint8, rows x bytes, ${MIN_BITS} to ${MAX_BITS} bits per row in steps of 64`,
      actual: `${layout.element}, ${layout.dims} per row`,
      hint: 'pack bits with NumPy: numpy.packbits(signs, axis=1)',
    });
  }
  return new PackedCodes(
    path,
    { offset: layout.dataOffset, rows, strideBytes: layout.dims },
    threads,
  );
}

/** Where the codes lie in the file. */
interface CodeLayout {
  offset: number;
  rows: number;
  strideBytes: number;
}

/** A file of packed codes that is open for search. Searches may overlap. */
export class PackedCodes {
  readonly path: string;
  readonly rows: number;
  /** Bits of a code. */
  readonly bits: number;
  readonly #layout: CodeLayout;
  readonly #threads: number;
  readonly #codes: NativePackedCodes;
  readonly #running = new Set<Promise<unknown>>();
  #pool: Piscina<PackedTask, PackedPart> | null = null;
  #closed = false;

  /** Use `openPackedCodes`. */
  constructor(path: string, layout: CodeLayout, threads: number) {
    this.path = path;
    this.rows = layout.rows;
    this.bits = layout.strideBytes * 8;
    this.#layout = layout;
    this.#threads = threads;
    try {
      this.#codes = new native.PackedCodes(path, layout.offset, layout.rows, layout.strideBytes);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * Finds the nearest codes of the whole file.
   * @param query bits / 8 bytes, packed like the rows of the file
   * @throws ERR_USAGE, ERR_DIMENSION, ERR_ABORTED, ERR_CLOSED
   */
  async search(query: Uint8Array, options: PackedSearchOptions = {}): Promise<PackedResult> {
    const { limit = 10, signal } = options;
    throwIfAborted(signal);
    this.#check(query, limit);
    const { rows, strideBytes } = this.#layout;
    if (rows * strideBytes <= INLINE_BYTES || this.#threads === 1) {
      return this.#codes.scan(query, 0, rows, limit);
    }
    const running = this.#splitScan(query, limit);
    this.#running.add(running);
    try {
      const found = await running;
      throwIfAborted(signal);
      return found;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits for running searches, then stops the threads and unmaps the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    await this.#pool?.destroy();
    this.#codes.close();
  }

  /** Closes the codes at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(query: Uint8Array, limit: number): void {
    if (this.#closed) {
      throw new CorvidError('ERR_CLOSED', 'the packed codes are closed', { path: this.path });
    }
    checkInteger('limit', limit, 1, MAX_HITS);
    if (query.length !== this.#layout.strideBytes) {
      throw new CorvidError('ERR_DIMENSION', 'the query code has another length than the rows', {
        path: this.path,
        expected: `${this.#layout.strideBytes} bytes`,
        actual: String(query.length),
      });
    }
  }

  async #splitScan(query: Uint8Array, limit: number): Promise<PackedResult> {
    this.#pool ??= new Piscina<PackedTask, PackedPart>({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      minThreads: this.#threads,
      maxThreads: this.#threads,
      recordTiming: false,
      execArgv: [],
    });
    const pool = this.#pool;
    const bound = (part: number) => Math.floor((this.rows * part) / this.#threads);
    const parts = await Promise.all(
      Array.from({ length: this.#threads }, (_, part) => {
        const [firstRow, lastRow] = [bound(part), bound(part + 1)];
        return pool.run({ path: this.path, ...this.#layout, query, firstRow, lastRow, limit });
      }),
    );
    return merge(parts, limit);
  }
}

/** Parts are in row order and each is sorted best first, so a stable sort keeps ties by row. */
function merge(parts: readonly PackedResult[], limit: number): PackedResult {
  const all = parts.flatMap(({ rows, distances }) =>
    Array.from(rows, (row, i) => ({ row, distance: distances[i] as number })),
  );
  all.sort((a, b) => a.distance - b.distance);
  const best = all.slice(0, limit);
  return {
    rows: Float64Array.from(best, ({ row }) => row),
    distances: Uint16Array.from(best, ({ distance }) => distance),
  };
}
