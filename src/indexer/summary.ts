// The summary of a build: what it did, and what the index is now.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCodec } from '../codec/codec.js';
import { native } from '../native/addon.js';
import type { Catalog } from '../store/catalog.js';
import { CATALOG_NAME, segmentFolder } from '../store/index-folder.js';
import type { BuildCounts, BuildSummary } from './settings/options.js';

const MAX_SKIPPED_IN_SUMMARY = 1000;

/** @param catalog of the index at `path`; null where there is none */
export async function summarise(
  path: string,
  catalog: Catalog | null,
  kind: BuildSummary['kind'],
  counts: BuildCounts,
): Promise<BuildSummary> {
  const { skippedFiles } = counts;
  return {
    ...(await describeIndex(path, catalog)),
    ...counts,
    path,
    kind,
    dryRun: false,
    estimate: null,
    skipped: skippedFiles.length,
    skippedFiles: skippedFiles.slice(0, MAX_SKIPPED_IN_SUMMARY),
    seconds: 0,
    phases: {},
  };
}

type Description = Pick<
  BuildSummary,
  'rows' | 'codec' | 'vectors' | 'segments' | 'diskBytes' | 'residentBytes'
>;

async function describeIndex(path: string, catalog: Catalog | null): Promise<Description> {
  const file = catalog?.settings().codec ?? null;
  if (catalog === null || file === null) {
    return { rows: 0, codec: null, vectors: false, segments: 0, diskBytes: 0, residentBytes: 0 };
  }
  const codec = openCodec(join(path, file.name));
  const segments = catalog.segments();
  let { residentBytes } = codec.info();
  for (const { number } of segments) {
    const segment = native.openSegment(segmentFolder(path, number), codec);
    residentBytes += segment.info().files.reduce((sum, file) => sum + file.residentBytes, 0);
    segment.close();
  }
  const catalogBytes = (await stat(join(path, CATALOG_NAME))).size;
  const segmentBytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  return {
    rows: segments.reduce((sum, { rows }) => sum + rows, 0) - catalog.removedCount(),
    codec: codec.info(),
    vectors: catalog.settings().vectors,
    segments: segments.length,
    diskBytes: segmentBytes + catalogBytes + codec.info().fileBytes,
    residentBytes,
  };
}
