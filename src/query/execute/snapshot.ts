// One generation of an index, open for reading: files, routing and filters that belong together.
//
// A search holds the generation that it began with, also while a build commits the next one; the
// files of a generation that was replaced stay mapped until its last search is over.
import { CorvidError } from '../../errors.js';
import { fromNative } from '../../native/addon.js';
import type { Catalog } from '../../store/catalog.js';
import { type ItemIds, itemIds } from '../../store/ids.js';
import type { ItemEmbeddings } from '../compose/compose.js';
import type { Contents } from '../contents.js';
import { Filters, type ItemLookup } from '../plan/filter.js';
import type { IndexShape } from '../plan/plan.js';
import { type RecallCard, readCard } from '../recall/recall-card.js';
import { Router } from '../routing/graph.js';
import type { ItemRef } from '../types.js';
import { closeHandles, type Handles, type HandlesSource, openHandles } from './handles.js';
import type { WorkerPool } from './pool.js';
import { type Located, runTask, type Task } from './tasks.js';

/** Rows whose ids the calling thread looks through itself: a few milliseconds. */
const INLINE_ROWS = 2_000_000;
/** Items that an SQL condition looks through in a few milliseconds. */
const INLINE_ITEMS = 20_000;

export class Snapshot implements ItemEmbeddings, ItemLookup {
  readonly contents: Contents;
  readonly source: HandlesSource;
  readonly handles: Handles;
  readonly router: Router;
  readonly filters: Filters;
  readonly shape: IndexShape;
  /** Parts of it may not lie in memory. */
  readonly mayBeOnDisk: boolean;
  /** What each effort finds; null if that was not measured. */
  readonly card: RecallCard | null;
  readonly dims: number;
  /** Items that are not removed. */
  readonly images: number;
  readonly #catalog: Catalog;
  readonly #pool: WorkerPool;
  #users = 1;

  /** Opens what `contents` names; the caller is its first user. */
  constructor(catalog: Catalog, contents: Contents, pool: WorkerPool) {
    const { settings, codecPath, routingPath, removed } = contents;
    this.contents = contents;
    this.source = {
      generation: settings.generation,
      codec: { path: codecPath, uuid: settings.codec.uuid },
      segments: contents.segments.map(({ dir, uuid }) => ({ dir, uuid })),
    };
    this.handles = openHandles(this.source);
    const codec = this.handles.codec.info();
    const infos = this.handles.segments.map((segment) => segment.info());
    const levels = codec.levels.filter((level) =>
      infos.every((info) => info.levels.includes(level)),
    );
    this.shape = {
      rows: infos.reduce((sum, info) => sum + info.rows, 0),
      lists: codec.lists,
      levels,
      vectors: infos.length > 0 && infos.every((info) => info.vectors),
    };
    this.mayBeOnDisk = this.handles.searcher.mayBeOnDisk();
    this.card = readCard(settings.recallCard);
    this.dims = codec.dims;
    this.images = this.shape.rows - removed.length;
    const { routing } = settings;
    const graph =
      routing === null || routingPath === null ? null : { path: routingPath, file: routing };
    this.router = new Router(this.handles.codec, graph);
    this.filters = new Filters(this, this.handles.segments, removed);
    this.#catalog = catalog;
    this.#pool = pool;
  }

  /** Ids of the items that an SQL condition keeps: found here in a small catalog, else by a worker. */
  async select(where: string): Promise<ItemIds> {
    if (this.images <= INLINE_ITEMS) return this.#catalog.where(where);
    const task: Task = { kind: 'select', catalogPath: this.#catalog.path, where };
    return this.#pool.run(this.source, task);
  }

  /** Keeps this generation open until `release`. */
  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    this.filters.close();
    closeHandles(this.handles);
  }

  /** Ids of items named by id or key. @throws ERR_ITEM_NOT_FOUND for a key that is not here. */
  resolve(items: readonly ItemRef[]): number[] {
    return items.map((item) => {
      const id = typeof item === 'number' ? item : this.#catalog.itemByKey(item)?.id;
      if (id === undefined) throw notFound(JSON.stringify(item));
      return id;
    });
  }

  /** Embeddings of items: ids.length x dims, unit rows. @throws ERR_ITEM_NOT_FOUND */
  async embeddings(ids: readonly number[]): Promise<Float32Array> {
    const { rows, embeddings } = await this.#find(itemIds(ids), true);
    const missing = rows.indexOf(-1);
    if (missing >= 0) throw notFound(String(ids[missing]));
    return embeddings;
  }

  /** Whether an item has a row here and was not removed. */
  async has(id: number): Promise<boolean> {
    return (await this.locate(itemIds([id])))[0] !== -1;
  }

  /** Global row of each item, or -1 for one that is not here or was removed. */
  async locate(ids: ItemIds): Promise<Float64Array> {
    return (await this.#find(ids, false)).rows;
  }

  /** Looks through the ids of all rows: here if they are few, else in a worker. */
  async #find(ids: ItemIds, decode: boolean): Promise<Located> {
    const task: Task = { kind: 'locate', ids, decode };
    const here = this.shape.rows <= INLINE_ROWS;
    try {
      const found = await (here ? runTask(this.handles, task) : this.#pool.run(this.source, task));
      const removed = new Set<number>(this.contents.removed);
      ids.forEach((id, i) => {
        if (removed.has(id)) found.rows[i] = -1;
      });
      return found;
    } catch (error) {
      throw fromNative(error);
    }
  }
}

function notFound(item: string): CorvidError {
  return new CorvidError('ERR_ITEM_NOT_FOUND', `no item ${item} in this index`, {
    hint: 'take ids and keys from the hits of a search',
  });
}
