// What an index holds at one generation, read from its catalog as of one moment.
import type { EncoderFingerprint } from '../embed/embedder.js';
import type { Catalog } from '../store/catalog.js';
import type { ItemIds } from '../store/ids.js';
import { type IndexSnapshot, readSnapshot } from '../store/index-folder.js';

export interface Contents extends IndexSnapshot {
  /** Ids whose rows still lie in segments. */
  removed: ItemIds;
  encoder: EncoderFingerprint | null;
}

/** @throws ERR_NOT_AN_INDEX for a folder whose first build has not been committed. */
export function readContents(folder: string, catalog: Catalog): Contents {
  for (;;) {
    const version = catalog.version();
    const snapshot = readSnapshot(folder, catalog);
    const removed = catalog.removedIds();
    // A commit between two of these statements would show two generations at once.
    if (catalog.version() !== version) continue;
    const encoder = snapshot.settings.encoder as EncoderFingerprint | null;
    return { ...snapshot, removed, encoder };
  }
}
