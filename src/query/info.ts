// What is in an index and what it costs: the ledger, in bytes resident and on disk.
import { statSync } from 'node:fs';
import { fromSystemError } from '../errors.js';
import type { Catalog } from '../store/catalog.js';
import type { Snapshot } from './execute/snapshot.js';
import type { IndexInfo, LedgerEntry } from './types.js';

export async function describeIndex(catalog: Catalog, snapshot: Snapshot): Promise<IndexInfo> {
  const { contents, handles, images } = snapshot;
  const { settings, segments } = contents;
  const codec = handles.codec.info();
  const ledger = new Map<string, LedgerEntry>();
  const add = (name: string, residentBytes: number, diskBytes: number) => {
    const entry = ledger.get(name) ?? { name, residentBytes: 0, diskBytes: 0 };
    entry.residentBytes += residentBytes;
    entry.diskBytes += diskBytes;
    ledger.set(name, entry);
  };
  const infos = handles.segments.map((segment) => segment.info());
  for (const { files } of infos) {
    for (const { name, bytes, residentBytes } of files) add(name, residentBytes, bytes);
  }
  add('codec', codec.residentBytes, codec.fileBytes);
  if (settings.routing !== null) add('routing', settings.routing.bytes, settings.routing.bytes);
  add('catalog', 0, fileBytes(catalog.path));
  const entries = [...ledger.values()];
  const perImage = (bytes: (entry: LedgerEntry) => number) =>
    images === 0 ? 0 : entries.reduce((sum, entry) => sum + bytes(entry), 0) / images;
  return {
    path: contents.path,
    generation: settings.generation,
    images,
    segments: segments.length,
    dims: snapshot.dims,
    levels: [...snapshot.shape.levels],
    missingLevels: codec.levels.filter((level) => !snapshot.shape.levels.includes(level)),
    missingVectors: infos.some((segment) => segment.missingVectors),
    vectors: snapshot.shape.vectors,
    encoder: contents.encoder,
    codec,
    writtenBy: settings.writtenBy,
    settings: settings.build,
    recallCard: snapshot.card,
    ledger: entries,
    residentBytesPerImage: perImage((entry) => entry.residentBytes),
    diskBytesPerImage: perImage((entry) => entry.diskBytes),
  };
}

function fileBytes(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw fromSystemError(error, path, 'reading the size of the catalog');
  }
}
