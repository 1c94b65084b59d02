// Queries of different callers that wait at the same time, sent to a worker together.
//
// A hop to a worker and back costs more than a small query. So where many callers wait, queries wait until a worker
// is free, and all that are alike (one plan, one filter) then go to it in one call: the busier the
// index, the fewer hops a query. On an idle machine a query waits for one turn of the event loop.
import { throwIfAborted } from '../../errors.js';
import type { NativeAnswers } from '../../native/addon.js';
import type { Filter } from '../plan/filter.js';
import type { Plan } from '../plan/plan.js';
import { answersOf, type Executed } from './execute.js';
import { answerRequest } from './native-request.js';
import type { WorkerPool } from './pool.js';
import type { Snapshot } from './snapshot.js';

/** Queries in one call, at most: nobody should wait long for others'. */
const MOST_TOGETHER = 32;

interface Waiting {
  query: Float32Array;
  signal: AbortSignal | undefined;
  resolve: (answer: Executed) => void;
  reject: (error: unknown) => void;
}

interface Alike {
  snapshot: Snapshot;
  plan: Plan;
  /** The plan in words: plans of two searches are two objects. */
  key: string;
  filter: Filter | null;
  waiting: Waiting[];
}

export class Gatherer {
  readonly #pool: WorkerPool;
  #groups: Alike[] = [];
  #running = 0;
  #soon = false;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  /** The answer of one query of lists, as `execute` gives it. @throws ERR_ABORTED while it waits. */
  answer(
    snapshot: Snapshot,
    query: Float32Array,
    plan: Plan,
    filter: Filter | null,
    signal: AbortSignal | undefined,
  ): Promise<Executed> {
    return new Promise((resolve, reject) => {
      this.#alike(snapshot, plan, filter).waiting.push({ query, signal, resolve, reject });
      if (this.#soon) return;
      this.#soon = true;
      setImmediate(() => {
        this.#soon = false;
        this.#dispatch();
      });
    });
  }

  #alike(snapshot: Snapshot, plan: Plan, filter: Filter | null): Alike {
    const key = JSON.stringify(plan);
    const known = this.#groups.find(
      (group) => group.snapshot === snapshot && group.filter === filter && group.key === key,
    );
    if (known !== undefined) return known;
    const group: Alike = { snapshot, plan, key, filter, waiting: [] };
    this.#groups.push(group);
    return group;
  }

  /** Shares those that wait among the workers that are free; the last to end calls this again. */
  #dispatch(): void {
    let free = Math.max(this.#pool.idle, this.#running === 0 ? 1 : 0);
    for (; free > 0; free -= 1) {
      const group = this.#groups.shift();
      if (group === undefined) return;
      const share = Math.min(MOST_TOGETHER, Math.ceil(group.waiting.length / free));
      const taken = group.waiting.splice(0, share);
      if (group.waiting.length > 0) this.#groups.push(group);
      this.#run(group, taken);
    }
  }

  async #run({ snapshot, plan, filter }: Alike, taken: readonly Waiting[]): Promise<void> {
    this.#running += 1;
    const wanted = taken.filter(isWanted);
    try {
      if (wanted.length === 0) return;
      const { dims } = snapshot;
      const queries = new Float32Array(wanted.length * dims);
      wanted.forEach(({ query }, i) => {
        queries.set(query, i * dims);
      });
      const job = answerRequest(snapshot.shape, plan, filter, queries);
      const task = { kind: 'answer', job, cancel: null } as const;
      const found = await this.#pool.run(snapshot.source, task, [queries.buffer]);
      const answers = answersOf(found as NativeAnswers, snapshot, plan, filter);
      wanted.forEach(({ resolve }, i) => {
        resolve(answers[i] as Executed);
      });
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    } finally {
      this.#running -= 1;
      this.#dispatch();
    }
  }
}

/** False for a query whose caller has given up, who is told so. */
function isWanted({ signal, reject }: Waiting): boolean {
  try {
    throwIfAborted(signal);
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}
