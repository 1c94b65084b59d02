// The writing side of the catalog: items ahead of a commit, and the commit itself.
//
// `commit` is the only step that changes what readers see, and it is one transaction. Items are
// added before it, in small transactions of their own: their ids are `nextId` or above, so readers
// do not see them until the commit raises `nextId`. `dropUncommitted` removes what an
// interrupted build has left. The caller holds the index's write lock.
import {
  type CalibrationRecord,
  Catalog,
  type CatalogItem,
  type IndexSettings,
  type SegmentRecord,
  type SourceRecord,
} from './catalog.js';
import { createDatabase, ITEM_COLUMNS, openDatabase } from './catalog-schema.js';

/** A time as the catalog keeps it: ISO 8601 in UTC with milliseconds. */
export function catalogTime(ms: number): string {
  return new Date(Math.trunc(ms)).toISOString();
}

/** An item to be added, with the fields that are known. */
export type NewItem = Pick<CatalogItem, 'id' | 'key'> &
  Partial<Omit<CatalogItem, 'id' | 'key'>> & {
    /** Number of the source it comes from. */
    source?: number | null;
  };

/** Settings of a new index. */
export type InitialSettings = Omit<
  IndexSettings,
  'generation' | 'lastNumber' | 'codec' | 'routing'
>;

/** One step from a state of the index to the next. What is omitted stays as it is. */
export interface Commit {
  /** `generation` is counted here and cannot be set. */
  settings?: Partial<Omit<IndexSettings, 'generation'>>;
  addSegments?: readonly SegmentRecord[];
  /** Numbers of segments. */
  dropSegments?: readonly number[];
  /** Replaces the record of the same number, if there is one. */
  putSources?: readonly SourceRecord[];
  /** Numbers of sources. */
  dropSources?: readonly number[];
  /** New values of committed items (a file that moved, a new caption). Their ids stay. */
  updateItems?: Iterable<NewItem>;
  /** Items to remove. Their ids count as removed while their rows are in live segments. */
  removeIds?: Iterable<number>;
  /** Replaces all of the calibration. */
  calibration?: readonly CalibrationRecord[];
  /** Forget all removed ids, those of `removeIds` too: no live segment holds their rows any more. */
  forgetRemoved?: boolean;
}

/** Catalog of an index that is being written. */
export class CatalogWriter extends Catalog {
  /** Makes the catalog of a new index. */
  static create(path: string, settings: InitialSettings): CatalogWriter {
    const writer = new CatalogWriter(path, createDatabase(path));
    writer.#transaction('making the catalog', () => {
      const start = { codec: null, routing: null, generation: 0, lastNumber: 0 };
      writer.#putSettings({ ...settings, ...start });
    });
    return writer;
  }

  /** @throws CorvidError as openDatabase does */
  static override open(path: string): CatalogWriter {
    return new CatalogWriter(path, openDatabase(path, 'write'));
  }

  /**
   * Adds items that the next commit shows. Ids must be `nextId` or above, each given once.
   * Each call is one transaction: pass thousands at a time.
   */
  addItems(items: Iterable<NewItem>): void {
    this.#transaction('adding items', () => {
      const insert = this.prepare(INSERT_ITEM);
      for (const item of items) insert.run(itemValues(item));
    });
  }

  /** Removes items that were added and never committed. */
  dropUncommitted(): void {
    this.#transaction('dropping uncommitted items', () => {
      this.prepare('DELETE FROM item WHERE id >= ?').run(this.settings().nextId);
    });
  }

  /** The one step that readers see. Either all of it happens or nothing. */
  commit(commit: Commit): void {
    this.#transaction('committing', () => {
      const generation = this.settings().generation + 1;
      this.#putSettings({ ...commit.settings, generation });
      const addSegment = this.prepare(
        'INSERT INTO segment (number, uuid, rows, bytes) VALUES (@number, @uuid, @rows, @bytes)',
      );
      const dropSegment = this.prepare('DELETE FROM segment WHERE number = ?');
      for (const number of commit.dropSegments ?? []) dropSegment.run(number);
      for (const segment of commit.addSegments ?? []) addSegment.run(segment);
      if (commit.calibration !== undefined) this.#putCalibration(commit.calibration);
      const dropSource = this.prepare('DELETE FROM source WHERE number = ?');
      for (const number of commit.dropSources ?? []) dropSource.run(number);
      const putSource = this.prepare(PUT_SOURCE);
      for (const source of commit.putSources ?? []) {
        putSource.run({ ...source, details: JSON.stringify(source.details ?? null) });
      }
      const update = this.prepare(UPDATE_ITEM);
      for (const item of commit.updateItems ?? []) update.run(itemValues(item), item.id);
      this.#remove(commit.removeIds ?? []);
      if (commit.forgetRemoved === true) this.prepare('DELETE FROM removed').run();
    });
  }

  #putCalibration(records: readonly CalibrationRecord[]): void {
    this.prepare('DELETE FROM calibration').run();
    const add = this.prepare(
      'INSERT INTO calibration (query, self, vector, neighbours) VALUES (?, ?, ?, ?)',
    );
    records.forEach(({ self, vector, neighbours }, query) => {
      add.run(query, self, toBytes(vector), toBytes(neighbours));
    });
  }

  #remove(ids: Iterable<number>): void {
    const drop = this.prepare('DELETE FROM item WHERE id = ?');
    const add = this.prepare(ADD_REMOVED);
    const sorted = Float64Array.from(ids).sort();
    let first = 0;
    for (let i = 0; i < sorted.length; i++) {
      const id = sorted[i] as number;
      drop.run(id);
      const next = sorted[i + 1];
      if (next !== undefined && next <= id + 1) continue;
      add.run(sorted[first], id);
      first = i + 1;
    }
  }

  #putSettings(settings: Partial<IndexSettings>): void {
    const put = this.prepare('INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)');
    for (const [name, value] of Object.entries(settings)) put.run(name, JSON.stringify(value));
  }

  #transaction(doing: string, work: () => void): void {
    this.run(doing, () => this.database.transaction(work).immediate());
  }
}

function toBytes({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Columns of the table `item`: those of the view, and after the key the source. */
const ITEM_FIELDS = [...ITEM_COLUMNS.slice(0, 2), 'source', ...ITEM_COLUMNS.slice(2)];

// Values by position: naming them would be slower by far.
const INSERT_ITEM = `INSERT INTO item (${ITEM_FIELDS.join(', ')})
  VALUES (${ITEM_FIELDS.map(() => '?').join(', ')})`;

const UPDATE_ITEM = `UPDATE item SET (${ITEM_FIELDS.join(', ')})
  = (${ITEM_FIELDS.map(() => '?').join(', ')}) WHERE id = ?`;

const PUT_SOURCE = `INSERT OR REPLACE INTO source
  (number, path, type, rows, bytes, modified, first_id, details)
  VALUES (@number, @path, @type, @rows, @bytes, @modified, @firstId, @details)`;

const ADD_REMOVED = `INSERT INTO removed (first_id, last_id) VALUES (?, ?)
  ON CONFLICT (first_id) DO UPDATE SET last_id = max(last_id, excluded.last_id)`;

function itemValues(item: NewItem): (string | number | null)[] {
  return [
    item.id,
    item.key,
    item.source ?? null,
    item.path ?? null,
    item.bytes ?? null,
    item.modified ?? null,
    item.sha256 ?? null,
    item.width ?? null,
    item.height ?? null,
    item.taken ?? null,
    item.latitude ?? null,
    item.longitude ?? null,
    item.caption ?? null,
    item.metadata == null ? null : JSON.stringify(item.metadata),
    item.damaged === true ? 1 : 0,
  ];
}
