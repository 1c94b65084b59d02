// Reads every byte of an index, and compares what its files say of one another.
//
// All faults are collected, not only the first, so that the report says how much is lost.
import { join } from 'node:path';
import { CorvidError, throwIfAborted } from '../errors.js';
import { fromNative, type NativeSegment, native } from '../native/addon.js';
import type { Catalog } from './catalog.js';
import { checksumFile } from './files.js';
import { rowIndexes } from './ids.js';
import { CATALOG_NAME, type IndexSnapshot, openCatalog, readSnapshot } from './index-folder.js';

/** Rows whose ids are read at once. */
const SLICE_ROWS = 65_536;

/** Faults of one kind that are listed one by one. */
const LISTED_FAULTS = 10;

/** What verification has read, and the faults it has found. */
export interface VerifyFindings {
  files: number;
  bytes: number;
  rows: number;
  /** Empty for an intact index. */
  faults: CorvidError[];
}

/**
 * Verifies the index at `path`: SQLite's own check of the catalog, every checksum of every file,
 * and that catalog and segments hold the same items.
 * @throws CorvidError ERR_NOT_FOUND, ERR_NOT_AN_INDEX, ERR_FORMAT_TOO_NEW, … if there is nothing
 *   that could be verified; ERR_ABORTED
 */
export async function verifyIndex(path: string, signal?: AbortSignal): Promise<VerifyFindings> {
  const catalog = openCatalog(path);
  try {
    const snapshot = readSnapshot(path, catalog);
    const verification = new Verification(catalog, snapshot, signal);
    await verification.run();
    return verification.findings;
  } finally {
    catalog.close();
  }
}

class Verification {
  readonly findings: VerifyFindings = { files: 0, bytes: 0, rows: 0, faults: [] };
  readonly #catalog: Catalog;
  readonly #snapshot: IndexSnapshot;
  readonly #signal: AbortSignal | undefined;

  constructor(catalog: Catalog, snapshot: IndexSnapshot, signal: AbortSignal | undefined) {
    this.#catalog = catalog;
    this.#snapshot = snapshot;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    this.#checkCatalog();
    await this.#guard(async () => this.#count(await native.verifyFile(this.#snapshot.codecPath)));
    await this.#guard(async () => this.#checkRouting());
    const opened: NativeSegment[] = [];
    const intact: NativeSegment[] = [];
    await this.#guard(async () => {
      const codec = native.openCodec(this.#snapshot.codecPath);
      for (const record of this.#snapshot.segments) {
        await this.#guard(async () => {
          const segment = native.openSegment(record.dir, codec);
          opened.push(segment);
          const { files, bytes } = await segment.verify();
          this.#count(bytes, files);
          this.#compareRecord(record, segment);
          intact.push(segment);
        });
      }
    });
    // With a segment missing or damaged, each of its items would be reported as another fault.
    if (intact.length === this.#snapshot.segments.length) {
      await this.#guard(() => this.#compareItems(intact));
    }
    for (const segment of opened) segment.close();
  }

  #checkCatalog(): void {
    const { bytes } = checksumFile(join(this.#snapshot.path, CATALOG_NAME));
    this.#count(bytes);
    for (const fault of this.#catalog.integrityFaults()) {
      this.#fault(this.#catalog.path, `SQLite finds: ${fault}`);
    }
  }

  #checkRouting(): void {
    const { settings, routingPath } = this.#snapshot;
    if (settings.routing === null || routingPath === null) return;
    const { bytes, crc32c } = checksumFile(routingPath);
    this.#count(bytes);
    if (bytes === settings.routing.bytes && crc32c === settings.routing.crc32c) return;
    const describe = (size: number, checksum: number) => `${size} bytes, CRC32C ${checksum}`;
    this.#fault(routingPath, 'the file differs from its record in the catalog', {
      expected: describe(settings.routing.bytes, settings.routing.crc32c),
      actual: describe(bytes, crc32c),
    });
  }

  #compareRecord(record: IndexSnapshot['segments'][number], segment: NativeSegment): void {
    const { rows, uuid } = segment.info();
    this.findings.rows += rows;
    if (rows === record.rows && uuid === record.uuid) return;
    this.#fault(record.dir, 'the segment differs from its record in the catalog', {
      expected: `segment ${record.uuid} of ${record.rows} rows`,
      actual: `segment ${uuid} of ${rows} rows`,
    });
  }

  /** Every row belongs to one item, or one removed item, and every item has a row. */
  async #compareItems(segments: readonly NativeSegment[]): Promise<void> {
    const { hasItems, nextId } = this.#snapshot.settings;
    const items = hasItems ? this.#catalog.where('1') : null;
    const seen = new IdSet(nextId, items && merged(items, this.#catalog.removedIds()));
    const listed = this.#lister();
    for (const [index, segment] of segments.entries()) {
      const path = (this.#snapshot.segments[index] as { dir: string }).dir;
      for await (const ids of this.#rowIds(segment)) {
        for (const id of ids) {
          const entry = seen.enter(id);
          if (entry === 'unknown') listed(path, 'a row of an item that is not in the catalog', id);
          if (entry === 'again') listed(path, 'a second row of an item', id);
        }
      }
    }
    for (const id of items ?? []) {
      if (!seen.has(id)) listed(this.#catalog.path, 'an item without a row', id);
    }
  }

  /** Lists the first faults of a kind and omits the rest. */
  #lister(): (path: string, what: string, id: number) => void {
    const counts = new Map<string, number>();
    return (path, what, id) => {
      const count = (counts.get(what) ?? 0) + 1;
      counts.set(what, count);
      if (count <= LISTED_FAULTS) this.#fault(path, what, { actual: `item ${id}` });
    };
  }

  /** Item ids of all rows, in slices between which other work may run. */
  async *#rowIds(segment: NativeSegment): AsyncIterableIterator<Float64Array> {
    const { rows } = segment.info();
    for (let first = 0; first < rows; first += SLICE_ROWS) {
      throwIfAborted(this.#signal);
      const length = Math.min(SLICE_ROWS, rows - first);
      const slice = rowIndexes(Float64Array.from({ length }, (_, i) => first + i));
      yield segment.itemIds(slice);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #count(bytes: number, files = 1): void {
    this.findings.files += files;
    this.findings.bytes += bytes;
  }

  #fault(path: string, what: string, found: { expected?: string; actual?: string } = {}): void {
    this.findings.faults.push(
      new CorvidError('ERR_FORMAT_CORRUPT', what, {
        path,
        ...found,
        hint: 'restore the index from a copy, or build it again',
      }),
    );
  }

  /** Runs one step. An error about the index becomes a fault, and the next step runs. */
  async #guard(step: () => Promise<void>): Promise<void> {
    throwIfAborted(this.#signal);
    try {
      await step();
    } catch (error) {
      const known = fromNative(error);
      if (!(known instanceof CorvidError) || known.code === 'ERR_ABORTED') throw known;
      this.findings.faults.push(known);
    }
  }
}

/** Which ids may exist, and which have been met; a bit each. */
class IdSet {
  readonly #known: Float64Array | null;
  readonly #nextId: number;
  readonly #met: Uint8Array;

  /** @param known ascending; null for all ids below `nextId`. */
  constructor(nextId: number, known: Float64Array | null) {
    this.#known = known;
    this.#nextId = nextId;
    this.#met = new Uint8Array(Math.ceil((known?.length ?? nextId) / 8));
  }

  enter(id: number): 'first' | 'again' | 'unknown' {
    const index = this.#indexOf(id);
    if (index < 0) return 'unknown';
    if (this.#isMet(index)) return 'again';
    const byte = Math.floor(index / 8);
    this.#met[byte] = (this.#met[byte] as number) | (1 << (index % 8));
    return 'first';
  }

  has(id: number): boolean {
    const index = this.#indexOf(id);
    return index >= 0 && this.#isMet(index);
  }

  #isMet(index: number): boolean {
    return ((this.#met[Math.floor(index / 8)] as number) & (1 << (index % 8))) !== 0;
  }

  #indexOf(id: number): number {
    if (this.#known === null) return id < this.#nextId ? id : -1;
    return indexOf(this.#known, id);
  }
}

/** The numbers of both, ascending. */
function merged(a: Float64Array, b: Float64Array): Float64Array {
  const all = new Float64Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all.sort();
}

/** Position of `id` in ascending `ids`, or -1. */
function indexOf(ids: Float64Array, id: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id ? low : -1;
}
