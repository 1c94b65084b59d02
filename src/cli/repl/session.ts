// The state of a REPL: the query so far, the hits on the screen, and settings.
//
// It knows nothing about terminals: it takes queries and returns lines to print. A query or command
// that fails leaves the query, the filter and the hits unchanged.
import {
  type CorvidIndex,
  type Hit,
  type ItemRef,
  parseQuery,
  type QueryPart,
  type SearchResult,
} from '../../index.js';
import { usageError } from '../console/arguments.js';
import { footer, hitLines, nameOf } from '../console/hits.js';
import { infoLines } from '../console/ledger.js';
import { describeQuery, pictureOf } from '../console/query.js';
import { writeSheet } from '../console/sheet.js';
import { dim } from '../console/style.js';
import { explain } from './explain.js';

export interface SessionOptions {
  limit: number;
  effort?: number | undefined;
}

/** The input of a search and its hits. Replaced as a whole, and only on success. */
interface View {
  parts: readonly QueryPart[];
  where: string | undefined;
  /** Hits of all pages so far; the screen numbers them from 1. */
  hits: readonly Hit[];
  last: SearchResult | undefined;
}

export class Session {
  /** True after `.exit`. */
  done = false;
  readonly #index: CorvidIndex;
  #view: View = { parts: [], where: undefined, hits: [], last: undefined };
  #limit: number;
  #effort: number | undefined;
  #showTimings = true;
  /** Names of the items that `.more` and `.less` added to a query. */
  readonly #names = new Map<ItemRef, string>();

  constructor(index: CorvidIndex, { limit, effort }: SessionOptions) {
    this.#index = index;
    this.#limit = limit;
    this.#effort = effort;
  }

  /** Runs a query, or extends the last one if the line starts with + or -. @returns lines to print */
  async query(line: string, signal: AbortSignal): Promise<string[]> {
    const parts = parseQuery(line);
    const continued = /^[+\-−]/.test(line) && this.#view.parts.length > 0;
    return continued ? this.add(parts, signal) : this.#search({ ...this.#view, parts }, signal, '');
  }

  /** Starts a new query. */
  replace(part: QueryPart, signal: AbortSignal): Promise<string[]> {
    return this.#search({ ...this.#view, parts: [part] }, signal);
  }

  /** Adds to the query. */
  add(more: readonly QueryPart[], signal: AbortSignal): Promise<string[]> {
    return this.#search({ ...this.#view, parts: [...this.#view.parts, ...more] }, signal);
  }

  /** Hit `number` of the screen as a query part. */
  partOfHit(number: string, weight: number): QueryPart {
    const hit = this.hit(number);
    this.#names.set(hit.id, nameOf(hit));
    return { item: hit.id, weight };
  }

  /** Prints the next page of hits. */
  next(signal: AbortSignal): Promise<string[]> {
    return this.#search(this.#view, signal, '', this.#view.hits.length);
  }

  async setWhere(sql: string, signal: AbortSignal): Promise<string[]> {
    const where = sql === '' ? undefined : sql;
    const view = { ...this.#view, where };
    const title = where === undefined ? 'no filter' : `filter: ${where}`;
    if (view.parts.length > 0) return this.#search(view, signal, title);
    this.#view = view;
    return [title];
  }

  setLimit(limit: number): string[] {
    this.#limit = limit;
    return [`${limit} hits per page`];
  }

  setEffort(effort: number | undefined): string[] {
    this.#effort = effort ?? this.#effort;
    return [`effort ${this.#effort ?? 'default (0.5)'}`];
  }

  setTimer(on: boolean): string[] {
    this.#showTimings = on;
    return [`timer ${on ? 'on' : 'off'}`];
  }

  async sheet(path: string): Promise<string[]> {
    const { parts, hits, last } = this.#view;
    if (last === undefined) throw usageError('there is nothing to show yet', 'search first');
    const title = this.#title(parts);
    await writeSheet(path, [
      { title, result: { ...last, hits: [...hits] }, picture: pictureOf(parts) },
    ]);
    return [`contact sheet: ${path}`];
  }

  explain(): string[] {
    const { parts, where, last } = this.#view;
    if (last === undefined) throw usageError('there is nothing to explain yet', 'search first');
    return explain(this.#title(parts), where, last);
  }

  async info(): Promise<string[]> {
    return infoLines(await this.#index.info());
  }

  /** Hit `number` of the screen. */
  hit(number: string): Hit {
    const { hits } = this.#view;
    const hit = /^\d+$/.test(number) ? hits[Number(number) - 1] : undefined;
    if (hit !== undefined) return hit;
    throw usageError(
      number === '' ? 'the number of a hit is missing' : `there is no hit ${number}`,
      hits.length === 0 ? 'search first' : `give a number from 1 to ${hits.length}`,
    );
  }

  /** @param title printed above the hits; empty if it would only repeat the typed line */
  async #search(
    view: View,
    signal: AbortSignal,
    title = this.#title(view.parts),
    offset = 0,
  ): Promise<string[]> {
    const { parts, where } = view;
    if (parts.length === 0) throw usageError('there is no query yet', 'type what to look for');
    const options = { limit: this.#limit, offset, where, effort: this.#effort, signal };
    const last = await this.#index.search([...parts], options);
    const before = offset === 0 ? [] : view.hits;
    this.#view = { parts, where, hits: [...before, ...last.hits], last };
    const found = hitLines(last.hits, { firstRank: offset + 1 });
    if (found.length === 0) found.push(offset === 0 ? '  nothing found' : '  no more hits');
    const foot = footer(last, { showTimings: this.#showTimings });
    return [...(title === '' ? [] : [title]), ...found, dim(foot, process.stdout)];
  }

  #title(parts: readonly QueryPart[]): string {
    return describeQuery(parts, (item) => this.#names.get(item) ?? `item ${item}`);
  }
}
