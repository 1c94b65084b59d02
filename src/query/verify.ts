// Verification: every checksum of every file, and that catalog and segments speak of the same items.
import { CorvidError, throwIfAborted } from '../errors.js';
import { fromNative, native } from '../native.js';
import { verifyRoutingFile } from '../partition/routing.js';
import type { Catalog } from '../store/catalog.js';
import type { Snapshot } from './snapshot.js';
import { itemIds } from './stages.js';
import type { VerifyReport } from './types.js';

/** Rows whose ids are read at once. */
const SLICE_ROWS = 65_536;

/** @throws ERR_FORMAT_CORRUPT at the first fault, ERR_ABORTED. */
export async function verifyIndex(
  catalog: Catalog,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<VerifyReport> {
  const report: VerifyReport = { files: 1, bytes: 0 };
  const { contents, handles, router } = snapshot;
  const [fault] = catalog.integrityFaults();
  if (fault !== undefined) throw corrupt(catalog.path, `SQLite finds: ${fault}`);
  try {
    report.bytes += await native.verifyFile(contents.codecPath);
    report.files += 1;
  } catch (error) {
    throw fromNative(error);
  }
  const { routing } = contents.settings;
  if (router.path !== null && routing !== null) {
    await verifyRoutingFile(router.path, routing);
    report.files += 1;
    report.bytes += routing.bytes;
  }
  for (const segment of handles.segments) {
    throwIfAborted(signal);
    try {
      const { files, bytes } = await segment.verify();
      report.files += files;
      report.bytes += bytes;
    } catch (error) {
      throw fromNative(error);
    }
  }
  await compareWithCatalog(catalog, snapshot, signal);
  return report;
}

/** Every row belongs to one item of the catalog or to a removed one, and every item has a row. */
async function compareWithCatalog(
  catalog: Catalog,
  snapshot: Snapshot,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { contents, handles, shape } = snapshot;
  contents.segments.forEach((record, i) => {
    const { rows, uuid } = (handles.segments[i] as (typeof handles.segments)[number]).info();
    const path = record.dir;
    if (rows !== record.rows) {
      throw corrupt(path, 'another number of rows than in the catalog', record.rows, rows);
    }
    if (uuid !== record.uuid) {
      throw corrupt(path, 'another segment than in the catalog', record.uuid, uuid);
    }
  });
  if (!contents.settings.hasItems) return;
  const awaited = new Set<number>(catalog.where('1'));
  for (const id of contents.removed) awaited.add(id);
  for (let first = 0; first < shape.rows; first += SLICE_ROWS) {
    const length = Math.min(SLICE_ROWS, shape.rows - first);
    const ids = itemIds(
      handles,
      Float64Array.from({ length }, (_, i) => first + i),
    );
    for (const id of ids) {
      if (awaited.delete(id)) continue;
      const what = `item ${id} has two rows, or a row but no entry in the catalog`;
      throw corrupt(contents.path, what);
    }
    await new Promise((resolve) => setImmediate(resolve));
    throwIfAborted(signal);
  }
  const [lost] = awaited;
  if (lost !== undefined) throw corrupt(contents.path, `item ${lost} has no row in any segment`);
}

function corrupt(
  path: string,
  what: string,
  expected?: number | string,
  actual?: number | string,
): CorvidError {
  return new CorvidError('ERR_FORMAT_CORRUPT', what, {
    path,
    ...(expected === undefined ? {} : { expected: String(expected) }),
    ...(actual === undefined ? {} : { actual: String(actual) }),
    hint: 'restore the index from a copy, or build it again',
  });
}
