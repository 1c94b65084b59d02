// Builds or extends an index of ready-made vectors from what the comparison found.
//
// Changed rows are removed and added again with new ids. An item's id is its position over all
// sources in the order in which they were first indexed.
import type { EncoderFingerprint } from '../../embed/embedder.js';
import type { VectorSource } from '../../formats/vector-source.js';
import type { SourceRecord } from '../../store/catalog.js';
import { catalogTime } from '../../store/catalog-writer.js';
import { type Committed, commitChange } from '../commit/commit.js';
import { type BuildContext, liveCatalog } from '../settings/context.js';
import type { VectorComparison } from './compare.js';
import { SourceRows } from './source-rows.js';

/** Commits what `comparison` found. */
export function commitVectors(
  comparison: VectorComparison,
  dims: number,
  encoder: EncoderFingerprint | null,
  context: BuildContext,
): Promise<Committed> {
  const { added, changed, vanished } = comparison;
  const catalog = liveCatalog(context.writer);
  const before = catalog?.settings() ?? null;
  const replaced = changed.map(({ previous }) => previous);
  const numbers = catalog?.sources().map(({ number }) => number) ?? [];
  let nextNumber = Math.max(0, ...numbers) + 1;
  let nextId = before?.nextId ?? 0;
  const rowSources: SourceRows[] = [];
  const records: SourceRecord[] = [];
  for (const source of [...changed.map(({ source }) => source), ...added]) {
    rowSources.push(new SourceRows(source, nextNumber, nextId));
    records.push(recordOf(source, nextNumber, nextId));
    nextNumber++;
    nextId += source.rows;
  }
  return commitChange(
    {
      kind: 'vectors',
      dims,
      encoder,
      hasItems: before?.hasItems === true || rowSources.some(({ hasItems }) => hasItems),
      added: rowSources,
      nextId,
      removeIds: [...vanished, ...replaced].flatMap(idsOf),
      updateItems: [],
      putSources: records,
      dropSources: [...vanished, ...replaced].map(({ number }) => number),
    },
    context,
  );
}

function recordOf(source: VectorSource, number: number, firstId: number): SourceRecord {
  const { path, rows, bytes, hasItems } = source;
  const type = hasItems ? 'items' : 'vectors';
  const modified = catalogTime(source.modifiedMs);
  return { number, path, type, rows, bytes, modified, firstId, details: null };
}

function idsOf({ firstId, rows }: SourceRecord): number[] {
  return firstId === null ? [] : Array.from({ length: rows }, (_, i) => firstId + i);
}
