// Opens the native objects of one generation of an index for one thread.
import { CorvidError } from '../../errors.js';
import { native } from '../../native/addon.js';
import type { NativeCodec } from '../../native/codec.js';
import { fromNative } from '../../native/errors.js';
import type { NativeSearcher } from '../../native/search.js';
import type { NativeSegment } from '../../native/segment.js';

/** The native objects of one generation of an index, as one thread holds them. */
export interface Handles {
  codec: NativeCodec;
  segments: readonly NativeSegment[];
  searcher: NativeSearcher;
}

/**
 * Where the files of one generation lie; plain data, so that it can go to a worker. The UUIDs let a
 * worker have what the process holds open, also after a later commit has removed the files.
 */
export interface HandlesSource {
  generation: number;
  codec: { path: string; uuid: string };
  segments: readonly { dir: string; uuid: string }[];
}

/** @throws ERR_FORMAT_CORRUPT, ERR_FORMAT_TOO_NEW, ERR_NOT_FOUND, … about the file. */
export function openHandles(source: HandlesSource): Handles {
  try {
    const codec = native.openCodec(source.codec.path, source.codec.uuid);
    const segments = source.segments.map(({ dir, uuid }) => native.openSegment(dir, codec, uuid));
    return { codec, segments, searcher: native.openSearcher(codec, segments) };
  } catch (error) {
    throw fromNative(error);
  }
}

/** The handles must not be used again; running native calls have ended, being synchronous. */
export function closeHandles(handles: Handles): void {
  handles.searcher.close();
  for (const segment of handles.segments) segment.close();
}

/** An error as plain data, to cross from a worker to the caller. */
export interface PlainError {
  code: CorvidError['code'];
  what: string;
  path?: string | undefined;
  expected?: string | undefined;
  actual?: string | undefined;
  hint?: string | undefined;
}

/** @returns null for what is no CorvidError: a defect, which crosses as it is. */
export function toPlainError(error: unknown): PlainError | null {
  const known = fromNative(error);
  if (!(known instanceof CorvidError)) return null;
  const { code, what, path, expected, actual, hint } = known;
  return { code, what, path, expected, actual, hint };
}

export function fromPlainError(plain: PlainError): CorvidError {
  const { code, what, ...details } = plain;
  const given = Object.entries(details).filter(([, value]) => value !== undefined);
  return new CorvidError(code, what, Object.fromEntries(given));
}
