// The worker threads of an open index (piscina): started when a task first needs one.
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { fromPlainError, type HandlesSource } from './handles.js';
import type { Results, Task } from './tasks.js';
import type { WorkerRequest, WorkerResponse } from './worker.js';

/** A worker's heap: it holds no more than a shortlist or a batch's answers. */
const HEAP = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256 };

export class WorkerPool {
  readonly threads: number;
  #piscina: Piscina | null = null;
  #running = 0;

  constructor(threads: number) {
    this.threads = threads;
  }

  /** Workers without a task. */
  get idle(): number {
    return Math.max(0, this.threads - this.#running);
  }

  /** @param transfer buffers of the task that are moved to the worker, not copied */
  async run<K extends Task['kind']>(
    source: HandlesSource,
    task: Extract<Task, { kind: K }>,
    transfer: ArrayBuffer[] = [],
  ): Promise<Results[K]> {
    this.#piscina ??= new Piscina({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      minThreads: this.threads,
      maxThreads: this.threads,
      resourceLimits: HEAP,
      recordTiming: false,
      // Flags of the caller's process, such as --input-type, are not meant for these threads.
      execArgv: [],
    });
    this.#running++;
    try {
      const request: WorkerRequest = { source, task };
      const response = (await this.#piscina.run(request, {
        transferList: transfer,
      })) as WorkerResponse;
      if ('error' in response) throw fromPlainError(response.error);
      return response.value as Results[K];
    } finally {
      this.#running--;
    }
  }

  /** Ends the threads; no task may be running. */
  async close(): Promise<void> {
    await this.#piscina?.destroy();
    this.#piscina = null;
  }
}
