// Captions and metadata of images: captions.jsonl or metadata.jsonl in a folder of images, or a
// file named by the caller. Each line is an object whose `file` names an image, relative to the
// folder that the file lies in (or, for the caller's, to a source folder).
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { CorvidError } from '../../errors.js';
import { itemFields } from '../../formats/item-fields.js';
import { readJsonLines } from '../../formats/json-lines.js';
import type { ItemFields } from '../../formats/vector-source.js';

const FILE_NAMES = new Set(['captions.jsonl', 'metadata.jsonl']);
const FILE_FIELDS = ['file', 'file_name'];
const EXCLUDED_FIELDS = new Set(FILE_FIELDS);

/** Caption fields of images, by absolute path. */
export type Captions = Map<string, ItemFields>;

/** Whether a listed file is one of the names that are read for captions. */
export function isCaptionsFile(path: string): boolean {
  return FILE_NAMES.has(basename(path).toLowerCase());
}

/**
 * Reads a captions file into `captions`; fields that the file does not mention are kept.
 * @param bases folders that a relative `file` is looked for in
 */
export async function readCaptions(
  path: string,
  bases: readonly string[],
  captions: Captions,
): Promise<void> {
  for await (const { line, value } of readJsonLines(path)) {
    const object = value as Record<string, unknown>;
    const file = FILE_FIELDS.map((field) => object[field]).find((v) => typeof v === 'string');
    if (typeof file !== 'string') {
      throw new CorvidError('ERR_SOURCE_INVALID', `line ${line} does not name a file`, {
        path,
        expected: 'an object with "file"',
        actual: Object.keys(object).join(', '),
      });
    }
    const { caption, metadata } = itemFields(object, EXCLUDED_FIELDS);
    for (const image of isAbsolute(file) ? [file] : bases.map((base) => resolve(base, file))) {
      const known = captions.get(image) ?? {};
      if (caption !== undefined) known.caption = caption;
      if (metadata !== undefined) known.metadata = { ...known.metadata, ...metadata };
      captions.set(image, known);
    }
  }
}

/** Reads the captions files among the listed files of a folder. */
export async function readFolderCaptions(
  files: readonly string[],
  captions: Captions,
): Promise<void> {
  for (const file of files.filter(isCaptionsFile)) {
    await readCaptions(file, [dirname(file)], captions);
  }
}
