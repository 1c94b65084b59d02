// Folders of real pictures for builds.
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PICTURES } from './read-index.js';

export const NAMES = readdirSync(PICTURES).filter((name) => name.endsWith('.jpg'));

/** Copies pictures `first` .. `first` + `count` of NAMES into `folder`. @returns the folder */
export function copyPictures(folder: string, first: number, count: number): string {
  mkdirSync(folder, { recursive: true });
  for (const name of NAMES.slice(first, first + count)) {
    copyFileSync(join(PICTURES, name), join(folder, name));
  }
  return folder;
}
