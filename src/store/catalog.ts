// The catalog of an index as readers see it: settings, live segments, sources, items.
//
// Everything here is synchronous and quick, except `where` and `files`, whose cost grows with the
// collection. A reader holds no transaction open between calls, so it never delays a writer for
// long, and a commit of a writer shows in the next call; `version()` tells that one has happened.
import type Database from 'better-sqlite3';
import { CorvidError } from '../errors.js';
import { ITEM_COLUMNS, openDatabase, translating } from './catalog-schema.js';
import type { ItemIds } from './ids.js';

/** An item with its fields. Columns as `where` sees them. */
export interface CatalogItem {
  id: number;
  /** The caller's name for it: for an image its path relative to the source. Need not be unique. */
  key: string;
  path: string | null;
  /** Size of the file. */
  bytes: number | null;
  /** Time of modification of the file, ISO 8601 in UTC with milliseconds. */
  modified: string | null;
  /** Of the file, hexadecimal. */
  sha256: string | null;
  /** Pixels, after the orientation is applied. */
  width: number | null;
  height: number | null;
  /** When the picture was taken, 'YYYY-MM-DD HH:MM:SS' in the camera's local time. */
  taken: string | null;
  /** Degrees, north and east positive. */
  latitude: number | null;
  longitude: number | null;
  caption: string | null;
  metadata: Record<string, unknown> | null;
  /** Whether the file was embedded although it is damaged (cut short, say). */
  damaged: boolean;
}

/** What a later build compares a file with. */
export interface KnownFile {
  id: number;
  path: string | null;
  bytes: number | null;
  modified: string | null;
  sha256: string | null;
  caption: string | null;
  /** JSON text. */
  metadata: string | null;
}

/** A file of the index that is not in our format; the catalog holds its checksum. */
export interface NamedFile {
  /** Relative to the index folder. */
  name: string;
  bytes: number;
  /** CRC32C of the whole file. */
  crc32c: number;
}

/** Settings of an index. `encoder`, `recallCard` and `build` are JSON of the modules they belong to. */
export interface IndexSettings {
  /** Version of corvid that made the last commit. */
  writtenBy: string;
  /** Commits so far. */
  generation: number;
  /** The largest number that a segment, codec or routing file was ever given. */
  lastNumber: number;
  /** Length of the caller's vectors. */
  dims: number;
  /** Fingerprint of the encoder (EncoderFingerprint), or null for vectors of unknown origin. */
  encoder: unknown;
  /** Codec file, relative to the index folder; null until the first commit. */
  codec: { name: string; uuid: string } | null;
  /** Routing graph; null where a codec has too few lists to need one. */
  routing: NamedFile | null;
  /** Whether segments hold int8 vectors. */
  vectors: boolean;
  /** Whether items are in the catalog; false for an index of bare vectors. */
  hasItems: boolean;
  /** The first item id that is not in use. */
  nextId: number;
  /** Recall and cost of each effort, as calibrated by the build; null if it was not. */
  recallCard: unknown;
  /** Choices of the build that later builds keep. */
  build: unknown;
}

/** A live segment. Its files lie in `segments/NNNNNN`. */
export interface SegmentRecord {
  number: number;
  uuid: string;
  rows: number;
  /** Of all its files when it was written. */
  bytes: number;
}

/** A source that was indexed. */
export interface SourceRecord {
  number: number;
  /** Absolute path, or the name of a stream. */
  path: string;
  type: string;
  rows: number;
  bytes: number;
  modified: string | null;
  /** For bare vectors: the item id of the source's first row. */
  firstId: number | null;
  /** JSON of the build. */
  details: unknown;
}

/** A query of the calibration with its true neighbours. */
export interface CalibrationRecord {
  /** Item id of the row that is the query itself, or -1. */
  self: number;
  /** dims numbers, unit length. */
  vector: Float32Array;
  /** Item ids, best first. */
  neighbours: Float64Array;
}

type Row = Record<string, string | number | null>;

/** Read-only view of a catalog. */
export class Catalog {
  /** Absolute path of the SQLite file. */
  readonly path: string;
  protected readonly database: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  protected constructor(path: string, database: Database.Database) {
    this.path = path;
    this.database = database;
  }

  /** @throws CorvidError as openDatabase does */
  static open(path: string): Catalog {
    return new Catalog(path, openDatabase(path, 'read'));
  }

  close(): void {
    this.database.close();
  }

  /** A number that changes when another connection commits. */
  version(): number {
    return this.run('reading the catalog', () => {
      // Prepared once, because every search asks: `pragma()` would compile it each time.
      const { data_version } = this.prepare('PRAGMA data_version').get() as Record<string, number>;
      return data_version as number;
    });
  }

  /** The calibration's queries; none if the build did not measure recall. */
  calibration(): CalibrationRecord[] {
    const rows = this.run('reading the calibration', () =>
      this.prepare('SELECT self, vector, neighbours FROM calibration ORDER BY query').all(),
    ) as { self: number; vector: Buffer; neighbours: Buffer }[];
    return rows.map(({ self, vector, neighbours }) => ({
      self,
      // Copied, for a blob need not be aligned.
      vector: new Float32Array(new Uint8Array(vector).buffer, 0, vector.length >> 2),
      neighbours: new Float64Array(new Uint8Array(neighbours).buffer, 0, neighbours.length >> 3),
    }));
  }

  settings(): IndexSettings {
    const rows = this.run('reading settings', () =>
      this.prepare('SELECT name, value FROM setting').all(),
    ) as { name: string; value: string }[];
    const found = Object.fromEntries(rows.map(({ name, value }) => [name, this.#parse(value)]));
    const missing = SETTING_NAMES.filter((name) => found[name] === undefined);
    if (missing.length > 0) {
      throw new CorvidError('ERR_FORMAT_CORRUPT', `settings are missing: ${missing.join(', ')}`, {
        path: this.path,
        hint: 'restore the index from a copy, or build it again',
      });
    }
    return found as unknown as IndexSettings;
  }

  /** Live segments, by number. */
  segments(): SegmentRecord[] {
    return this.run('reading segments', () =>
      this.prepare('SELECT number, uuid, rows, bytes FROM segment ORDER BY number').all(),
    ) as SegmentRecord[];
  }

  /** Sources, by number. */
  sources(): SourceRecord[] {
    const rows = this.run('reading sources', () =>
      this.prepare('SELECT * FROM source ORDER BY number').all(),
    ) as Row[];
    return rows.map((row) => ({
      number: row.number as number,
      path: row.path as string,
      type: row.type as string,
      rows: row.rows as number,
      bytes: row.bytes as number,
      modified: row.modified as string | null,
      firstId: row.first_id as number | null,
      details: row.details === null ? null : this.#parse(row.details as string),
    }));
  }

  /** Committed items. */
  itemCount(): number {
    return this.#count('SELECT count(*) AS n FROM items');
  }

  /** @returns the items of `ids` in that order; null where there is none (an index without items, or
   *   an item that was removed since). */
  itemsByIds(ids: Iterable<number>): (CatalogItem | null)[] {
    return this.run('reading items', () => {
      const select = this.prepare(`SELECT ${ITEM_COLUMNS.join(', ')} FROM items WHERE id = ?`);
      return Array.from(ids, (id) => this.#item(select.get(id) as Row | undefined));
    });
  }

  /** The item of this key, the latest if there are several; null if there is none. */
  itemByKey(key: string): CatalogItem | null {
    return this.run('reading items', () => {
      const sql = `SELECT ${ITEM_COLUMNS.join(', ')} FROM items WHERE key = ? ORDER BY id DESC`;
      return this.#item(this.prepare(`${sql} LIMIT 1`).get(key) as Row | undefined);
    });
  }

  /** All committed items in the order of their ids. */
  *items(): IterableIterator<CatalogItem> {
    for (const row of this.#iterate(`SELECT ${ITEM_COLUMNS.join(', ')} FROM items ORDER BY id`)) {
      yield this.#item(row) as CatalogItem;
    }
  }

  /** What is known of every committed item's file, in the order of ids. */
  *files(): IterableIterator<KnownFile> {
    const sql = `SELECT id, path, bytes, modified, sha256, caption, metadata FROM items ORDER BY id`;
    yield* this.#iterate(sql) as IterableIterator<unknown> as IterableIterator<KnownFile>;
  }

  /**
   * Ids of the items that an SQL expression over the columns of ITEM_COLUMNS accepts, ascending.
   * @throws CorvidError ERR_WHERE, with SQLite's reason and the columns there are
   */
  where(expression: string): ItemIds {
    refuseEndless(expression);
    // The line break ends a comment at the end of the expression.
    const sql = `SELECT id FROM items WHERE (${expression}\n) ORDER BY id`;
    try {
      const statement = this.database.prepare(sql).pluck();
      return collectIds(statement.iterate() as IterableIterator<number>);
    } catch (error) {
      throw whereError(expression, error);
    }
  }

  /** Ids whose rows still lie in live segments although their items were removed; ascending. */
  removedIds(): ItemIds {
    return this.run('reading removed items', () => {
      const sql = 'SELECT first_id, last_id FROM removed ORDER BY first_id';
      const runs = this.prepare(sql).all() as { first_id: number; last_id: number }[];
      return collectIds(expand(runs));
    });
  }

  /** How many ids removedIds would give. */
  removedCount(): number {
    return this.#count('SELECT coalesce(sum(last_id - first_id + 1), 0) AS n FROM removed');
  }

  /** SQLite's own check of the whole file; the faults it finds, none if it is sound. */
  integrityFaults(): string[] {
    const rows = this.run('checking the catalog', () =>
      this.database.pragma('integrity_check(20)'),
    ) as { integrity_check: string }[];
    return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  }

  /** Runs `work`, SQLite's errors translated. */
  protected run<T>(doing: string, work: () => T): T {
    if (!this.database.open) {
      throw new CorvidError('ERR_CLOSED', 'the catalog was closed', { path: this.path });
    }
    return translating(this.path, doing, work);
  }

  /** A statement, prepared once. */
  protected prepare(sql: string): Database.Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  // A statement that is being iterated cannot be run again, so each iteration has its own.
  *#iterate(sql: string): IterableIterator<Row> {
    const rows = this.run('reading items', () => this.database.prepare(sql).iterate());
    try {
      for (;;) {
        const next = this.run('reading items', () => rows.next());
        if (next.done === true) return;
        yield next.value as Row;
      }
    } finally {
      // Without this, a caller that stops early would leave the database busy.
      rows.return?.();
    }
  }

  #count(sql: string): number {
    return this.run('counting', () => (this.prepare(sql).get() as { n: number }).n);
  }

  #item(row: Row | undefined): CatalogItem | null {
    if (row === undefined) return null;
    const metadata = row.metadata === null ? null : this.#parse(row.metadata as string);
    return { ...(row as unknown as CatalogItem), metadata, damaged: row.damaged === 1 };
  }

  #parse(text: string) {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new CorvidError('ERR_FORMAT_CORRUPT', 'a value in the catalog is not JSON', {
        path: this.path,
        actual: text.slice(0, 80),
        hint: 'restore the index from a copy, or build it again',
        cause,
      });
    }
  }
}

/** Every setting has its row in the table from the start. */
const SETTING_NAMES: readonly (keyof IndexSettings)[] = [
  'writtenBy',
  'generation',
  'lastNumber',
  'dims',
  'encoder',
  'codec',
  'routing',
  'vectors',
  'hasItems',
  'nextId',
  'recallCard',
  'build',
];

function* expand(runs: { first_id: number; last_id: number }[]): IterableIterator<number> {
  for (const { first_id, last_id } of runs) {
    for (let id = first_id; id <= last_id; id++) yield id;
  }
}

function collectIds(ids: IterableIterator<number>): ItemIds {
  let found = new Float64Array(1024);
  let count = 0;
  for (const id of ids) {
    if (count === found.length) {
      const larger = new Float64Array(count * 2);
      larger.set(found);
      found = larger;
    }
    found[count++] = id;
  }
  return found.slice(0, count) as ItemIds;
}

/** A recursive table may never end, and could not be stopped. @throws ERR_WHERE */
function refuseEndless(expression: string): void {
  const words = expression.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"/g, ' ');
  if (/\bwith\b/i.test(words)) {
    throw whereError(expression, new TypeError('WITH is not allowed in a filter'));
  }
}

function whereError(expression: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SqliteError') {
    // better-sqlite3 refuses several statements, or none, with JavaScript's errors.
    if (!(error instanceof RangeError || error instanceof TypeError)) return error;
  }
  return new CorvidError('ERR_WHERE', `the filter was refused: ${(error as Error).message}`, {
    path: expression,
    expected: `an SQL expression over ${ITEM_COLUMNS.join(', ')}`,
    hint: `for instance: taken >= 2022 and path like '%lake%'`,
    cause: error,
  });
}
