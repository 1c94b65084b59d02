// What a build of images comes to: which journaled images are added, which items go, which files
// were skipped. Pure: the journal and the comparison decide.
import type { SkippedFile } from '../options.js';
import type { Comparison, PendingImage } from './compare.js';
import type { TouchedImage } from './embed.js';
import type { Journal, JournaledImage } from './journal.js';

/** Reasons that say nothing about a file's content: an item keeps its place for these. */
const NOT_ABOUT_CONTENT = new Set(['ERR_PERMISSION', 'ERR_IO', 'ERR_NOT_FOUND']);

export interface Outcome {
  /** To be added, in the order of the listing. */
  images: JournaledImage[];
  /** Items whose file has another content by now. */
  replacedIds: number[];
  /** Items whose file is gone, or can be used no more. */
  goneIds: number[];
  skipped: SkippedFile[];
}

/** @param journal null where nothing had to be embedded */
export function outcomeOf(
  comparison: Comparison,
  touched: readonly TouchedImage[],
  journal: Journal | null,
): Outcome {
  const moved = new Set(touched.map(({ item }) => item.id));
  const vanished = comparison.vanished.filter(({ id }) => !moved.has(id));
  const outcome: Outcome = {
    images: [],
    replacedIds: [],
    goneIds: vanished.map(({ id }) => id),
    skipped: [...comparison.unreadable, ...comparison.stillSkipped],
  };
  for (const file of comparison.pending) {
    const previousIds = file.previous === null ? [] : [file.previous.id];
    const image = journal?.images.get(file.path);
    const skip = journal?.skipped.get(file.path);
    if (image !== undefined && isSameFile(image, file)) {
      outcome.images.push(image);
      outcome.replacedIds.push(...previousIds);
    } else if (skip !== undefined && isSameFile(skip, file)) {
      outcome.skipped.push(skip);
      if (!NOT_ABOUT_CONTENT.has(skip.code)) outcome.goneIds.push(...previousIds);
    }
  }
  return outcome;
}

/** Whether the journal has dealt with this state of a file. */
export function isJournaled(journal: Journal, file: PendingImage): boolean {
  const entry = journal.images.get(file.path) ?? journal.skipped.get(file.path);
  return entry !== undefined && isSameFile(entry, file);
}

function isSameFile(
  entry: { bytes: number; modifiedMs: number },
  file: { bytes: number; modifiedMs: number },
): boolean {
  return entry.bytes === file.bytes && entry.modifiedMs === file.modifiedMs;
}
