// What a build records about itself in the catalog (`build` of the settings), for the next build.
import type { IndexSettings } from '../../store/catalog.js';
import type { BuildChoice } from './choice.js';

export interface BuildRecord {
  kind: 'images' | 'vectors';
  /** Rows that there were when the codec was trained. */
  rowsAtTraining: number;
  /** What was chosen for so many rows; null until a codec is trained. */
  choice: BuildChoice | null;
  seed: number;
}

/** The record in the settings of a catalog; null in one that buildIndex did not make. */
export function buildRecordOf(settings: Pick<IndexSettings, 'build'>): BuildRecord | null {
  return settings.build as BuildRecord | null;
}
