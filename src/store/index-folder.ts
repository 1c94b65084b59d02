// The folder of an index: the names in it, the write lock, and how new files become part of it.
//
//   catalog.sqlite        which of the files below are live; see catalog.ts
//   codec-000001.bin      routing-000001.hnsw        segments/000001/…
//   staging/              files of a running or interrupted build, not committed
//   write.lock            held by the one process that writes
//   skipped.jsonl         written by the build
//
// New files are made in staging/, fsynced, renamed to a name that was never used before, and then
// one transaction of the catalog makes them live. What a crash leaves is either in staging/ or has
// a name that is not in the catalog; only a writer, which holds the lock, removes it.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CorvidError, fromSystemError } from '../errors.js';
import { type FileLock, fromNative, native } from '../native/addon.js';
import { Catalog, type IndexSettings, type NamedFile, type SegmentRecord } from './catalog.js';
import { CatalogWriter, type Commit, type InitialSettings } from './catalog-writer.js';
import { checksumFile, syncPath } from './files.js';

export const CATALOG_NAME = 'catalog.sqlite';
export const LOCK_NAME = 'write.lock';
export const STAGING_NAME = 'staging';
export const SEGMENTS_NAME = 'segments';
export const SKIPPED_NAME = 'skipped.jsonl';

const CODEC_PATTERN = /^codec-(\d{6,})\.bin$/;
const ROUTING_PATTERN = /^routing-(\d{6,})\.hnsw$/;
const SEGMENT_PATTERN = /^(\d{6,})$/;

const numbered = (number: number): string => String(number).padStart(6, '0');

/** Absolute folder of a segment. */
export const segmentFolder = (indexPath: string, number: number): string =>
  join(indexPath, SEGMENTS_NAME, numbered(number));

/** The live files of an index at one moment. */
export interface IndexSnapshot {
  /** Absolute. */
  path: string;
  settings: IndexSettings & { codec: NonNullable<IndexSettings['codec']> };
  codecPath: string;
  routingPath: string | null;
  segments: (SegmentRecord & { dir: string })[];
}

/**
 * Opens the catalog of the index at `path` for reading.
 * @throws CorvidError ERR_NOT_FOUND, ERR_NOT_AN_INDEX, and as Catalog.open does
 */
export function openCatalog(path: string): Catalog {
  const folder = resolve(path);
  requireFolder(folder);
  const file = join(folder, CATALOG_NAME);
  if (!existsSync(file)) {
    throw new CorvidError('ERR_NOT_AN_INDEX', 'a folder without a catalog', {
      path: folder,
      hint: existsSync(join(folder, STAGING_NAME))
        ? 'its first build was interrupted: run the same build-index command again'
        : 'give the folder that build-index made',
    });
  }
  return Catalog.open(file);
}

/**
 * What is live now. Files named here may vanish once a later commit drops them: a reader that finds
 * one missing takes a new snapshot, once.
 * @throws CorvidError ERR_NOT_AN_INDEX if nothing was committed yet
 */
export function readSnapshot(path: string, catalog: Catalog): IndexSnapshot {
  const folder = resolve(path);
  const settings = catalog.settings();
  const { codec } = settings;
  if (codec === null) {
    throw new CorvidError('ERR_NOT_AN_INDEX', 'nothing was committed to this index yet', {
      path: folder,
      hint: 'run the same build-index command again',
    });
  }
  return {
    path: folder,
    settings: { ...settings, codec },
    codecPath: join(folder, codec.name),
    routingPath: settings.routing === null ? null : join(folder, settings.routing.name),
    segments: catalog.segments().map((segment) => ({
      ...segment,
      dir: segmentFolder(folder, segment.number),
    })),
  };
}

/** A new segment, not live yet: the caller writes it to `dir`, in staging. */
export interface StagedSegment {
  number: number;
  uuid: string;
  dir: string;
}

/** A new codec or routing file, not live yet: the caller writes it to `path`, in staging. */
export interface StagedFile {
  name: string;
  path: string;
}

/** A commit and the staged files that it makes live. */
export interface Publication extends Omit<Commit, 'addSegments'> {
  segments?: readonly (StagedSegment & Pick<SegmentRecord, 'rows'>)[];
  codec?: StagedFile & { uuid: string };
  /** null removes the routing graph. */
  routing?: StagedFile | null;
}

/** The one writer of an index. Holds the lock from `open` to `close`. */
export class IndexWriter {
  /** Absolute folder of the index. */
  readonly path: string;
  /** Absolute folder for what is not committed; exists. */
  readonly staging: string;
  /** Null in a new index, until `create`. */
  #catalog: CatalogWriter | null;
  readonly #lock: FileLock;
  #lastNumber = 0;
  /** Names in staging of the segments that this writer has begun. */
  readonly #begun = new Set<string>();

  private constructor(path: string, lock: FileLock, catalog: CatalogWriter | null) {
    this.path = path;
    this.staging = join(path, STAGING_NAME);
    this.#lock = lock;
    this.#catalog = catalog;
    mkdirSync(this.staging, { recursive: true });
    mkdirSync(join(path, SEGMENTS_NAME), { recursive: true });
    this.#lastNumber = this.#sweep();
  }

  /**
   * Locks the index at `path`, making the folder if there is none, and removes segments, codec and
   * routing files that are not in the catalog. In staging/, unfinished segments and other files stay,
   * for a build to resume.
   * @throws CorvidError ERR_LOCKED if another process writes; ERR_NOT_AN_INDEX if the folder holds
   *   other people's files; and as CatalogWriter.open does
   */
  static open(path: string): IndexWriter {
    const folder = resolve(path);
    prepareFolder(folder);
    const lock = takeLock(join(folder, LOCK_NAME));
    try {
      const file = join(folder, CATALOG_NAME);
      const catalog = existsSync(file) ? CatalogWriter.open(file) : null;
      return new IndexWriter(folder, lock, catalog);
    } catch (error) {
      lock.release();
      throw fromSystemError(error, folder, 'opening the index for writing');
    }
  }

  /** Whether `create` is still to be called. */
  get isNew(): boolean {
    return this.#catalog === null;
  }

  get catalog(): CatalogWriter {
    if (this.#catalog === null) {
      throw new CorvidError('ERR_NOT_AN_INDEX', 'this index has no catalog yet', {
        path: this.path,
      });
    }
    return this.#catalog;
  }

  /** Makes the catalog of a new index. Readers still find no index until the first publication. */
  create(settings: InitialSettings): CatalogWriter {
    // Made in staging first, so that a catalog in the folder is always complete.
    const unfinished = join(this.staging, CATALOG_NAME);
    CatalogWriter.create(unfinished, settings).close();
    const file = join(this.path, CATALOG_NAME);
    renameSync(unfinished, file);
    syncPath(this.path);
    this.#catalog = CatalogWriter.open(file);
    return this.#catalog;
  }

  /**
   * A segment to be written to staging, where an earlier writer may have left part of it. Segments
   * there that this writer did not begin are removed: their builds were abandoned.
   */
  newSegment(uuid: string): StagedSegment {
    const name = `segment-${uuid}`;
    this.#begun.add(name);
    for (const other of readdirSync(this.staging)) {
      if (!other.startsWith('segment-') || this.#begun.has(other)) continue;
      rmSync(join(this.staging, other), { recursive: true, force: true });
    }
    return { number: ++this.#lastNumber, uuid, dir: join(this.staging, name) };
  }

  newCodec(): StagedFile {
    const name = `codec-${numbered(++this.#lastNumber)}.bin`;
    return { name, path: join(this.staging, name) };
  }

  newRouting(): StagedFile {
    const name = `routing-${numbered(++this.#lastNumber)}.hnsw`;
    return { name, path: join(this.staging, name) };
  }

  /**
   * Makes staged files live and commits. When it returns, the new state is on the disk, and the
   * files that it drops are gone; when it throws, the old state is.
   */
  publish(publication: Publication): void {
    const { segments = [], codec, routing, ...commit } = publication;
    const settings: Commit['settings'] = { ...commit.settings, lastNumber: this.#lastNumber };
    try {
      const addSegments = segments.map((segment) => this.#publishSegment(segment));
      if (codec !== undefined) {
        this.#publishFile(codec);
        settings.codec = { name: codec.name, uuid: codec.uuid };
      }
      if (routing === null) settings.routing = null;
      else if (routing !== undefined) settings.routing = this.#publishFile(routing);
      syncPath(join(this.path, SEGMENTS_NAME));
      syncPath(this.path);
      this.catalog.commit({ ...commit, settings, addSegments });
    } catch (error) {
      throw fromSystemError(error, this.path, 'publishing');
    }
    this.#sweep();
  }

  /** Empties staging/: nothing is left to resume. */
  clearStaging(): void {
    rmSync(this.staging, { recursive: true, force: true });
    mkdirSync(this.staging);
  }

  /** Closes the catalog and releases the lock. An empty staging/ is removed. */
  close(): void {
    this.#catalog?.close();
    if (existsSync(this.staging) && readdirSync(this.staging).length === 0) {
      rmSync(this.staging, { recursive: true });
    }
    this.#lock.release();
  }

  #publishSegment(segment: StagedSegment & Pick<SegmentRecord, 'rows'>): SegmentRecord {
    const { number, dir, uuid, rows } = segment;
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    renameSync(dir, segmentFolder(this.path, number));
    return { number, uuid, rows, bytes };
  }

  #publishFile({ name, path }: StagedFile): NamedFile {
    syncPath(path);
    const file = { name, ...checksumFile(path) };
    renameSync(path, join(this.path, name));
    return file;
  }

  /** Removes files that are not in the catalog. @returns the largest number in use. */
  #sweep(): number {
    const live = this.#catalog === null ? null : this.#catalog.settings();
    const segments = new Set(this.#catalog?.segments().map(({ number }) => number));
    let last = Math.max(live?.lastNumber ?? 0, this.#lastNumber);
    const visit = (dir: string, pattern: RegExp, isLive: (name: string, n: number) => boolean) => {
      for (const name of readdirSync(dir)) {
        const number = Number(pattern.exec(name)?.[1] ?? Number.NaN);
        if (Number.isNaN(number)) continue;
        last = Math.max(last, number);
        if (!isLive(name, number)) rmSync(join(dir, name), { recursive: true, force: true });
      }
    };
    visit(join(this.path, SEGMENTS_NAME), SEGMENT_PATTERN, (_, number) => segments.has(number));
    visit(this.path, CODEC_PATTERN, (name) => live?.codec?.name === name);
    visit(this.path, ROUTING_PATTERN, (name) => live?.routing?.name === name);
    for (const pattern of [CODEC_PATTERN, ROUTING_PATTERN]) {
      visit(this.staging, pattern, () => false);
    }
    const unfinished = join(this.staging, CATALOG_NAME);
    for (const path of [unfinished, `${unfinished}-journal`]) rmSync(path, { force: true });
    return last;
  }
}

function requireFolder(folder: string): void {
  let stats: ReturnType<typeof statSync>;
  try {
    stats = statSync(folder);
  } catch (error) {
    throw fromSystemError(error, folder, 'opening the index');
  }
  if (!stats.isDirectory()) {
    throw new CorvidError('ERR_NOT_AN_INDEX', 'a file, not the folder of an index', {
      path: folder,
      hint: 'give the folder that build-index made',
    });
  }
}

/** Makes the folder, or checks that what is in it is an index or the start of one. */
function prepareFolder(folder: string): void {
  if (existsSync(folder)) {
    requireFolder(folder);
    const ours = new Set([LOCK_NAME, STAGING_NAME, SEGMENTS_NAME, SKIPPED_NAME]);
    const names = readdirSync(folder);
    const stranger = names.find((name) => !ours.has(name));
    if (stranger === undefined || names.includes(CATALOG_NAME)) return;
    throw new CorvidError('ERR_NOT_AN_INDEX', 'a folder that holds other files', {
      path: folder,
      expected: 'an index, or a new or empty folder',
      actual: stranger,
      hint: 'choose another folder for the index',
    });
  }
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fromSystemError(error, folder, 'making the folder of the index');
  }
}

function takeLock(path: string): FileLock {
  let lock: FileLock | null;
  try {
    lock = native.lockFile(path);
  } catch (error) {
    throw fromNative(error);
  }
  if (lock !== null) return lock;
  throw new CorvidError('ERR_LOCKED', 'another process writes this index', {
    path,
    hint: 'wait until it has finished, and run the same command again',
  });
}
