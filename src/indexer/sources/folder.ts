// Lists the files of a folder and all folders below it.
//
// What could not be listed is reported, never ignored: a folder that cannot be read for the moment
// must not look as if its images had been deleted. Hidden files and *.corvid indexes are excluded.
// Symbolic links are followed.
import fs from 'node:fs';
import { normalize } from 'node:path';
import { type FileSystemAdapter, glob } from 'tinyglobby';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';

export interface ListOptions {
  /** Globs, relative to the folder, of files and folders to exclude. */
  ignore?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

export interface Listing {
  /** Absolute paths, sorted so that numbers count ("2" before "10"). */
  files: string[];
  /** Paths below which nothing could be listed, with the reason. */
  unreadable: { path: string; error: CorvidError }[];
}

const NATURAL = new Intl.Collator('en', { numeric: true });

/** Lists `folder`. Throws if the folder itself cannot be read. */
export async function listFiles(folder: string, options: ListOptions): Promise<Listing> {
  const unreadable: Listing['unreadable'] = [];
  const files = await glob('**/*', {
    cwd: folder,
    absolute: true,
    ignore: ['**/*.corvid', '**/*.corvid/**', ...(options.ignore ?? [])],
    expandDirectories: false,
    fs: recordingFs(unreadable),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  throwIfAborted(options.signal);
  const failure = unreadable.find(({ path }) => path === folder);
  if (failure !== undefined) throw failure.error;
  return { files: files.map(normalize).sort(compareNatural), unreadable };
}

/** Order of paths in which "2" is before "10"; ties are broken by code units. */
export function compareNatural(a: string, b: string): number {
  return NATURAL.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}

/** node:fs, with every failure recorded before it is passed on. */
function recordingFs(unreadable: Listing['unreadable']): FileSystemAdapter {
  const record = (path: string, error: unknown) => {
    const tidy = path.length > 1 ? path.replace(/\/$/, '') : path;
    unreadable.push({ path: tidy, error: fromSystemError(error, tidy, 'list the folder') });
  };
  const watched = (call: (...args: never[]) => void) =>
    ((path: string, ...rest: unknown[]) => {
      const callback = rest.pop() as (error: unknown, ...results: unknown[]) => void;
      const done = (error: unknown, ...results: unknown[]) => {
        if (error != null) record(path, error);
        callback(error, ...results);
      };
      (call as (...args: unknown[]) => void)(path, ...rest, done);
    }) as never;
  return {
    readdir: watched(fs.readdir as never),
    realpath: watched(fs.realpath as never),
    stat: watched(fs.stat as never),
  };
}

/** The error of a folder in which nothing can be indexed. */
export function emptyFolder(folder: string, expected: string): CorvidError {
  return new CorvidError('ERR_SOURCE_EMPTY', 'nothing in the folder can be indexed', {
    path: folder,
    expected,
    hint: 'check the path and the ignore globs; to remove the folder from an index, use remove',
  });
}
