// Shared memory for the vectors of a batch, which workers read in place.
//
// A buffer is kept from batch to batch: the first touch of new pages costs several times the work of
// filling them, and vectors that are not shared would be copied for every worker.

/** The largest buffer that is kept: 8,192 queries of 512 numbers. */
const MAX_KEPT_BYTES = 16 * 2 ** 20;

export class BufferPool {
  #kept: SharedArrayBuffer | null = null;

  /** A buffer of so many numbers, of any value; the caller's until it is released. */
  reserve(numbers: number): Float32Array<SharedArrayBuffer> {
    const bytes = numbers * Float32Array.BYTES_PER_ELEMENT;
    const kept = this.#kept;
    if (kept === null || kept.byteLength < bytes) {
      return new Float32Array(new SharedArrayBuffer(bytes), 0, numbers);
    }
    this.#kept = null;
    return new Float32Array(kept, 0, numbers);
  }

  /** Takes back a buffer that no thread reads any more. The larger one is kept. */
  release({ buffer }: Float32Array<SharedArrayBuffer>): void {
    if (buffer.byteLength > MAX_KEPT_BYTES) return;
    if (this.#kept === null || this.#kept.byteLength < buffer.byteLength) this.#kept = buffer;
  }
}
