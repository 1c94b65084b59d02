// Compares the images that the sources hold with those that the catalog has.
//
// An item is known by its path. Size and time of modification tell whether a file must be read;
// whether its content has changed is decided by its hash, when the bytes are read for embedding.
// An image that could not be checked keeps its item: only what was seen to be gone is removed.
import { CorvidError, throwIfAborted } from '../../errors.js';
import type { KnownFile } from '../../store/catalog.js';
import { catalogTime } from '../../store/catalog-writer.js';
import type { SkippedFile } from '../settings/options.js';
import type { ImageFile, ImageSources } from '../sources/open.js';
import { belowAny } from '../sources/roots.js';
import { type FileState, fileStateOf } from './file-state.js';
import { captionUpdate, type ItemUpdate } from './items.js';
import { isStillSkipped, reasonOf } from './skipped.js';

/** A file that must be read. */
export interface PendingImage extends ImageFile, FileState {
  /** The item that the catalog has under this path. */
  previous: KnownFile | null;
}

export interface ImageComparison {
  pending: PendingImage[];
  /** Skipped before, and not changed since. */
  stillSkipped: SkippedFile[];
  /** Could not be checked this time. */
  unreadable: SkippedFile[];
  /** Items whose captions or metadata alone have changed. */
  recaptioned: ItemUpdate[];
  /** Items whose files are gone. */
  vanished: KnownFile[];
  /** Files with the size and time of their items, those of `recaptioned` included. */
  unchanged: number;
}

export interface CompareOptions {
  signal: AbortSignal | undefined;
  onFile: (done: number) => void;
}

const STATS_IN_FLIGHT = 32;

/** @param known all files of the catalog, in any order */
export async function compareImages(
  sources: ImageSources,
  known: Iterable<KnownFile>,
  skippedBefore: ReadonlyMap<string, SkippedFile>,
  options: CompareOptions,
): Promise<ImageComparison> {
  const inRoots = belowAny(sources.roots);
  const byPath = new Map<string, KnownFile>();
  for (const file of known) {
    if (file.path !== null && inRoots(file.path)) byPath.set(file.path, file);
  }
  const result: ImageComparison = {
    pending: [],
    stillSkipped: [],
    unreadable: sources.unreadable.map(({ path, error }) => unreadable(path, error)),
    recaptioned: [],
    vanished: [],
    unchanged: 0,
  };
  for (let start = 0; start < sources.files.length; start += STATS_IN_FLIGHT) {
    throwIfAborted(options.signal);
    const files = sources.files.slice(start, start + STATS_IN_FLIGHT);
    const states = await Promise.all(files.map(({ path }) => fileStateOf(path)));
    files.forEach((file, i) => {
      const state = states[i] as FileState | CorvidError;
      const previous = byPath.get(file.path) ?? null;
      byPath.delete(file.path);
      if (state instanceof CorvidError) result.unreadable.push(unreadable(file.path, state));
      else sort(result, { ...file, ...state, previous }, sources, skippedBefore);
    });
    options.onFile(start + files.length);
  }
  const isUnlisted = belowAny(sources.unreadable.map(({ path }) => path));
  for (const [path, file] of byPath) if (!isUnlisted(path)) result.vanished.push(file);
  return result;
}

function sort(
  result: ImageComparison,
  file: PendingImage,
  { captions }: ImageSources,
  skippedBefore: ReadonlyMap<string, SkippedFile>,
): void {
  const { previous } = file;
  if (previous?.bytes === file.bytes && previous.modified === catalogTime(file.modifiedMs)) {
    result.unchanged++;
    const update = captionUpdate(previous, captions);
    if (update !== null) result.recaptioned.push(update);
    return;
  }
  const before = skippedBefore.get(file.path);
  if (isStillSkipped(before, file)) result.stillSkipped.push(before);
  else result.pending.push(file);
}

function unreadable(path: string, error: CorvidError): SkippedFile {
  return { path, code: error.code, reason: reasonOf(error), bytes: 0, modifiedMs: 0 };
}
