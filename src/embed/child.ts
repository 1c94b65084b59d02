// The child's side of child-pool.ts: answers requests over the channel, one after another.

export interface Request {
  id: number;
  task: unknown;
}

export type Reply = { id: number; result: unknown } | { id: number; error: string };

/** Runs `work` for every request of the parent, until the parent disconnects. */
export function serve<Task, Result>(work: (task: Task) => Promise<Result>): void {
  // A terminal sends Ctrl-C to all processes of a command; the parent decides what it means.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  let last = Promise.resolve();
  process.on('message', ({ id, task }: Request) => {
    last = last.then(async () => reply(id, await outcome(work, task as Task)));
  });
}

type Outcome = { result: unknown } | { error: string };

async function outcome<Task>(work: (task: Task) => Promise<unknown>, task: Task): Promise<Outcome> {
  try {
    return { result: await work(task) };
  } catch (error) {
    return { error: String((error as Error)?.message ?? error) };
  }
}

function reply(id: number, result: Outcome): void {
  // If the parent has gone in the meantime, its `disconnect` ends this process.
  if (process.connected) process.send?.({ id, ...result } satisfies Reply, undefined, {}, () => {});
}
