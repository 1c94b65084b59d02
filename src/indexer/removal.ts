// Removing sources from an index: a build that is told to remove a path treats it as a source that
// is empty now, whatever is on the disk.
import { resolve } from 'node:path';
import { CorvidError } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import { openCatalog } from '../store/index-folder.js';
import { type BuildRecord, buildRecordOf } from './plan/build-record.js';
import type { BuildSettings } from './settings/settings.js';
import type { ImageSources, VectorSources } from './sources/open.js';
import { belowAny } from './sources/roots.js';

/** What a removed path may be called in the catalog: streams and tables have names, not paths. */
function namesOf(path: string): string[] {
  return [...new Set([path, resolve(path)])];
}

/** `sources`, or none of the index's kind, with what is to be removed among their roots. */
export function withRemovals<Sources extends ImageSources | VectorSources>(
  sources: Sources,
  { remove }: BuildSettings,
): Sources {
  const removed = remove.flatMap(namesOf);
  const both = [
    ...sources.roots.filter(belowAny(removed)),
    ...removed.filter(belowAny(sources.roots)),
  ];
  if (both.length > 0) {
    throw new CorvidError('ERR_USAGE', 'a source is both indexed and removed', {
      path: both[0] as string,
      hint: 'exclude files with ignore',
    });
  }
  return { ...sources, roots: [...sources.roots, ...removed] };
}

/** No sources, of the kind that the index at `out` is. */
export function noSources(out: string): ImageSources | VectorSources {
  const catalog = openCatalog(out);
  try {
    const kind = buildRecordOf(catalog.settings())?.kind;
    if (kind !== 'images') return { kind: 'vectors', sources: [], roots: [] };
    return { kind, files: [], captions: new Map(), unreadable: [], roots: [] };
  } finally {
    catalog.close();
  }
}

/** @throws ERR_NOT_FOUND for a path to be removed of which the index has nothing */
export function checkRemovals(
  remove: readonly string[],
  kind: BuildRecord['kind'],
  catalog: Catalog | null,
): void {
  const missing = new Map(remove.map((path) => [path, belowAny(namesOf(path))]));
  const known = catalog === null ? [] : kind === 'images' ? catalog.files() : catalog.sources();
  for (const { path } of missing.size === 0 ? [] : known) {
    if (path === null) continue;
    for (const [removed, isBelow] of missing) if (isBelow(path)) missing.delete(removed);
    if (missing.size === 0) return;
  }
  for (const path of missing.keys()) {
    throw new CorvidError('ERR_NOT_FOUND', 'the index holds nothing from the path to remove', {
      path,
      hint: 'give a folder or file as it was given to the build',
    });
  }
}
