// What a build of images comes to: which journaled images are added, which items are removed, which
// files were skipped. A pure function of the journal and the comparison.
import type { SkippedFile } from '../settings/options.js';
import type { ImageComparison, PendingImage } from './compare.js';
import { isSameState } from './file-state.js';
import type { ItemUpdate } from './items.js';
import type { Journal, JournaledImage } from './journal.js';

/** Reasons that say nothing about a file's content: its item stays. */
const NOT_ABOUT_CONTENT = new Set(['ERR_PERMISSION', 'ERR_IO', 'ERR_NOT_FOUND']);

export interface Outcome {
  /** To be added, in the order of the listing. */
  images: JournaledImage[];
  /** Items whose file has new content. */
  replacedIds: number[];
  /** Items whose file is gone, or cannot be used any more. */
  goneIds: number[];
  skipped: SkippedFile[];
}

/**
 * @param touched items whose content was found in another file or with a new time
 * @param journal null where nothing had to be embedded
 */
export function outcomeOf(
  comparison: ImageComparison,
  touched: readonly ItemUpdate[],
  journal: Journal | null,
): Outcome {
  const found = new Set(touched.map(({ id }) => id));
  const vanished = comparison.vanished.filter(({ id }) => !found.has(id));
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
    if (image !== undefined && isSameState(image, file)) {
      outcome.images.push(image);
      outcome.replacedIds.push(...previousIds);
    } else if (skip !== undefined && isSameState(skip, file)) {
      outcome.skipped.push(skip);
      if (!NOT_ABOUT_CONTENT.has(skip.code)) outcome.goneIds.push(...previousIds);
    }
  }
  return outcome;
}

/** Whether the journal has an entry for this state of a file. */
export function isJournaled(journal: Journal, file: PendingImage): boolean {
  const entry = journal.images.get(file.path) ?? journal.skipped.get(file.path);
  return entry !== undefined && isSameState(entry, file);
}
