// A dry run: what a build would do and take. Nothing is written, embedded or locked.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CATALOG_NAME, openCatalog } from '../../store/index-folder.js';
import { checkAgainst } from '../check.js';
import { compareWithCatalog } from '../images/build-images.js';
import type { BuildSummary, Settings } from '../options.js';
import type { Progress } from '../progress.js';
import { checkRemovals } from '../removal.js';
import type { ImageSources, VectorSources } from '../sources/open.js';
import { type Counts, summarise } from '../summary.js';
import { checkDims, compareSources, countVectors } from '../vectors/build-vectors.js';
import { forecast, readState } from './forecast.js';

export async function dryRun(
  sources: ImageSources | VectorSources,
  settings: Settings,
  progress: Progress,
): Promise<BuildSummary> {
  const { out } = settings;
  const opened = existsSync(join(out, CATALOG_NAME)) ? openCatalog(out) : null;
  try {
    // A catalog without a codec is the start of a first build that was interrupted.
    const catalog = opened?.settings().codec == null ? null : opened;
    if (catalog !== null) checkAgainst(catalog, sources.kind, settings);
    checkRemovals(settings.remove, sources.kind, catalog);
    const indexDims = catalog?.settings().dims ?? null;
    let dims = indexDims ?? settings.embedder?.fingerprint.dims ?? null;
    let counts: Counts;
    if (sources.kind === 'vectors') {
      if (sources.sources.length > 0) dims = checkDims(sources.sources, indexDims);
      counts = { ...countVectors(compareSources(sources, catalog)), trained: false };
    } else {
      const comparison = await compareWithCatalog(sources, catalog, { settings, progress });
      const { pending, vanished, words, unchanged, stillSkipped, unreadable } = comparison;
      counts = {
        added: pending.filter(({ previous }) => previous === null).length,
        changed: pending.filter(({ previous }) => previous !== null).length,
        touched: words.length,
        removed: vanished.length,
        unchanged: unchanged - words.length,
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
