// The child's side of child-pool.ts: takes orders over the channel, one after another.

export interface Order {
  id: number;
  task: unknown;
}

export type Answer = { id: number; result: unknown } | { id: number; error: string };

/** Lets this process do `work` for every order of its parent, until the parent lets go of it. */
export function serve<Task, Result>(work: (task: Task) => Promise<Result>): void {
  // A terminal sends Ctrl-C to all processes of a command; what it means is the parent's choice.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  let last = Promise.resolve();
  process.on('message', ({ id, task }: Order) => {
    last = last.then(async () => answer(id, await outcome(work, task as Task)));
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

function answer(id: number, result: Outcome): void {
  // A parent that has gone in the meantime ends this process by `disconnect`.
  if (process.connected)
    process.send?.({ id, ...result } satisfies Answer, undefined, {}, () => {});
}
