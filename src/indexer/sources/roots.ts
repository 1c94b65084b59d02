// Whether a path lies below one of the folders that a build was given.
import { sep } from 'node:path';

/** @returns a test for paths that are one of `folders` or lie below one */
export function belowAny(folders: readonly string[]): (path: string) => boolean {
  const exact = new Set(folders);
  const prefixes = folders.map((folder) => (folder.endsWith(sep) ? folder : folder + sep));
  return (path) => exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix));
}
