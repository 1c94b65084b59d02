// Progress lines on stderr, with the remaining time; and the size of a folder.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildProgress } from '../../src/index.js';

const EVERY_MS = 10_000;

export class ProgressLine {
  readonly #start = performance.now();
  #printedMs = 0;
  #first: number | undefined;
  #phase = '';

  constructor(
    readonly name: string,
    readonly total: number,
  ) {}

  /** For a step that counts rows; it may resume anywhere. */
  update(done: number): void {
    this.#first ??= done;
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = (done - this.#first) / seconds;
    const eta = rate > 0 ? (this.total - done) / rate : null;
    this.#print(this.name, done, this.total, rate, eta, done === this.total);
  }

  report({ phase, done, total, ratePerSecond, etaSeconds }: BuildProgress): void {
    const changed = phase !== this.#phase;
    this.#phase = phase;
    this.#print(`${this.name} ${phase}`, done, total, ratePerSecond, etaSeconds, changed);
  }

  #print(
    what: string,
    done: number,
    total: number,
    rate: number,
    etaSeconds: number | null,
    now: boolean,
  ): void {
    if (!now && performance.now() - this.#printedMs < EVERY_MS) return;
    this.#printedMs = performance.now();
    const left = etaSeconds === null ? '' : `, ${Math.round(etaSeconds)} s left`;
    const of = total > 0 ? ` of ${total}` : '';
    process.stderr.write(`${what}: ${done}${of}, ${Math.round(rate)}/s${left}\n`);
  }
}

/** Bytes of all files below a folder; files that vanish meanwhile count as 0. */
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
