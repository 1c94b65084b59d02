// The journal of an unfinished build: images that were embedded but are not committed.
//
// staging/journal.bin is appended to only, one record for each image, several records a write:
//   uint32 payload bytes · uint32 CRC32C of the payload · payload
//   payload: uint32 bytes of JSON · JSON (UTF-8) · the embedding, dims float16 (none if skipped)
// The first record holds the settings; a journal with other settings cannot be used and is replaced.
// A kill at any moment leaves a valid prefix, which is what `Journal.open` keeps: the first record
// that is cut short or fails its checksum ends it, and the file is truncated there. Little-endian.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromSystemError } from '../../errors.js';
import { toFloat16 } from '../../formats/float16.js';
import { native } from '../../native/addon.js';
import type { SkippedFile } from '../settings/options.js';
import type { ImageFile } from '../sources/open.js';
import type { FileState } from './file-state.js';

const FRAME_BYTES = 8;
/** No record is nearly as long; a greater length is damage. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;
const READS_IN_FLIGHT = 64;
const READ_BYTES = 4 * 1024 * 1024;
/** How often data is forced to the disk: a power cut loses at most so much work. */
const SYNC_INTERVAL_MS = 5000;

/** An image that was embedded: its file, and what was found in it. */
export interface EmbeddedImage extends ImageFile, FileState {
  sha256: string;
  width: number;
  height: number;
  /** Local time of capture, 'YYYY-MM-DD HH:MM:SS'. */
  taken: string | null;
  latitude: number | null;
  longitude: number | null;
  damaged: boolean;
}

export interface JournalSettings {
  encoder: string;
  dims: number;
}

/** An image in the journal, with the place of its embedding in the file. */
export interface JournaledImage extends EmbeddedImage {
  offset: number;
}

type Entry = { settings: JournalSettings } | { image: EmbeddedImage } | { skip: SkippedFile };

export class Journal {
  /** What the valid prefix holds, by path; a later record replaces an earlier one. */
  readonly images = new Map<string, JournaledImage>();
  readonly skipped = new Map<string, SkippedFile>();
  #syncedMs = performance.now();
  #lastWrite: Promise<number> = Promise.resolve(0);

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly dims: number,
    private endBytes: number,
  ) {}

  /** Opens the journal at `path`, or begins one. One with other settings is discarded. */
  static async open(path: string, settings: JournalSettings): Promise<Journal> {
    let handle: FileHandle;
    try {
      await mkdir(dirname(path), { recursive: true });
      handle = await open(path, 'a+');
    } catch (error) {
      throw fromSystemError(error, path, 'open the journal');
    }
    const journal = new Journal(path, handle, settings.dims, 0);
    try {
      await journal.#recover(settings);
      return journal;
    } catch (error) {
      await handle.close();
      throw fromSystemError(error, path, 'read the journal');
    }
  }

  async #recover(settings: JournalSettings): Promise<void> {
    let valid = false;
    for await (const { payload, offset } of this.#records()) {
      const entry = parsePayload(payload);
      if (entry === null) break;
      if (offset === FRAME_BYTES) {
        valid = 'settings' in entry.json && sameSettings(entry.json.settings, settings);
        if (!valid) break;
      }
      if ('image' in entry.json && payload.length - entry.embeddingStart === this.dims * 2) {
        this.#noteImage(entry.json.image, offset + entry.embeddingStart);
      } else if ('skip' in entry.json) this.#noteSkip(entry.json.skip);
      this.endBytes = offset + payload.length;
    }
    if (!valid) this.endBytes = 0;
    await this.handle.truncate(this.endBytes);
    if (!valid) await this.#write([frame({ settings }, null)]);
  }

  /** All complete records whose checksum holds; `offset` is that of the payload. */
  async *#records(): AsyncGenerator<{ payload: Buffer; offset: number }> {
    let position = 0;
    let pending = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await this.handle.read(
        chunk,
        0,
        chunk.length,
        position + pending.length,
      );
      if (bytesRead === 0) return;
      pending = Buffer.concat([pending, chunk.subarray(0, bytesRead)]);
      let start = 0;
      while (start + FRAME_BYTES <= pending.length) {
        const bytes = pending.readUInt32LE(start);
        if (bytes > MAX_PAYLOAD_BYTES) return;
        const payloadStart = start + FRAME_BYTES;
        if (payloadStart + bytes > pending.length) break;
        const payload = pending.subarray(payloadStart, payloadStart + bytes);
        if (native.crc32c(payload) !== pending.readUInt32LE(start + 4)) return;
        yield { payload, offset: position + payloadStart };
        start = payloadStart + bytes;
      }
      position += start;
      pending = pending.subarray(start);
    }
  }

  /** Adds embedded images. Calls may overlap. @param embeddings images.length x dims */
  async addImages(images: readonly EmbeddedImage[], embeddings: Float32Array): Promise<void> {
    const frames = images.map((image, i) =>
      frame({ image }, toFloat16(embeddings.subarray(i * this.dims, (i + 1) * this.dims))),
    );
    let end = await this.#write(frames);
    images.forEach((image, i) => {
      end += (frames[i] as Buffer).length;
      this.#noteImage(image, end - this.dims * 2);
    });
  }

  async addSkipped(files: readonly SkippedFile[]): Promise<void> {
    await this.#write(files.map((skip) => frame({ skip }, null)));
    for (const file of files) this.#noteSkip(file);
  }

  /** Embeddings of `images` as float16, in their order: images.length x dims. */
  async readEmbeddings(images: readonly JournaledImage[]): Promise<Uint16Array> {
    const embeddings = new Uint16Array(images.length * this.dims);
    const bytes = new Uint8Array(embeddings.buffer);
    const rowBytes = this.dims * 2;
    const read = async ({ offset }: JournaledImage, i: number) => {
      const { bytesRead } = await this.handle.read(bytes, i * rowBytes, rowBytes, offset);
      if (bytesRead !== rowBytes) {
        throw fromSystemError(new Error('it ends early'), this.path, 'read the journal');
      }
    };
    for (let start = 0; start < images.length; start += READS_IN_FLIGHT) {
      const some = images.slice(start, start + READS_IN_FLIGHT);
      await Promise.all(some.map((image, i) => read(image, start + i)));
    }
    return embeddings;
  }

  #noteImage(image: EmbeddedImage, offset: number): void {
    this.images.set(image.path, { ...image, offset });
    this.skipped.delete(image.path);
  }

  #noteSkip(file: SkippedFile): void {
    this.skipped.set(file.path, file);
    this.images.delete(file.path);
  }

  /** Appends after all earlier writes. @returns where the first frame begins */
  #write(frames: readonly Buffer[]): Promise<number> {
    const written = this.#lastWrite.then(() => this.#writeNow(frames));
    // After a failure the end of the file is not known, so all later writes fail with it.
    written.catch(() => {});
    this.#lastWrite = written;
    return written;
  }

  async #writeNow(frames: readonly Buffer[]): Promise<number> {
    const start = this.endBytes;
    const bytes = Buffer.concat(frames);
    try {
      if (bytes.length > 0) await this.handle.appendFile(bytes);
      this.endBytes += bytes.length;
      if (performance.now() - this.#syncedMs > SYNC_INTERVAL_MS) {
        await this.handle.datasync();
        this.#syncedMs = performance.now();
      }
      return start;
    } catch (error) {
      throw fromSystemError(error, this.path, 'write the journal');
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

function frame(entry: Entry, embedding: Uint16Array | null): Buffer {
  const json = Buffer.from(JSON.stringify(entry), 'utf8');
  const numbers =
    embedding === null
      ? Buffer.alloc(0)
      : Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
  const bytes = Buffer.concat([Buffer.alloc(FRAME_BYTES + 4), json, numbers]);
  const payload = bytes.subarray(FRAME_BYTES);
  payload.writeUInt32LE(json.length);
  bytes.writeUInt32LE(payload.length);
  bytes.writeUInt32LE(native.crc32c(payload), 4);
  return bytes;
}

function parsePayload(payload: Buffer): { json: Entry; embeddingStart: number } | null {
  if (payload.length < 4) return null;
  const embeddingStart = 4 + payload.readUInt32LE();
  if (embeddingStart > payload.length) return null;
  return { json: JSON.parse(payload.toString('utf8', 4, embeddingStart)), embeddingStart };
}

function sameSettings(a: JournalSettings, b: JournalSettings): boolean {
  return a.encoder === b.encoder && a.dims === b.dims;
}
