// Child processes that run the networks: started when first needed, kept until close.
//
// Processes, not threads, because the network runtime's addon keeps state for the whole process:
// loaded by a second thread, or again after its thread has ended, it corrupts the heap (of
// onnxruntime-node 1.14, and not in every run). A child gives its memory back when it is
// closed, and a crash of the runtime is an error here instead of the caller's end. Children die
// with their parent, however that ends. An idle pool does not keep the process alive.
import { type ChildProcess, fork } from 'node:child_process';
import type { Reply, Request } from './child.js';

/** One task runs and one is queued in the child, so that it never waits for this thread. */
const TASKS_PER_CHILD = 2;

interface Pending {
  task: unknown;
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

interface Child {
  process: ChildProcess;
  /** Tasks that were sent and not yet answered, by number. */
  tasks: Map<number, Pending>;
  ended: Promise<void>;
}

export class ChildPool {
  readonly #file: string;
  readonly #size: number;
  readonly #children = new Set<Child>();
  readonly #queue: Pending[] = [];
  #nextTask = 0;
  #closed = false;

  /** @param file compiled module that calls `serve` of child.ts. @param size maximum number of children */
  constructor(file: string, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** Runs `task` in a child, first come, first served. Rejects with what the child threw. */
  run<Result>(task: unknown): Promise<Result> {
    if (this.#closed) return Promise.reject(new Error('the pool is closed'));
    return new Promise<Result>((resolve, reject) => {
      this.#queue.push({ task, resolve, reject });
      this.#dispatch();
    });
  }

  /** Waits for the tasks that were sent, rejects those that were not, and stops the children. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(new Error('the pool is closed'));
    const children = [...this.#children];
    for (const child of children) this.#endIfDone(child);
    await Promise.all(children.map(({ ended }) => ended));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const child = this.#choose();
      if (child === null) return;
      this.#send(child, this.#queue.shift() as Pending);
    }
  }

  /** An idle child, else a new one, else one with a single task: null if all have two. */
  #choose(): Child | null {
    const [least] = [...this.#children].sort((a, b) => a.tasks.size - b.tasks.size);
    if (least?.tasks.size === 0) return least;
    if (this.#children.size < this.#size) return this.#start();
    return least !== undefined && least.tasks.size < TASKS_PER_CHILD ? least : null;
  }

  #start(): Child {
    const process_ = fork(this.#file, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Flags of the caller's process, such as --input-type, must not reach the child.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const child: Child = { process: process_, tasks: new Map(), ended };
    const onEnd = (reason: string) => {
      this.#children.delete(child);
      const lost = [...child.tasks.values()];
      child.tasks.clear();
      for (const { reject } of lost) reject(new Error(`its process ended early (${reason})`));
      end();
      this.#dispatch();
    };
    process_.on('message', (reply: Reply) => this.#settle(child, reply));
    process_.once('error', (error) => onEnd(error.message));
    process_.once('exit', (code, signal) => onEnd(signal ?? `exit code ${code}`));
    this.#children.add(child);
    return child;
  }

  #send(child: Child, pending: Pending): void {
    const id = this.#nextTask++;
    child.tasks.set(id, pending);
    child.process.ref();
    child.process.channel?.ref();
    // If the child is gone, its exit event rejects all of its tasks.
    child.process.send({ id, task: pending.task } satisfies Request, () => {});
  }

  #settle(child: Child, reply: Reply): void {
    const pending = child.tasks.get(reply.id);
    child.tasks.delete(reply.id);
    if ('error' in reply) pending?.reject(new Error(reply.error));
    else pending?.resolve(reply.result as never);
    if (this.#closed) {
      this.#endIfDone(child);
      return;
    }
    this.#dispatch();
    if (child.tasks.size > 0) return;
    child.process.unref();
    child.process.channel?.unref();
  }

  #endIfDone(child: Child): void {
    if (child.tasks.size > 0) return;
    child.process.ref();
    if (child.process.connected) child.process.disconnect();
  }
}
