// A dry run: what a build would do, and how much memory and disk it would take. Nothing is written,
// embedded or locked.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG_NAME, openCatalog } from '../store/index-folder.js';
import { checkAgainstIndex } from './check.js';
import { compareWithCatalog } from './images/build-images.js';
import { forecast, readState } from './plan/forecast.js';
import { checkRemovals } from './removal.js';
import type { BuildCounts, BuildSummary } from './settings/options.js';
import type { ProgressReporter } from './settings/progress.js';
import type { BuildSettings } from './settings/settings.js';
import type { ImageSources, VectorSources } from './sources/open.js';
import { summarise } from './summary.js';
import { checkDims, compareSources, countVectors } from './vectors/compare.js';

export async function dryRun(
  sources: ImageSources | VectorSources,
  settings: BuildSettings,
  progress: ProgressReporter,
): Promise<BuildSummary> {
  const { out } = settings;
  const opened = existsSync(join(out, CATALOG_NAME)) ? openCatalog(out) : null;
  try {
    // A catalog without a codec is the start of a first build that was interrupted.
    const catalog = opened?.settings().codec == null ? null : opened;
    if (catalog !== null) checkAgainstIndex(catalog, sources.kind, settings);
    checkRemovals(settings.remove, sources.kind, catalog);
    const indexDims = catalog?.settings().dims ?? null;
    let dims = indexDims ?? settings.embedder?.fingerprint.dims ?? null;
    let counts: BuildCounts;
    if (sources.kind === 'vectors') {
      if (sources.sources.length > 0) dims = checkDims(sources.sources, indexDims);
      counts = { ...countVectors(compareSources(sources, catalog)), trained: false };
    } else {
      const comparison = await compareWithCatalog(sources, catalog, { settings, progress });
      const { pending, vanished, recaptioned, unchanged, stillSkipped, unreadable } = comparison;
      counts = {
        added: pending.filter(({ previous }) => previous === null).length,
        changed: pending.filter(({ previous }) => previous !== null).length,
        touched: recaptioned.length,
        removed: vanished.length,
        unchanged: unchanged - recaptioned.length,
        trained: false,
        skippedFiles: [...unreadable, ...stillSkipped],
      };
    }
    const summary = await summarise(out, catalog, sources.kind, counts);
    if (dims === null) return { ...summary, dryRun: true };
    const addedRows = counts.added + counts.changed;
    const work = {
      dims,
      addedRows,
      removedRows: counts.removed,
      hasItems: sources.kind === 'images' || sources.sources.some(({ hasItems }) => hasItems),
      journaled: sources.kind === 'images' ? addedRows : 0,
    };
    const { estimate } = forecast(readState(out, catalog), work, settings);
    return { ...summary, dryRun: true, estimate };
  } finally {
    opened?.close();
  }
}
