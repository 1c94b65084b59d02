// The state of a REPL and what its lines do: the query so far, the hits on the screen, settings.
//
// Knows nothing of terminals: it is given lines and gives back lines to print.

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  CorvidError,
  type CorvidIndex,
  type Hit,
  parseQuery,
  type QueryPart,
  type SearchResult,
} from '../../src/index.js';
import { footer, hitLines, nameOf } from '../console/hits.js';
import { infoLines } from '../console/ledger.js';
import { count } from '../console/numbers.js';
import { describeQuery } from '../console/query.js';
import { contactSheet } from '../console/sheet.js';
import { openWithDesktop } from './desktop.js';

export interface SessionOptions {
  limit: number;
  effort?: number | undefined;
}

interface DotCommand {
  usage: string;
  help: string;
  run: (argument: string, signal: AbortSignal) => Promise<string[]> | string[];
}

export class Session {
  /** True after `.exit`. */
  done = false;
  readonly commands: ReadonlyMap<string, DotCommand>;
  readonly #index: CorvidIndex;
  #parts: QueryPart[] = [];
  #where: string | undefined;
  #effort: number | undefined;
  #limit: number;
  #showTimings = true;
  /** Hits of the present query, as numbered on the screen from 1. */
  #hits: Hit[] = [];
  #last: SearchResult | undefined;

  constructor(index: CorvidIndex, { limit, effort }: SessionOptions) {
    this.#index = index;
    this.#limit = limit;
    this.#effort = effort;
    this.commands = new Map(Object.entries(this.#commandTable()));
  }

  /** @returns lines to print. @throws CorvidError for the loop to show. */
  async line(text: string, signal: AbortSignal): Promise<string[]> {
    const line = text.trim();
    if (line === '') return [];
    if (!/^\.[a-z]/i.test(line)) {
      this.#parts = parseQuery(line);
      return this.#searchAnew(signal);
    }
    const name = line.split(/\s+/, 1)[0] as string;
    const command = this.commands.get(name);
    if (command === undefined) throw usage(`there is no command ${name}`, '.help lists them');
    return command.run(line.slice(name.length).trim(), signal);
  }

  #commandTable(): Record<string, DotCommand> {
    return {
      '.image': {
        usage: '.image FILE',
        help: 'search with a picture',
        run: (file, signal) =>
          this.#replace({ image: resolve(needed(file, '.image FILE')) }, signal),
      },
      '.more': {
        usage: '.more N',
        help: 'more like hit N',
        run: (number, signal) => this.#add({ item: this.#hit(number).id, weight: 1 }, signal),
      },
      '.less': {
        usage: '.less N',
        help: 'less like hit N',
        run: (number, signal) => this.#add({ item: this.#hit(number).id, weight: -1 }, signal),
      },
      '.where': {
        usage: '.where [SQL]',
        help: 'only items that match; without SQL: all again',
        run: (sql, signal) => this.#setWhere(sql, signal),
      },
      '.next': {
        usage: '.next',
        help: 'the following hits',
        run: (_, signal) => this.#search(signal),
      },
      '.open': {
        usage: '.open N',
        help: 'open hit N with the desktop’s viewer',
        run: (number) => this.#open(number),
      },
      '.sheet': {
        usage: '.sheet FILE.html',
        help: 'write the hits as a contact sheet',
        run: (file) => this.#sheet(file),
      },
      '.limit': {
        usage: '.limit N',
        help: 'hits a page',
        run: (text) => this.#setLimit(text),
      },
      '.effort': {
        usage: '.effort [0..1]',
        help: 'how hard to look',
        run: (text) => this.#setEffort(text),
      },
      '.explain': {
        usage: '.explain',
        help: 'what the last search did',
        run: () => this.#explain(),
      },
      '.info': {
        usage: '.info',
        help: 'what is in the index, and what it costs',
        run: async () => infoLines(await this.#index.info()),
      },
      '.timer': {
        usage: '.timer on|off',
        help: 'print the time of each step',
        run: (text) => this.#setTimer(text),
      },
      '.help': { usage: '.help', help: 'this', run: () => this.#help() },
      '.exit': {
        usage: '.exit',
        help: 'leave (Ctrl-D does too)',
        run: () => {
          this.done = true;
          return [];
        },
      },
    };
  }

  #replace(part: QueryPart, signal: AbortSignal): Promise<string[]> {
    this.#parts = [part];
    return this.#searchAnew(signal);
  }

  #add(part: QueryPart, signal: AbortSignal): Promise<string[]> {
    this.#parts = [...this.#parts, part];
    return this.#searchAnew(signal);
  }

  #searchAnew(signal: AbortSignal): Promise<string[]> {
    this.#hits = [];
    return this.#search(signal);
  }

  /** The next page of hits of the present query. */
  async #search(signal: AbortSignal): Promise<string[]> {
    if (this.#parts.length === 0) throw usage('there is no query yet', 'type what to look for');
    const offset = this.#hits.length;
    const result = await this.#index.search(this.#parts, {
      limit: this.#limit,
      offset,
      where: this.#where,
      effort: this.#effort,
      signal,
    });
    this.#hits.push(...result.hits);
    this.#last = result;
    const title = this.#parts.some((part) => !('text' in part)) ? [describeQuery(this.#parts)] : [];
    const found = hitLines(result.hits, { firstRank: offset + 1 });
    if (found.length === 0) found.push(offset === 0 ? '  nothing found' : '  no more');
    return [...title, ...found, ...(this.#showTimings ? [footer(result)] : [])];
  }

  /** A filter that the catalog refuses changes nothing. */
  async #setWhere(sql: string, signal: AbortSignal): Promise<string[]> {
    const before = { where: this.#where, hits: this.#hits };
    this.#where = sql === '' ? undefined : sql;
    if (this.#parts.length === 0) return [sql === '' ? 'no filter' : `filter: ${sql}`];
    try {
      return await this.#searchAnew(signal);
    } catch (error) {
      this.#where = before.where;
      this.#hits = before.hits;
      throw error;
    }
  }

  #setLimit(text: string): string[] {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1) throw usage('.limit N', 'N is 1 or more');
    this.#limit = value;
    return [`${value} hits a page`];
  }

  #setEffort(text: string): string[] {
    if (text !== '') {
      const value = Number(text);
      if (!(value >= 0 && value <= 1)) throw usage('.effort E', 'E is a number from 0 to 1');
      this.#effort = value;
    }
    return [`effort ${this.#effort ?? 'default'}`];
  }

  #setTimer(text: string): string[] {
    if (text !== 'on' && text !== 'off') throw usage('.timer on|off', 'say on or off');
    this.#showTimings = text === 'on';
    return [`timer ${text}`];
  }

  async #open(number: string): Promise<string[]> {
    const hit = this.#hit(number);
    if (hit.path === null) throw usage(`${nameOf(hit)} has no file`, 'choose another hit');
    await openWithDesktop(hit.path);
    return [`opening ${hit.path}`];
  }

  async #sheet(file: string): Promise<string[]> {
    const path = resolve(needed(file, '.sheet FILE.html'));
    if (this.#last === undefined) throw usage('there is nothing to show yet', 'search first');
    const picture = this.#parts.flatMap((part) =>
      'image' in part && typeof part.image === 'string' ? [part.image] : [],
    )[0];
    const result = { ...this.#last, hits: this.#hits };
    await writeFile(
      path,
      await contactSheet([{ title: describeQuery(this.#parts), result, picture }]),
    );
    return [`contact sheet: ${path}`];
  }

  #explain(): string[] {
    const result = this.#last;
    if (result === undefined) throw usage('there is nothing to explain yet', 'search first');
    const { probedLists, lists, scannedRows, rows, shortlist, levels, rescored, exact } = result;
    return [
      `query     ${describeQuery(this.#parts)}`,
      ...(this.#where === undefined ? [] : [`filter    ${this.#where}`]),
      `routed    ${count(probedLists)} of ${count(lists)} lists`,
      `scanned   ${count(scannedRows)} of ${count(rows)} codes of 64 bits`,
      `refined   ${count(shortlist)} by ${levels.join(', ')} bits${rescored ? ', then by int8 vectors' : ''}`,
      `answer    ${exact ? 'exact: every image was scored' : 'approximate'}`,
    ];
  }

  #help(): string[] {
    const lines = [...this.commands.values()].map(
      ({ usage: text, help }) => `  ${text.padEnd(18)} ${help}`,
    );
    return ['A line is a query: a dog on a beach - people, 0.5*snow + "rock + roll"', ...lines];
  }

  /** Hit N of the screen. */
  #hit(number: string): Hit {
    const hit = /^\d+$/.test(number) ? this.#hits[Number(number) - 1] : undefined;
    if (hit !== undefined) return hit;
    throw usage(
      `there is no hit ${number === '' ? 'without a number' : number}`,
      this.#hits.length === 0 ? 'search first' : `give a number from 1 to ${this.#hits.length}`,
    );
  }
}

function needed(argument: string, form: string): string {
  const quoted = /^(["'])(.*)\1$/s.exec(argument);
  const value = quoted === null ? argument : (quoted[2] as string);
  if (value === '') throw usage(form, 'name a file');
  return value;
}

function usage(what: string, hint: string): CorvidError {
  return new CorvidError('ERR_USAGE', what, { hint });
}
