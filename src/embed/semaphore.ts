// Runs at most a fixed number of tasks at once; the others wait, first come, first served.

export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  /** First entry of `#waiting` that still waits: a queue of many thousands is not shifted. */
  #next = 0;

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Runs `task` once a permit is free, and releases the permit however the task ends. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    const next = this.#waiting[this.#next];
    if (next === undefined) {
      this.#free++;
      return;
    }
    this.#next++;
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    next();
  }
}
