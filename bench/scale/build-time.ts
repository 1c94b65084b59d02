// The time of a build by phase, over all its runs. It is saved to a file while the build runs, as a
// killed run cannot report its time.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { BuildPhase, BuildProgress } from '../../src/index.js';

type Phases = Partial<Record<BuildPhase, number>>;

export interface TimeTaken {
  /** Times that the build was started or resumed. */
  runs: number;
  /** Seconds of each phase over all runs. */
  phases: Phases;
}

const SAVE_MS = 10_000;

export class BuildTime {
  readonly #path: string;
  /** Of earlier runs. */
  readonly #earlier: TimeTaken;
  readonly #current: Phases = {};
  #phase: BuildPhase = 'list';
  #lastMs = performance.now();
  #savedMs = this.#lastMs;

  /** Starts a run. @param path file of the times of earlier runs */
  constructor(path: string) {
    this.#path = path;
    this.#earlier = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as TimeTaken)
      : { runs: 0, phases: {} };
    this.#save();
  }

  /** Adds the time since the last report to the phase that it named. */
  report({ phase }: Pick<BuildProgress, 'phase'>): void {
    const now = performance.now();
    this.#current[this.#phase] = (this.#current[this.#phase] ?? 0) + (now - this.#lastMs) / 1000;
    this.#phase = phase;
    this.#lastMs = now;
    if (now - this.#savedMs >= SAVE_MS) this.#save();
  }

  #save(): void {
    this.#savedMs = this.#lastMs;
    writeFileSync(`${this.#path}.part`, JSON.stringify(this.taken(this.#current)));
    renameSync(`${this.#path}.part`, this.#path);
  }

  /** The total of all runs. @param current seconds of this one */
  taken(current: Phases): TimeTaken {
    const phases: Phases = { ...this.#earlier.phases };
    for (const [phase, seconds] of Object.entries(current) as [BuildPhase, number][]) {
      phases[phase] = (phases[phase] ?? 0) + seconds;
    }
    return { runs: this.#earlier.runs + 1, phases };
  }
}
