// Exact search over codes that the caller brings already packed into bits, by Hamming distance.
//
// Codes of other encoders (binary embeddings, LSH, perceptual hashes) need no training and no index:
// an .npy file of rows x bytes is mapped and scanned whole, its rows shared by the worker threads.
// Distances are whole numbers and ties go to the lower row, so the answer never depends on threads.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { CorvidError, throwIfAborted } from '../errors.js';
import { openNpy } from '../formats/npy.js';
import { fromNative, type NativePackedCodes, native } from '../native/addon.js';
import type { PackedPart, PackedTask } from './worker.js';

export interface PackedOptions {
  /** Worker threads for large files. Default: the machine's cores, at most 16. */
  threads?: number | undefined;
}

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

const LEAST_BITS = 64;
const MOST_BITS = 1024;
const MOST_THREADS = 16;
const MOST_HITS = 100_000;
/** Below so many bytes the calling thread is done before a worker has begun. */
const INLINE_BYTES = 4 * 2 ** 20;

/**
 * Opens an .npy file of packed codes: uint8, rows x bytes, 8 to 128 bytes a row, a multiple of 8. It
 * is mapped, not copied, and must not change while it is open.
 * @throws ERR_SOURCE_INVALID, ERR_SOURCE_EMPTY, ERR_NOT_FOUND, ERR_USAGE
 */
export async function openPackedCodes(
  path: string,
  options: PackedOptions = {},
): Promise<PackedCodes> {
  const threads = options.threads ?? Math.min(MOST_THREADS, availableParallelism());
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new CorvidError('ERR_USAGE', 'option threads', {
      expected: 'an integer from 1 on',
      actual: String(threads),
    });
  }
  const { layout, rows } = await openNpy(path);
  const bits = layout.dims * 8;
  if (layout.element !== 'u8' || bits % 64 !== 0 || bits < LEAST_BITS || bits > MOST_BITS) {
    throw new CorvidError('ERR_SOURCE_INVALID', 'no packed codes', {
      path,
      expected: `uint8, rows x bytes, ${LEAST_BITS} to ${MOST_BITS} bits a row in steps of 64`,
      actual: `${layout.element}, ${layout.dims} a row`,
      hint: 'pack bits with NumPy: numpy.packbits(signs, axis=1)',
    });
  }
  return new PackedCodes(
    path,
    { offset: layout.dataOffset, rows, strideBytes: layout.dims },
    threads,
  );
}

interface Place {
  offset: number;
  rows: number;
  strideBytes: number;
}

export class PackedCodes {
  readonly path: string;
  readonly rows: number;
  /** Bits of a code. */
  readonly bits: number;
  readonly #place: Place;
  readonly #threads: number;
  readonly #codes: NativePackedCodes;
  readonly #running = new Set<Promise<unknown>>();
  #pool: Piscina<PackedTask, PackedPart> | null = null;
  #closed = false;

  /** Use `openPackedCodes`. */
  constructor(path: string, place: Place, threads: number) {
    this.path = path;
    this.rows = place.rows;
    this.bits = place.strideBytes * 8;
    this.#place = place;
    this.#threads = threads;
    try {
      this.#codes = new native.PackedCodes(path, place.offset, place.rows, place.strideBytes);
    } catch (error) {
      throw fromNative(error);
    }
  }

  /**
   * The nearest codes of all.
   * @param query bits / 8 bytes, packed as the file's rows are
   * @throws ERR_USAGE, ERR_DIMENSION, ERR_ABORTED, ERR_CLOSED
   */
  async search(query: Uint8Array, options: PackedSearchOptions = {}): Promise<PackedResult> {
    const { limit = 10, signal } = options;
    throwIfAborted(signal);
    this.#check(query, limit);
    const { rows, strideBytes } = this.#place;
    if (rows * strideBytes <= INLINE_BYTES || this.#threads === 1) {
      return this.#codes.scan(query, 0, rows, limit);
    }
    const running = this.#scanApart(query, limit);
    this.#running.add(running);
    try {
      const found = await running;
      throwIfAborted(signal);
      return found;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Waits for running searches, then unmaps the file and ends the threads. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#running);
    await this.#pool?.destroy();
    this.#codes.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(query: Uint8Array, limit: number): void {
    if (this.#closed) {
      throw new CorvidError('ERR_CLOSED', 'the codes were closed', { path: this.path });
    }
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MOST_HITS) {
      throw new CorvidError('ERR_USAGE', 'option limit', {
        expected: `an integer from 1 to ${MOST_HITS}`,
        actual: String(limit),
      });
    }
    if (query.length !== this.#place.strideBytes) {
      throw new CorvidError('ERR_DIMENSION', 'a query code of another length than the file', {
        path: this.path,
        expected: `${this.#place.strideBytes} bytes`,
        actual: String(query.length),
      });
    }
  }

  async #scanApart(query: Uint8Array, limit: number): Promise<PackedResult> {
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
        return pool.run({ path: this.path, ...this.#place, query, firstRow, lastRow, limit });
      }),
    );
    return merge(parts, limit);
  }
}

/** Parts lie in the order of their rows, each best first: a stable sort keeps ties by row. */
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
