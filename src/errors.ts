// The one error class of corvid and its closed set of codes.
//
// Every failure that a caller can meet has a stable `code`, says where (`path`), what was expected
// and what was found, and a `hint` that tells what to do. Native errors are converted to this class
// by native/errors.ts; nothing else is thrown across the public surface.

/** Stable, documented codes. A code never changes its meaning; new ones may be added. */
export type ErrorCode =
  | 'ERR_USAGE' // an argument or option is wrong
  | 'ERR_NOT_FOUND' // a path does not exist
  | 'ERR_PERMISSION' // a path may not be read or written
  | 'ERR_IO' // any other failure of the file system
  | 'ERR_DISK_FULL' // no space left while writing
  | 'ERR_NOT_AN_INDEX' // a path that is not a corvid index
  | 'ERR_INDEX_EXISTS' // an index that was built with settings that contradict the request
  | 'ERR_FORMAT_CORRUPT' // a file is short, inconsistent, or fails its checksum
  | 'ERR_FORMAT_TOO_NEW' // written by a newer corvid
  | 'ERR_FORMAT_TOO_OLD' // written by an older corvid than this build reads
  | 'ERR_LOCKED' // another process writes this index
  | 'ERR_SOURCE_UNKNOWN' // a source of a type that corvid does not read
  | 'ERR_SOURCE_EMPTY' // a source with nothing to index
  | 'ERR_SOURCE_INVALID' // a source that cannot be parsed
  | 'ERR_DIMENSION' // vectors of another length than the index holds
  | 'ERR_VECTOR_INVALID' // a vector with NaN or infinity, or of length zero
  | 'ERR_IMAGE_EMPTY' // an image file of zero bytes
  | 'ERR_IMAGE_FORMAT' // not an image, or of a kind that is not supported
  | 'ERR_IMAGE_TOO_LARGE' // above the pixel or the file-size limit
  | 'ERR_IMAGE_TOO_SMALL' // too small to be embedded
  | 'ERR_IMAGE_DECODE' // damaged beyond decoding
  | 'ERR_MODEL_NOT_FOUND' // no encoder at this path, or not downloaded and offline
  | 'ERR_MODEL_INVALID' // an encoder that cannot be loaded or used
  | 'ERR_ENCODER_MISMATCH' // the index was made with another encoder
  | 'ERR_NO_ENCODER' // a query by text or image to an index without an encoder
  | 'ERR_QUERY' // a query that cannot be understood
  | 'ERR_WHERE' // a filter that SQLite refuses
  | 'ERR_ITEM_NOT_FOUND' // no such item in the index
  | 'ERR_ABORTED' // the caller's AbortSignal fired
  | 'ERR_CLOSED' // used after close()
  | 'ERR_NATIVE' // the native addon is missing or cannot be loaded
  | 'ERR_MEMORY'; // more memory would be needed than the limit allows

/** What an error is about, beyond its code and message. */
export interface ErrorDetails {
  /** File, folder, option or column that the error is about. */
  path?: string;
  expected?: string;
  actual?: string;
  /** What the caller can do about it, as an imperative sentence without a full stop. */
  hint?: string;
  cause?: unknown;
}

/**
 * Every error that corvid throws. `message` reads
 * `CODE: path: what happened (expected …, found …); hint`.
 */
export class CorvidError extends Error {
  override readonly name = 'CorvidError';
  readonly code: ErrorCode;
  /** What happened, alone: the message without code, path, expectation and hint. */
  readonly what: string;
  readonly path: string | undefined;
  readonly expected: string | undefined;
  readonly actual: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(
      compose(code, what, details),
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.code = code;
    this.what = what;
    this.path = details.path;
    this.expected = details.expected;
    this.actual = details.actual;
    this.hint = details.hint;
  }
}

function compose(code: ErrorCode, what: string, { path, expected, actual, hint }: ErrorDetails) {
  const found = [
    expected === undefined ? '' : `expected ${expected}`,
    actual === undefined ? '' : `found ${actual}`,
  ].filter(Boolean);
  return (
    `${code}: ${path === undefined ? '' : `${path}: `}${what}` +
    `${found.length > 0 ? ` (${found.join(', ')})` : ''}${hint === undefined ? '' : `; ${hint}`}`
  );
}

/** Converts a Node file-system error (`errno` style) into a CorvidError about `path`. */
export function fromSystemError(error: unknown, path: string, doing: string): CorvidError {
  if (error instanceof CorvidError) return error;
  const systemCode = (error as NodeJS.ErrnoException | undefined)?.code;
  const cause = { path, cause: error };
  switch (systemCode) {
    case 'ENOENT':
      return new CorvidError('ERR_NOT_FOUND', `${doing}: no such file or folder`, {
        ...cause,
        hint: 'check the path',
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new CorvidError('ERR_PERMISSION', `${doing}: not permitted`, {
        ...cause,
        hint: 'check the permissions of the path',
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new CorvidError('ERR_DISK_FULL', `${doing}: no space left on the disk`, {
        ...cause,
        hint: 'free some space and run the same command again; what was committed is intact',
      });
    default:
      return new CorvidError('ERR_IO', `${doing}: ${String((error as Error)?.message ?? error)}`, {
        ...cause,
        hint: 'check the disk and run the same command again',
      });
  }
}

/** Throws ERR_ABORTED if `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new CorvidError('ERR_ABORTED', 'the operation was aborted', { cause: signal.reason });
  }
}
