// One line on stderr now and then, with the time that is left; and how large a folder is.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildProgress } from '../../src/index.js';

const EVERY_MS = 10_000;

export class Progress {
  readonly #start = performance.now();
  #said = 0;
  #first: number | undefined;
  #phase = '';

  constructor(
    readonly name: string,
    readonly total: number,
  ) {}

  /** Of a step that counts rows, from wherever it goes on. */
  update(done: number): void {
    this.#first ??= done;
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = (done - this.#first) / seconds;
    const eta = rate > 0 ? (this.total - done) / rate : null;
    this.#say(this.name, done, this.total, rate, eta, done === this.total);
  }

  report({ phase, done, total, ratePerSecond, etaSeconds }: BuildProgress): void {
    const changed = phase !== this.#phase;
    this.#phase = phase;
    this.#say(`${this.name} ${phase}`, done, total, ratePerSecond, etaSeconds, changed);
  }

  #say(
    what: string,
    done: number,
    total: number,
    rate: number,
    etaSeconds: number | null,
    now: boolean,
  ): void {
    if (!now && performance.now() - this.#said < EVERY_MS) return;
    this.#said = performance.now();
    const left = etaSeconds === null ? '' : `, ${Math.round(etaSeconds)} s left`;
    const of = total > 0 ? ` of ${total}` : '';
    process.stderr.write(`${what}: ${done}${of}, ${Math.round(rate)}/s${left}\n`);
  }
}

/** Bytes of all files below; those that vanish while it looks count nothing. */
export function folderBytes(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => {
        const found = statSync(join(parentPath, name), { throwIfNoEntry: false });
        return sum + (found?.size ?? 0);
      }, 0);
  } catch {
    return 0;
  }
}
