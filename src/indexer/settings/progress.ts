// Measures the time of every phase, and reports to the caller how far it is, a few times a second.
import type { BuildPhase, BuildProgress } from './options.js';

const INTERVAL_MS = 200;
/** The rate is taken over about this time, so that an ETA follows the current speed. */
const WINDOW_MS = 10_000;

export class ProgressReporter {
  readonly phases: Partial<Record<BuildPhase, number>> = {};
  /** Images skipped so far. */
  skipped = 0;
  #phase: BuildPhase = 'list';
  #phaseStartMs = performance.now();
  #done = 0;
  #total = 0;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #marks: { timeMs: number; done: number }[] = [];

  constructor(private readonly report: ((progress: BuildProgress) => void) | undefined) {}

  /** Runs `work` as `phase`; times of a phase that runs twice are added. */
  async during<T>(phase: BuildPhase, total: number, work: () => Promise<T>): Promise<T> {
    this.#phase = phase;
    this.#phaseStartMs = performance.now();
    this.#marks = [{ timeMs: this.#phaseStartMs, done: 0 }];
    this.update(0, total, true);
    try {
      const result = await work();
      this.update(this.#total > 0 ? this.#total : this.#done, this.#total, true);
      return result;
    } finally {
      const seconds = (performance.now() - this.#phaseStartMs) / 1000;
      this.phases[phase] = (this.phases[phase] ?? 0) + seconds;
    }
  }

  /** The current phase begins with `done` units of an earlier run, which the rate does not count. */
  resumeFrom(done: number): void {
    this.#marks = [{ timeMs: performance.now(), done }];
    this.update(done, this.#total, true);
  }

  /** Sets how far the current phase is. */
  update(done: number, total = this.#total, always = false): void {
    this.#done = done;
    this.#total = total;
    const nowMs = performance.now();
    if (!always && nowMs - this.#reportedMs < INTERVAL_MS) return;
    this.#reportedMs = nowMs;
    this.#marks.push({ timeMs: nowMs, done });
    while (this.#marks.length > 2 && nowMs - (this.#marks[1]?.timeMs ?? nowMs) > WINDOW_MS) {
      this.#marks.shift();
    }
    const ratePerSecond = this.#rate(nowMs, done);
    const etaSeconds =
      ratePerSecond > 0 && total > 0 ? Math.max(0, total - done) / ratePerSecond : null;
    const phase = this.#phase;
    const { skipped } = this;
    this.report?.({ phase, done, total, ratePerSecond, etaSeconds, skipped });
  }

  #rate(nowMs: number, done: number): number {
    const first = this.#marks[0];
    if (first === undefined || nowMs <= first.timeMs) return 0;
    return ((done - first.done) * 1000) / (nowMs - first.timeMs);
  }
}
