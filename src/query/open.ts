// An open index: its life from the first catalog read to close.
//
// Every call looks first whether the catalog has changed, which costs microseconds, and then keeps
// the generation it found until it is over. Calls may overlap; `close` waits for them.
import { availableParallelism } from 'node:os';
import { CorvidError } from '../errors.js';
import { checkInteger, checkNames, type OptionNames } from '../option-checks.js';
import type { Catalog } from '../store/catalog.js';
import { openCatalog } from '../store/index-folder.js';
import { Composer } from './compose/compose.js';
import { Encoder } from './compose/encoder.js';
import { readContents } from './contents.js';
import { BufferPool } from './execute/buffer-pool.js';
import { Coalescer } from './execute/coalescer.js';
import { WorkerPool } from './execute/pool.js';
import { toItem } from './execute/result.js';
import { Snapshot } from './execute/snapshot.js';
import { describeIndex } from './info.js';
import { fromRecords, measureRecall } from './recall/measure-recall.js';
import type { RecallCard } from './recall/recall-card.js';
import { iterateHits, type SearchContext, searchAll } from './search.js';
import type {
  CorvidIndex,
  Hit,
  IndexInfo,
  Item,
  ItemRef,
  OpenOptions,
  QueryInput,
  SearchOptions,
  SearchResult,
  VerifyReport,
} from './types.js';
import { verifyOpenIndex } from './verify.js';

const OPEN_OPTIONS: OptionNames<OpenOptions> = { model: true, embedder: true, threads: true };
const DEFAULT_MAX_THREADS = 16;
const MAX_THREADS = 256;
/** With so many calls at once, or more, no query is split over several threads (`npm run bench --
 * fit callers`). */
const BUSY_CALLS = 3;
/** With so many, small queries go to workers together. On two cores workers leave the calling thread
 * little: there few callers get more out of that thread alone (`npm run bench -- fit callers`). */
const CROWD_CALLS = availableParallelism() > 2 ? 3 : 16;

/**
 * Opens an index for reading. Reads the catalog and the headers of the files, nothing that grows
 * with the index; model, routing and threads are loaded when a query first needs them.
 * @param path the folder that `buildIndex` made
 * @throws ERR_NOT_FOUND, ERR_NOT_AN_INDEX, ERR_FORMAT_CORRUPT, ERR_FORMAT_TOO_NEW,
 *   ERR_FORMAT_TOO_OLD, ERR_ENCODER_MISMATCH, ERR_DIMENSION, ERR_USAGE
 */
export async function openIndex(path: string, options: OpenOptions = {}): Promise<CorvidIndex> {
  if (typeof path !== 'string' || path === '') {
    throw new CorvidError('ERR_USAGE', 'the folder of the index is missing', {
      path: 'path',
      expected: 'a path such as photos.corvid',
      actual: typeof path,
    });
  }
  checkNames(options, OPEN_OPTIONS);
  const threads = options.threads ?? Math.min(DEFAULT_MAX_THREADS, availableParallelism());
  checkInteger('threads', threads, 1, MAX_THREADS);
  if (options.model !== undefined && options.embedder !== undefined) {
    throw new CorvidError('ERR_USAGE', 'options model and embedder exclude each other', {
      hint: 'give one of them',
    });
  }
  const catalog = openCatalog(path);
  try {
    return new OpenIndex(path, catalog, threads, options);
  } catch (error) {
    catalog.close();
    throw error;
  }
}

class OpenIndex implements CorvidIndex {
  readonly #path: string;
  readonly #catalog: Catalog;
  readonly #encoder: Encoder;
  readonly #composer: Composer;
  readonly #pool: WorkerPool;
  readonly #coalescer: Coalescer;
  readonly #buffers = new BufferPool();
  #snapshot: Snapshot;
  #catalogVersion: number;
  /** Calls that have begun and not ended. */
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  constructor(path: string, catalog: Catalog, threads: number, options: OpenOptions) {
    this.#path = path;
    this.#catalog = catalog;
    this.#catalogVersion = catalog.version();
    this.#pool = new WorkerPool(threads);
    this.#coalescer = new Coalescer(this.#pool);
    this.#snapshot = openSnapshot(path, catalog, this.#pool);
    const { dims, contents } = this.#snapshot;
    const { embedder = null, model = null } = options;
    try {
      this.#encoder = new Encoder(embedder, model, contents.encoder, dims);
    } catch (error) {
      this.#snapshot.release();
      throw error;
    }
    this.#composer = new Composer(dims, this.#encoder);
  }

  async search(query: QueryInput, options: SearchOptions = {}): Promise<SearchResult> {
    const [result] = await this.#run((context) => searchAll(context, [query], options));
    return result as SearchResult;
  }

  async searchBatch(
    queries: readonly QueryInput[],
    options: SearchOptions = {},
  ): Promise<SearchResult[]> {
    return this.#run((context) => searchAll(context, queries, options));
  }

  async *iterate(query: QueryInput, options: SearchOptions = {}): AsyncGenerator<Hit> {
    this.#refresh();
    const snapshot = this.#snapshot.retain();
    const hits = iterateHits(this.#context(snapshot), query, options);
    try {
      for (;;) {
        // Between two hits the iteration is not running: close need not wait for its caller.
        const next = await this.#run(() => hits.next());
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      snapshot.release();
    }
  }

  async get(item: ItemRef): Promise<Item | null> {
    return this.#run(async ({ snapshot }) => {
      if (typeof item === 'string') {
        const known = this.#catalog.itemByKey(item);
        return known === null ? null : toItem(known.id, known);
      }
      if (snapshot.contents.settings.hasItems) {
        const [known] = this.#catalog.itemsByIds([item]);
        return known == null ? null : toItem(item, known);
      }
      return (await snapshot.has(item)) ? toItem(item, null) : null;
    });
  }

  async info(): Promise<IndexInfo> {
    return this.#run(({ snapshot }) => describeIndex(this.#catalog, snapshot));
  }

  async measureRecall({ signal }: { signal?: AbortSignal } = {}): Promise<RecallCard | null> {
    return this.#run(async ({ catalog, pool, snapshot }) => {
      const records = catalog.calibration();
      if (records.length === 0) return null;
      const { source, shape, contents } = snapshot;
      const calibration = fromRecords(records, new Set<number>(contents.removed));
      const lease = await snapshot.filters.lease(null);
      try {
        const measured = { pool, source, shape, filter: lease.filter, signal };
        return await measureRecall(measured, calibration);
      } finally {
        lease.release();
      }
    });
  }

  async verify(options: { signal?: AbortSignal } = {}): Promise<VerifyReport> {
    return this.#run(() => verifyOpenIndex(this.#path, options.signal));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#pool.close();
    await this.#encoder.close();
    this.#snapshot.release();
    this.#catalog.close();
  }

  /** Runs a call on the live generation, which stays open until the call is over. */
  async #run<T>(call: (context: SearchContext) => Promise<T>): Promise<T> {
    this.#refresh();
    const snapshot = this.#snapshot.retain();
    const running = call(this.#context(snapshot));
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
      snapshot.release();
    }
  }

  #context(snapshot: Snapshot): SearchContext {
    return {
      catalog: this.#catalog,
      composer: this.#composer,
      pool: this.#pool,
      coalescer: this.#coalescer,
      buffers: this.#buffers,
      snapshot,
      load: () => {
        const calls = this.#running.size;
        return { busy: calls >= BUSY_CALLS, crowded: calls >= CROWD_CALLS };
      },
    };
  }

  /** Moves on to the live generation, if a build has committed one since. */
  #refresh(): void {
    if (this.#closing !== null) {
      throw new CorvidError('ERR_CLOSED', 'the index was closed', { path: this.#path });
    }
    const version = this.#catalog.version();
    if (version === this.#catalogVersion) return;
    const { generation } = this.#catalog.settings();
    if (generation !== this.#snapshot.source.generation) {
      const next = openSnapshot(this.#path, this.#catalog, this.#pool);
      this.#snapshot.release();
      this.#snapshot = next;
    }
    this.#catalogVersion = version;
  }
}

/** A build may remove the files of a generation between reading its names and opening them. */
function openSnapshot(folder: string, catalog: Catalog, pool: WorkerPool): Snapshot {
  const contents = readContents(folder, catalog);
  try {
    return new Snapshot(catalog, contents, pool);
  } catch (error) {
    if (!(error instanceof CorvidError && error.code === 'ERR_NOT_FOUND')) throw error;
    const now = readContents(folder, catalog);
    if (now.settings.generation === contents.settings.generation) throw error;
    return new Snapshot(catalog, now, pool);
  }
}
