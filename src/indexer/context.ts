// What the parts of one build share.
import type { Catalog } from '../store/catalog.js';
import type { IndexWriter } from '../store/index-folder.js';
import type { Settings } from './options.js';
import type { BuildChoice } from './plan/choice.js';
import type { Progress } from './progress.js';

export interface BuildContext {
  settings: Settings;
  progress: Progress;
  writer: IndexWriter;
}

/** What a build remembers of itself in the catalog (settings.build). */
export interface BuildRecord {
  kind: 'images' | 'vectors';
  /** Rows that there were when the codec was trained. */
  rowsAtTraining: number;
  /** What was chosen for so many rows; null until a codec is trained. */
  choice: BuildChoice | null;
  seed: number;
}

/** The catalog of an index to which something was committed; null for a new one. */
export function liveCatalog(writer: IndexWriter): Catalog | null {
  return writer.isNew || writer.catalog.settings().codec === null ? null : writer.catalog;
}
