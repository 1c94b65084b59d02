// Filters: an SQL condition becomes a row bitmap, which the scan applies to every row.
//
// A filter belongs to one generation of the index. Items that were removed pass no filter, and where
// a generation has such items, a search without a condition has a filter too. The last few
// conditions are kept, as the pages of a search repeat them.
import { fromNative } from '../../native/errors.js';
import type { NativeRowFilter, NativeSegment } from '../../native/segment.js';
import type { ItemIds } from '../../store/ids.js';

export interface Filter {
  /** Rows that pass, in all segments. */
  rows: number;
  /** Native filter handle per segment; -1 where no row passes. */
  handles: Float64Array;
  /** The global rows that pass, ascending, where they are so few that each is scored directly. */
  fewRows: Float64Array | null;
}

/** A filter in use: `release` it when the search is over. */
export interface FilterLease {
  /** Null if every row passes. */
  filter: Filter | null;
  release(): void;
}

interface Entry {
  filter: Filter;
  native: NativeRowFilter[];
}

interface Kept {
  making: Promise<Entry>;
  users: number;
}

/** Rows that are scored directly: a scan would keep as many for its shortlist. */
const FEW_ROWS = 1000;
const KEPT_CONDITIONS = 8;

/** What filters ask of the index. */
export interface ItemLookup {
  /** Ids of the items that an SQL condition keeps, ascending. @throws ERR_WHERE */
  select(where: string): Promise<ItemIds>;
  /** Global row of each item, or -1 for one that is not here or was removed. */
  locate(ids: ItemIds): Promise<Float64Array>;
}

export class Filters {
  readonly #index: ItemLookup;
  readonly #segments: readonly NativeSegment[];
  readonly #removed: ItemIds;
  /** By condition, least recently used first; '' is the filter of removed items alone. */
  readonly #kept = new Map<string, Kept>();

  /** @param removed ids of items whose rows still lie in the segments */
  constructor(index: ItemLookup, segments: readonly NativeSegment[], removed: ItemIds) {
    this.#index = index;
    this.#segments = segments;
    this.#removed = removed;
  }

  /** The filter of a condition; null: of no condition. @throws ERR_WHERE */
  async lease(where: string | null): Promise<FilterLease> {
    if (where === null && this.#removed.length === 0) return { filter: null, release() {} };
    const key = where ?? '';
    const kept = this.#kept.get(key) ?? { making: this.#make(where), users: 0 };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.users++;
    this.#forgetUnused(KEPT_CONDITIONS);
    try {
      const { filter } = await kept.making;
      return {
        filter,
        release() {
          kept.users--;
        },
      };
    } catch (error) {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
      throw error;
    }
  }

  async #make(where: string | null): Promise<Entry> {
    const include = where === null ? null : await this.#index.select(where);
    const native: NativeRowFilter[] = [];
    try {
      for (const segment of this.#segments) {
        native.push(await segment.createFilter(include, this.#removed));
      }
    } catch (error) {
      for (const made of native) made.free();
      throw fromNative(error);
    }
    const rows = native.reduce((sum, made) => sum + made.rows, 0);
    const few = include !== null && rows <= FEW_ROWS;
    const filter: Filter = {
      rows,
      handles: Float64Array.from(native, (made) => (made.rows === 0 ? -1 : made.handle)),
      fewRows: few ? await this.#rowsOf(include) : null,
    };
    return { filter, native };
  }

  async #rowsOf(ids: ItemIds): Promise<Float64Array> {
    const rows = await this.#index.locate(ids);
    return rows.filter((row) => row >= 0).sort();
  }

  /** Frees the longest unused filters down to `keep`; those in use stay. */
  #forgetUnused(keep: number): void {
    for (const [key, kept] of this.#kept) {
      if (this.#kept.size <= keep) return;
      if (kept.users > 0) continue;
      this.#kept.delete(key);
      kept.making.then(
        ({ native }) => {
          for (const made of native) made.free();
        },
        // The caller that asked for it got the error; there is nothing to free.
        () => undefined,
      );
    }
  }

  /** No filter may be in use. */
  close(): void {
    this.#forgetUnused(0);
  }
}
