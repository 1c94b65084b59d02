// Compares the images that the sources hold with those that the catalog has.
//
// An item is known by its path. Size and time of modification tell whether a file needs a closer
// look; whether its content changed is decided by its hash, when the bytes are read for embedding.
// An image that could not be looked at keeps its item: only what was seen to be gone is removed.
import { stat } from 'node:fs/promises';
import { CorvidError, fromSystemError, throwIfAborted } from '../../errors.js';
import type { SkippedFile } from '../options.js';
import type { ImageFile, ImageSources } from '../sources/open.js';
import { belowAny } from '../sources/roots.js';
import { reasonOf, stillSkipped } from './skipped.js';

/** What the catalog knows of an image. */
export interface IndexedImage {
  id: number;
  path: string;
  bytes: number;
  modifiedMs: number;
  sha256: string;
  caption: string | null;
  /** JSON text. */
  metadata: string | null;
}

/** A file that must be read. */
export interface PendingImage extends ImageFile {
  bytes: number;
  modifiedMs: number;
  /** The item that the catalog has under this path. */
  previous: IndexedImage | null;
}

/** New words for an item whose picture is the same. */
export interface NewWords {
  id: number;
  caption: string | null;
  metadata: string | null;
}

export interface Comparison {
  pending: PendingImage[];
  /** Skipped before, and not changed since. */
  stillSkipped: SkippedFile[];
  /** Could not be looked at this time. */
  unreadable: SkippedFile[];
  words: NewWords[];
  /** Items whose files are gone. */
  vanished: IndexedImage[];
  unchanged: number;
}

export interface CompareOptions {
  signal: AbortSignal | undefined;
  onFile: (done: number) => void;
}

const STATS_IN_FLIGHT = 32;

/** @param indexed all images of the catalog, in any order */
export async function compareImages(
  sources: ImageSources,
  indexed: Iterable<IndexedImage>,
  skippedBefore: ReadonlyMap<string, SkippedFile>,
  options: CompareOptions,
): Promise<Comparison> {
  const inRoots = belowAny(sources.roots);
  const known = new Map<string, IndexedImage>();
  for (const image of indexed) if (inRoots(image.path)) known.set(image.path, image);
  const result: Comparison = {
    pending: [],
    stillSkipped: [],
    unreadable: sources.unreadable.map(({ path, error }) => unreadable(path, error)),
    words: [],
    vanished: [],
    unchanged: 0,
  };
  for (let start = 0; start < sources.files.length; start += STATS_IN_FLIGHT) {
    throwIfAborted(options.signal);
    const files = sources.files.slice(start, start + STATS_IN_FLIGHT);
    const states = await Promise.all(files.map(({ path }) => stateOf(path)));
    files.forEach((file, i) => {
      const state = states[i] as FileState | CorvidError;
      const previous = known.get(file.path) ?? null;
      known.delete(file.path);
      if (state instanceof CorvidError) result.unreadable.push(unreadable(file.path, state));
      else sort(result, { ...file, ...state, previous }, sources, skippedBefore);
    });
    options.onFile(start + files.length);
  }
  const unlisted = belowAny(sources.unreadable.map(({ path }) => path));
  for (const image of known.values()) if (!unlisted(image.path)) result.vanished.push(image);
  return result;
}

function sort(
  result: Comparison,
  file: PendingImage,
  sources: ImageSources,
  skippedBefore: ReadonlyMap<string, SkippedFile>,
): void {
  const { previous } = file;
  if (previous?.bytes === file.bytes && previous.modifiedMs === file.modifiedMs) {
    result.unchanged++;
    const words = newWords(previous, sources);
    if (words !== null) result.words.push(words);
    return;
  }
  const before = skippedBefore.get(file.path);
  if (stillSkipped(before, file)) result.stillSkipped.push(before);
  else result.pending.push(file);
}

/**
 * What the captions say of `image` now, if it is not what its item has. Silence changes nothing.
 * @param path where the image is now
 */
export function newWords(
  image: IndexedImage,
  sources: ImageSources,
  path: string = image.path,
): NewWords | null {
  if (!sources.captions.has(path)) return null;
  const words = { id: image.id, ...wordsOf(path, sources) };
  const same = words.caption === image.caption && words.metadata === image.metadata;
  return same ? null : words;
}

/** Caption and metadata (JSON text) of a path, null where the sources have none. */
export function wordsOf(path: string, { captions }: ImageSources) {
  const fields = captions.get(path);
  return {
    caption: fields?.caption ?? null,
    metadata: fields?.metadata === undefined ? null : JSON.stringify(fields.metadata),
  };
}

interface FileState {
  bytes: number;
  modifiedMs: number;
}

async function stateOf(path: string): Promise<FileState | CorvidError> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, modifiedMs: Math.trunc(mtimeMs) };
  } catch (error) {
    return fromSystemError(error, path, 'look at the file');
  }
}

function unreadable(path: string, error: CorvidError): SkippedFile {
  return { path, code: error.code, reason: reasonOf(error), bytes: 0, modifiedMs: 0 };
}
