// A file that is open only while it is read, because a collection may have more files than a process
// may open. When it is opened again, it must not have changed.
import { type FileHandle, open } from 'node:fs/promises';
import { CorvidError, fromSystemError } from '../errors.js';

export class LazyFile {
  #handle: Promise<FileHandle> | null = null;

  private constructor(
    readonly path: string,
    readonly bytes: number,
    readonly modifiedMs: number,
  ) {}

  /** Opens the file, and leaves it open for the first reads. @throws as fromSystemError */
  static async open(path: string): Promise<LazyFile> {
    try {
      const handle = await open(path);
      const { size, mtimeMs } = await handle.stat();
      const file = new LazyFile(path, size, mtimeMs);
      file.#handle = Promise.resolve(handle);
      return file;
    } catch (error) {
      throw fromSystemError(error, path, 'open the source');
    }
  }

  /** `bytes` bytes from `position`. Throws ERR_SOURCE_INVALID if the file ends early. */
  async read(position: number, bytes: number): Promise<ArrayBuffer> {
    const buffer = new Uint8Array(bytes);
    this.#handle ??= this.#reopen();
    const handle = await this.#handle;
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await handle
        .read(buffer, done, bytes - done, position + done)
        .catch((error: unknown) => {
          throw fromSystemError(error, this.path, 'read the source');
        });
      if (bytesRead === 0) {
        throw new CorvidError('ERR_SOURCE_INVALID', 'the file ends early', {
          path: this.path,
          expected: `${bytes} bytes at ${position}`,
          actual: `${done}`,
          hint: 'the file was truncated, or changed while it was read; write or copy it again',
        });
      }
      done += bytesRead;
    }
    return buffer.buffer;
  }

  async #reopen(): Promise<FileHandle> {
    const reopened = await LazyFile.open(this.path);
    const { bytes, modifiedMs } = reopened;
    const handle = reopened.#handle;
    if (handle !== null && bytes === this.bytes && modifiedMs === this.modifiedMs) return handle;
    await (await handle)?.close();
    throw new CorvidError('ERR_SOURCE_INVALID', 'the file has changed since the build began', {
      path: this.path,
      hint: 'do not write to a source while it is indexed; run the same command again',
    });
  }

  /** Closes the file until it is read again. No read may be in progress. */
  async release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    // If it could not be opened again, the reader has had the error.
    await handle?.then(
      (opened) => opened.close(),
      () => {},
    );
  }
}
