// What the steps of one build share.
import type { Catalog } from '../../store/catalog.js';
import type { IndexWriter } from '../../store/index-folder.js';
import type { ProgressReporter } from './progress.js';
import type { BuildSettings } from './settings.js';

export interface BuildContext {
  settings: BuildSettings;
  progress: ProgressReporter;
  writer: IndexWriter;
}

/** The catalog of an index with at least one commit; null for a new one. */
export function liveCatalog(writer: IndexWriter): Catalog | null {
  return writer.isNew || writer.catalog.settings().codec === null ? null : writer.catalog;
}
