// Whole files: their checksum, and getting them onto the disk.
import { closeSync, fsyncSync, openSync, readSync } from 'node:fs';
import { fromSystemError } from '../errors.js';
import { native } from '../native/addon.js';

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;

/** Size and CRC32C of a file, read once from front to back. */
export function checksumFile(path: string): { bytes: number; crc32c: number } {
  return reading(path, (descriptor) => {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let bytes = 0;
    let crc32c = 0;
    for (;;) {
      const length = readSync(descriptor, chunk, 0, CHUNK_BYTES, bytes);
      if (length === 0) return { bytes, crc32c };
      crc32c = native.crc32c(chunk.subarray(0, length), crc32c);
      bytes += length;
    }
  });
}

/** fsyncs a file, or a folder so that names made in it last. */
export function syncPath(path: string): void {
  reading(path, fsyncSync);
}

function reading<T>(path: string, work: (descriptor: number) => T): T {
  try {
    const descriptor = openSync(path, 'r');
    try {
      return work(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fromSystemError(error, path, 'reading');
  }
}
