// What a build took, phase by phase, over all its runs: kept in a file while it goes on, for a run
// that is killed cannot say how long it was at work.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { BuildPhase, BuildProgress } from '../../src/index.js';

type Phases = Partial<Record<BuildPhase, number>>;

export interface TimeTaken {
  /** Times that the build was begun or gone on with. */
  runs: number;
  /** Seconds of each phase, all runs together. */
  phases: Phases;
}

const SAVE_MS = 10_000;

export class BuildTime {
  readonly #path: string;
  /** Of the runs before this one. */
  readonly #earlier: TimeTaken;
  readonly #own: Phases = {};
  #phase: BuildPhase = 'list';
  #lastMs = performance.now();
  #savedMs = this.#lastMs;

  /** A run begins. @param path where earlier runs left what they took */
  constructor(path: string) {
    this.#path = path;
    this.#earlier = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as TimeTaken)
      : { runs: 0, phases: {} };
    this.#save();
  }

  /** The time since the last report was spent in the phase that it was about. */
  report({ phase }: Pick<BuildProgress, 'phase'>): void {
    const now = performance.now();
    this.#own[this.#phase] = (this.#own[this.#phase] ?? 0) + (now - this.#lastMs) / 1000;
    this.#phase = phase;
    this.#lastMs = now;
    if (now - this.#savedMs >= SAVE_MS) this.#save();
  }

  #save(): void {
    this.#savedMs = this.#lastMs;
    writeFileSync(`${this.#path}.part`, JSON.stringify(this.taken(this.#own)));
    renameSync(`${this.#path}.part`, this.#path);
  }

  /** All runs, of which this one took so much. */
  taken(own: Phases): TimeTaken {
    const phases: Phases = { ...this.#earlier.phases };
    for (const [phase, seconds] of Object.entries(own) as [BuildPhase, number][]) {
      phases[phase] = (phases[phase] ?? 0) + seconds;
    }
    return { runs: this.#earlier.runs + 1, phases };
  }
}
