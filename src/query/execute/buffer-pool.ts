// Memory for the vectors of a batch, which workers read in place.
//
// Kept from batch to batch: the first touch of new pages costs several times the work of filling
// them, and vectors that are posted as they are would be copied for every worker.

/** What is kept at most: 8,192 queries of 512 numbers. */
const MOST_KEPT_BYTES = 16 * 2 ** 20;

export class VectorRoom {
  #kept: SharedArrayBuffer | null = null;

  /** Room for so many numbers, whatever they are; the caller's until it gives it back. */
  take(numbers: number): Float32Array<SharedArrayBuffer> {
    const bytes = numbers * Float32Array.BYTES_PER_ELEMENT;
    const kept = this.#kept;
    if (kept === null || kept.byteLength < bytes) {
      return new Float32Array(new SharedArrayBuffer(bytes), 0, numbers);
    }
    this.#kept = null;
    return new Float32Array(kept, 0, numbers);
  }

  /** Takes room back that no thread reads any more. The larger one is kept. */
  give({ buffer }: Float32Array<SharedArrayBuffer>): void {
    if (buffer.byteLength > MOST_KEPT_BYTES) return;
    if (this.#kept === null || this.#kept.byteLength < buffer.byteLength) this.#kept = buffer;
  }
}
