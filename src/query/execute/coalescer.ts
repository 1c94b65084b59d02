// Queries of different callers that wait at the same time, sent to a worker together.
//
// A hop to a worker and back costs more than a small query. So where many callers wait, queries wait
// until a worker is free, and all that are alike (one plan, one filter) go to it in one call: the
// busier the index, the fewer hops a query. On an idle machine a query waits for one turn of the
// event loop.
import { throwIfAborted } from '../../errors.js';
import type { SearchAnswers } from '../../native/search.js';
import type { Filter } from '../plan/filter.js';
import type { Plan } from '../plan/plan.js';
import { type QueryAnswer, splitAnswers } from './answers.js';
import type { WorkerPool } from './pool.js';
import type { Snapshot } from './snapshot.js';

/** Queries in one call, at most: nobody should wait long for others'. */
const MAX_TOGETHER = 32;

interface Waiting {
  query: Float32Array;
  signal: AbortSignal | undefined;
  resolve: (answer: QueryAnswer) => void;
  reject: (error: unknown) => void;
}

/** Queries that can be answered in one call. */
interface Group {
  snapshot: Snapshot;
  plan: Plan;
  /** The plan as text: plans of two searches are two objects. */
  key: string;
  filter: Filter | null;
  waiting: Waiting[];
}

export class Coalescer {
  readonly #pool: WorkerPool;
  #groups: Group[] = [];
  #running = 0;
  #scheduled = false;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  /** The answer of one query of lists, as `answerQuery` gives it. @throws ERR_ABORTED */
  answer(
    snapshot: Snapshot,
    query: Float32Array,
    plan: Plan,
    filter: Filter | null,
    signal: AbortSignal | undefined,
  ): Promise<QueryAnswer> {
    return new Promise((resolve, reject) => {
      this.#groupOf(snapshot, plan, filter).waiting.push({ query, signal, resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#dispatch();
      });
    });
  }

  #groupOf(snapshot: Snapshot, plan: Plan, filter: Filter | null): Group {
    const key = JSON.stringify(plan);
    const known = this.#groups.find(
      (group) => group.snapshot === snapshot && group.filter === filter && group.key === key,
    );
    if (known !== undefined) return known;
    const group: Group = { snapshot, plan, key, filter, waiting: [] };
    this.#groups.push(group);
    return group;
  }

  /** Shares those that wait among the workers that are free; the last to end calls this again. */
  #dispatch(): void {
    let free = Math.max(this.#pool.idle, this.#running === 0 ? 1 : 0);
    for (; free > 0; free--) {
      const group = this.#groups.shift();
      if (group === undefined) return;
      const share = Math.min(MAX_TOGETHER, Math.ceil(group.waiting.length / free));
      const taken = group.waiting.splice(0, share);
      if (group.waiting.length > 0) this.#groups.push(group);
      void this.#run(group, taken);
    }
  }

  async #run({ snapshot, plan, filter }: Group, taken: readonly Waiting[]): Promise<void> {
    this.#running++;
    const wanted = taken.filter(isWanted);
    try {
      if (wanted.length === 0) return;
      const { dims, shape, source } = snapshot;
      const queries = new Float32Array(wanted.length * dims);
      wanted.forEach(({ query }, i) => {
        queries.set(query, i * dims);
      });
      const filters = filter?.handles ?? null;
      const task = { kind: 'answer', queries, plan, filters, routed: null, cancel: null } as const;
      const found = await this.#pool.run(source, task, [queries.buffer]);
      const matching = filter?.rows ?? shape.rows;
      const answers = splitAnswers(found as SearchAnswers, shape, plan, matching);
      wanted.forEach(({ resolve }, i) => {
        resolve(answers[i] as QueryAnswer);
      });
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    } finally {
      this.#running--;
      this.#dispatch();
    }
  }
}

/** False for a query whose caller has given up; the caller gets the signal's error. */
function isWanted({ signal, reject }: Waiting): boolean {
  try {
    throwIfAborted(signal);
    return true;
  } catch (error) {
    reject(error);
    return false;
  }
}
