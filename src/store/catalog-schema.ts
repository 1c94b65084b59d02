// The catalog's tables, how the SQLite file is opened, and how its errors are reported.
//
// The catalog is one file in rollback-journal mode: no write-ahead log beside it, so an index on a
// read-only disk opens too. `application_id` says that the file is ours, `user_version` which
// schema it has. An item with an id of `nextId` (a setting) or above is not committed: a build adds
// its items in small transactions ahead of the one that counts, and readers never see them.
import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { CorvidError } from '../errors.js';

/** "CORV" in ASCII. */
export const APPLICATION_ID = 0x434f5256;
export const SCHEMA_VERSION_START = 1;
export const SCHEMA_VERSION_CURRENT = 1;

/** How long a statement waits for another process's commit. */
const BUSY_TIMEOUT_MS = 5000;

/** Columns that a `where` may name, in order; those of the view `items`. */
export const ITEM_COLUMNS = [
  'id',
  'key',
  'path',
  'bytes',
  'modified',
  'sha256',
  'width',
  'height',
  'taken',
  'latitude',
  'longitude',
  'caption',
  'metadata',
  'damaged',
] as const;

// Columns of dates are text, so that `taken >= 2022` compares '2022' with '2021-07-14 …'.
const SCHEMA = `
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segment (
  number INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL
);
CREATE TABLE source (
  number INTEGER PRIMARY KEY,
  path TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  modified TEXT,
  first_id INTEGER,
  details TEXT
);
CREATE TABLE removed (first_id INTEGER PRIMARY KEY, last_id INTEGER NOT NULL);
CREATE TABLE calibration (
  query INTEGER PRIMARY KEY,
  self INTEGER NOT NULL,
  vector BLOB NOT NULL,
  neighbours BLOB NOT NULL
);
CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  source INTEGER,
  path TEXT,
  bytes INTEGER,
  modified TEXT,
  sha256 TEXT,
  width INTEGER,
  height INTEGER,
  taken TEXT,
  latitude REAL,
  longitude REAL,
  caption TEXT,
  metadata TEXT,
  damaged INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX item_key ON item (key);
CREATE VIEW items AS SELECT ${ITEM_COLUMNS.join(', ')} FROM item
  WHERE id < (SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'nextId');
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION_CURRENT};
`;

/** Makes a new, empty catalog at `path`, which must not exist. */
export function createDatabase(path: string): Database.Database {
  return translating(path, 'making the catalog', () => {
    const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
    configure(database);
    database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    return database;
  });
}

/**
 * Opens a catalog and checks that it is one that this build reads.
 * @throws CorvidError ERR_NOT_AN_INDEX, ERR_FORMAT_TOO_NEW, ERR_FORMAT_TOO_OLD, ERR_FORMAT_CORRUPT,
 *   ERR_PERMISSION, ERR_LOCKED
 */
export function openDatabase(path: string, mode: 'read' | 'write'): Database.Database {
  if (!existsSync(path)) {
    throw new CorvidError('ERR_NOT_AN_INDEX', 'no catalog here', {
      path,
      hint: 'give the folder that build-index made',
    });
  }
  return translating(path, 'opening the catalog', () => {
    if (mode === 'read') recoverIfNeeded(path);
    const database = new Database(path, {
      readonly: mode === 'read',
      fileMustExist: true,
      timeout: BUSY_TIMEOUT_MS,
    });
    try {
      configure(database);
      checkVersion(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function configure(database: Database.Database): void {
  if (!database.readonly) {
    database.pragma('journal_mode = DELETE');
    database.pragma('synchronous = FULL');
    database.pragma('cache_size = -65536');
  }
  database.pragma('trusted_schema = OFF');
}

/**
 * A writer killed within its commit leaves a journal that the next connection must roll back, and
 * a read-only one may not. So a connection that may write does it first.
 */
function recoverIfNeeded(path: string): void {
  if (!existsSync(`${path}-journal`)) return;
  const database = new Database(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } finally {
    database.close();
  }
}

function checkVersion(database: Database.Database, path: string): void {
  const applicationId = database.pragma('application_id', { simple: true });
  if (applicationId !== APPLICATION_ID) {
    throw new CorvidError('ERR_NOT_AN_INDEX', 'a SQLite file, but not a catalog of corvid', {
      path,
      expected: `application id ${APPLICATION_ID}`,
      actual: String(applicationId),
      hint: 'give the folder that build-index made',
    });
  }
  const version = database.pragma('user_version', { simple: true }) as number;
  if (version >= SCHEMA_VERSION_START && version <= SCHEMA_VERSION_CURRENT) return;
  const tooNew = version > SCHEMA_VERSION_CURRENT;
  throw new CorvidError(
    tooNew ? 'ERR_FORMAT_TOO_NEW' : 'ERR_FORMAT_TOO_OLD',
    `the catalog was written by ${tooNew ? 'a newer' : 'an older'} corvid`,
    {
      path,
      expected: `schema ${SCHEMA_VERSION_START} to ${SCHEMA_VERSION_CURRENT}`,
      actual: String(version),
      hint: tooNew ? 'upgrade corvid' : 'build the index again with this corvid',
    },
  );
}

/** Runs `work`; an error of SQLite is thrown as a CorvidError about `path`. */
export function translating<T>(path: string, doing: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fromSqliteError(error, path, doing);
  }
}

function fromSqliteError(error: unknown, path: string, doing: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const about = (hint: string) => ({ path, hint, cause: error });
  const what = `${doing}: ${error.message}`;
  // Extended codes (SQLITE_IOERR_WRITE) begin with the primary one.
  const primary = /^SQLITE_[A-Z]+/.exec(error.code)?.[0];
  switch (primary) {
    case 'SQLITE_BUSY':
    case 'SQLITE_LOCKED':
      return new CorvidError('ERR_LOCKED', what, about('wait for the other process and try again'));
    case 'SQLITE_FULL':
      return new CorvidError(
        'ERR_DISK_FULL',
        what,
        about('free some space and run the same command again; what was committed is intact'),
      );
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
    case 'SQLITE_ERROR': // a table or column that must be there is not
      return new CorvidError(
        'ERR_FORMAT_CORRUPT',
        what,
        about('restore the index from a copy, or build it again'),
      );
    case 'SQLITE_READONLY':
    case 'SQLITE_PERM':
    case 'SQLITE_AUTH':
    case 'SQLITE_CANTOPEN':
      return new CorvidError('ERR_PERMISSION', what, about('check the permissions of the index'));
    default:
      return new CorvidError(
        'ERR_IO',
        what,
        about('check the disk and run the same command again'),
      );
  }
}
