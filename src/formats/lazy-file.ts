// A file that is open only while it is read: a collection may have more parts than a process may
// have files open. Opened again, it must be the file that it was.
import { type FileHandle, open } from 'node:fs/promises';
import { CorvidError, fromSystemError } from '../errors.js';

export class LazyFile {
  private handle: Promise<FileHandle> | null = null;

  private constructor(
    readonly path: string,
    readonly bytes: number,
    readonly modifiedMs: number,
  ) {}

  /** Looks at the file and leaves it open for the first reads. Throws as the file system does. */
  static async open(path: string): Promise<LazyFile> {
    try {
      const handle = await open(path);
      const { size, mtimeMs } = await handle.stat();
      const file = new LazyFile(path, size, mtimeMs);
      file.handle = Promise.resolve(handle);
      return file;
    } catch (error) {
      throw fromSystemError(error, path, 'open the source');
    }
  }

  /** `bytes` bytes from `position`. Throws ERR_SOURCE_INVALID if the file ends early. */
  async read(position: number, bytes: number): Promise<ArrayBuffer> {
    const buffer = new Uint8Array(bytes);
    this.handle ??= this.reopen();
    const handle = await this.handle;
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
          hint: 'the file was cut off, or changed while it was read; write or copy it again',
        });
      }
      done += bytesRead;
    }
    return buffer.buffer;
  }

  private async reopen(): Promise<FileHandle> {
    const { handle, bytes, modifiedMs } = await LazyFile.open(this.path);
    if (handle !== null && bytes === this.bytes && modifiedMs === this.modifiedMs) return handle;
    await (await handle)?.close();
    throw new CorvidError('ERR_SOURCE_INVALID', 'the file has changed since the build began', {
      path: this.path,
      hint: 'do not write to a source while it is indexed; run the same command again',
    });
  }

  /** Closes the file until it is read again. No read may be under way. */
  async release(): Promise<void> {
    const handle = this.handle;
    this.handle = null;
    // A file that could not be opened again has said so to its reader.
    await handle?.then(
      (opened) => opened.close(),
      () => {},
    );
  }
}
