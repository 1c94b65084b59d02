// Compares the given sources of vectors with those that the catalog has.
//
// A source is known by its path. With the same size and time it is unchanged; changed, its rows are
// replaced; gone from below the given sources, it has vanished.
import { CorvidError } from '../../errors.js';
import type { VectorSource } from '../../formats/vector-source.js';
import type { Catalog, SourceRecord } from '../../store/catalog.js';
import { catalogTime } from '../../store/catalog-writer.js';
import type { BuildCounts } from '../settings/options.js';
import type { VectorSources } from '../sources/open.js';
import { belowAny } from '../sources/roots.js';

export interface VectorComparison {
  added: VectorSource[];
  /** Sources whose rows are replaced, with what the catalog has of them. */
  changed: { source: VectorSource; previous: SourceRecord }[];
  unchanged: SourceRecord[];
  vanished: SourceRecord[];
}

/** @param catalog null: a new index */
export function compareSources(sources: VectorSources, catalog: Catalog | null): VectorComparison {
  const known = new Map(catalog?.sources().map((record) => [record.path, record]));
  const result: VectorComparison = { added: [], changed: [], unchanged: [], vanished: [] };
  for (const source of sources.sources) {
    const previous = known.get(source.path);
    known.delete(source.path);
    if (previous === undefined) result.added.push(source);
    else if (isSame(previous, source)) result.unchanged.push(previous);
    else result.changed.push({ source, previous });
  }
  const inRoots = belowAny(sources.roots);
  for (const record of known.values()) if (inRoots(record.path)) result.vanished.push(record);
  return result;
}

function isSame(record: SourceRecord, source: VectorSource): boolean {
  return (
    record.rows === source.rows &&
    record.bytes === source.bytes &&
    record.modified === catalogTime(source.modifiedMs)
  );
}

/** Throws ERR_DIMENSION unless all vectors have the same length, that of the index. */
export function checkDims(sources: readonly VectorSource[], indexDims: number | null): number {
  const dims = indexDims ?? sources[0]?.dims ?? 0;
  for (const source of sources) {
    if (source.dims === dims) continue;
    throw new CorvidError('ERR_DIMENSION', 'vectors of another length', {
      path: source.path,
      expected: `${dims} numbers, as ${indexDims === null ? sources[0]?.path : 'the index has'}`,
      actual: `${source.dims}`,
      hint: 'put vectors of different models into different indexes',
    });
  }
  return dims;
}

/** Rows that a comparison is about. */
export function countVectors(comparison: VectorComparison): Omit<BuildCounts, 'trained'> {
  const sum = (some: readonly { rows: number }[]) => some.reduce((rows, one) => rows + one.rows, 0);
  return {
    added: sum(comparison.added),
    changed: sum(comparison.changed.map(({ source }) => source)),
    touched: 0,
    removed: sum(comparison.vanished),
    unchanged: sum(comparison.unchanged),
    skippedFiles: [],
  };
}
