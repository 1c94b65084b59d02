// Builds or extends an index of ready-made vectors.
//
// A source is known by its path. With the same size and time it is left alone; changed, its rows
// are removed and added again with new ids; gone from below the given sources, it is removed. An
// item's id is its position over all sources in the order in which they were first indexed.
import type { EncoderFingerprint } from '../../embed/embedder.js';
import { CorvidError } from '../../errors.js';
import type { ItemFields, VectorSource } from '../../formats/vector-source.js';
import type { Catalog, SourceRecord } from '../../store/catalog.js';
import type { NewItem } from '../../store/catalog-writer.js';
import { type Change, type Committed, commitChange } from '../commit/commit.js';
import { SourceRows } from '../commit/rows.js';
import { type BuildContext, liveCatalog } from '../context.js';
import { isoTime } from '../images/items.js';
import type { VectorSources } from '../sources/open.js';
import { belowAny } from '../sources/roots.js';
import type { Counts } from '../summary.js';

export interface VectorComparison {
  added: VectorSource[];
  /** Sources whose rows are replaced, with what the catalog has of them. */
  changed: { source: VectorSource; previous: SourceRecord }[];
  unchanged: SourceRecord[];
  vanished: SourceRecord[];
}

/** Compares opened sources with those of the catalog (null: a new index). */
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
    record.modified === isoTime(source.modifiedMs)
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
      hint: 'vectors of different models belong into different indexes',
    });
  }
  return dims;
}

/** Commits what `comparison` found. */
export function commitVectors(
  comparison: VectorComparison,
  dims: number,
  encoder: EncoderFingerprint | null,
  context: BuildContext,
): Promise<Committed> {
  const { writer } = context;
  const { added, changed, vanished } = comparison;
  const catalog = liveCatalog(writer);
  const before = catalog?.settings() ?? null;
  const replaced = changed.map(({ previous }) => previous);
  const numbers = catalog?.sources().map(({ number }) => number) ?? [];
  let nextNumber = Math.max(0, ...numbers) + 1;
  let nextId = before?.nextId ?? 0;
  const rows: SourceRows[] = [];
  const records: SourceRecord[] = [];
  for (const source of [...changed.map(({ source }) => source), ...added]) {
    const number = nextNumber++;
    const firstId = nextId;
    rows.push(
      new SourceRows(source, firstId, (first, items) => {
        writer.catalog.addItems(items.map((fields, i) => newItem(first + i, number, fields)));
      }),
    );
    records.push(recordOf(source, number, firstId));
    nextId += source.rows;
  }
  const change: Change = {
    kind: 'vectors',
    dims,
    encoder,
    hasItems: before?.hasItems === true || records.some(({ type }) => type === 'items'),
    added: rows,
    addItems: () => {},
    nextId,
    removeIds: [...vanished, ...replaced].flatMap(idsOf),
    updateItems: [],
    putSources: records,
    dropSources: [...vanished, ...replaced].map(({ number }) => number),
  };
  return commitChange(change, context);
}

function newItem(id: number, source: number, fields: ItemFields): NewItem {
  const { key, path, caption, metadata } = fields;
  return {
    id,
    source,
    key: key ?? String(id),
    path: path ?? null,
    caption: caption ?? null,
    metadata: metadata ?? null,
  };
}

function recordOf(source: VectorSource, number: number, firstId: number): SourceRecord {
  const { path, rows, bytes, modifiedMs, hasItems } = source;
  const type = hasItems ? 'items' : 'vectors';
  return { number, path, type, rows, bytes, modified: isoTime(modifiedMs), firstId, details: null };
}

function idsOf({ firstId, rows }: SourceRecord): number[] {
  return firstId === null ? [] : Array.from({ length: rows }, (_, i) => firstId + i);
}

/** Rows that a comparison is about. */
export function countVectors(comparison: VectorComparison): Omit<Counts, 'trained'> {
  const rowsOf = (some: readonly { rows: number }[]) =>
    some.reduce((sum, { rows }) => sum + rows, 0);
  return {
    added: rowsOf(comparison.added),
    changed: rowsOf(comparison.changed.map(({ source }) => source)),
    touched: 0,
    removed: rowsOf(comparison.vanished),
    unchanged: rowsOf(comparison.unchanged),
    skippedFiles: [],
  };
}
