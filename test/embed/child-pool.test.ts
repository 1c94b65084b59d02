// Child processes that run the networks: they end with their pool and with their parent, and the
// death of one is an error of its task alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { ChildPool } from '../../src/embed/child-pool.js';

const POOL = new URL('../../src/embed/child-pool.js', import.meta.url).href;
const CHILD = new URL('../../src/embed/child.js', import.meta.url).href;

/** A child that answers as its task demands, in place of a network. */
function scriptedChild(folder: string): string {
  return join(folder, 'child.mjs');
}
const CHILD_SCRIPT = `import { serve } from ${JSON.stringify(CHILD)};
  let done = 0;
  serve(async ({ say, wait = 0, die = false }) => {
    if (die) process.kill(process.pid, 'SIGKILL');
    if (say === 'no') throw new Error('it said no');
    await new Promise((resolve) => setTimeout(resolve, wait));
    return { say, pid: process.pid, done: ++done };
  });`;

interface Reply {
  say: unknown;
  pid: number;
  done: number;
}

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

t.test('tasks run in a limited number of children, which are kept', async (t) => {
  const pool = new ChildPool(scriptedChild(t.testdir({ 'child.mjs': CHILD_SCRIPT })), 2);
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  const replies = await Promise.all(numbers.map((say) => pool.run<Reply>({ say, wait: 5 })));
  t.strictSame(
    replies.map(({ say }) => say),
    numbers,
  );
  const pids = new Set(replies.map(({ pid }) => pid));
  t.equal(pids.size, 2);
  const again = await pool.run<Reply>({ say: Float32Array.of(1, 2) });
  t.ok(pids.has(again.pid));
  t.strictSame(again.say, Float32Array.of(1, 2), 'typed arrays stay what they are');
  await pool.close();
  t.notOk([...pids].some(isAlive), 'close() has ended them');
});

t.test('an error in a child rejects its task, and no other', async (t) => {
  const pool = new ChildPool(scriptedChild(t.testdir({ 'child.mjs': CHILD_SCRIPT })), 1);
  await t.rejects(pool.run({ say: 'no' }), { message: 'it said no' });
  t.match(await pool.run({ say: 'yes' }), { say: 'yes', done: 1 });
  await pool.close();
});

t.test('a killed child rejects its tasks, and the next task gets a new child', async (t) => {
  const pool = new ChildPool(scriptedChild(t.testdir({ 'child.mjs': CHILD_SCRIPT })), 1);
  const first = await pool.run<Reply>({ say: 1 });
  await t.rejects(pool.run({ die: true }), { message: /ended early \(SIGKILL\)/ });
  const next = await pool.run<Reply>({ say: 2 });
  t.not(next.pid, first.pid);
  await pool.close();
});

t.test('close() waits for running tasks, and rejects the others', async (t) => {
  const pool = new ChildPool(scriptedChild(t.testdir({ 'child.mjs': CHILD_SCRIPT })), 1);
  const tasks = [1, 2, 3, 4].map((say) => pool.run<Reply>({ say, wait: 20 }));
  const settled = Promise.allSettled(tasks);
  await pool.close();
  t.strictSame(
    (await settled).map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  await t.rejects(pool.run({ say: 5 }), { message: /closed/ });
});

t.test('a module that cannot be loaded is an error', async (t) => {
  const pool = new ChildPool(join(t.testdir(), 'no-such.mjs'), 1);
  await t.rejects(pool.run({}), { message: /ended early \(exit code 1\)/ });
  await pool.close();
});

t.test('an idle pool lets its process end, and children die with it', async (t) => {
  const folder = t.testdir({
    'child.mjs': CHILD_SCRIPT,
    'parent.mjs': `import { ChildPool } from ${JSON.stringify(POOL)};
      const pool = new ChildPool(process.argv[2], 1);
      const { pid } = await pool.run({ say: 1 });
      process.stdout.write(pid + '\\n');
      if (process.argv[3] === 'stay') setInterval(() => {}, 1000);`,
  });
  for (const how of ['end', 'stay']) {
    const parent = spawn(process.execPath, [
      join(folder, 'parent.mjs'),
      scriptedChild(folder),
      how,
    ]);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    if (how === 'stay') parent.kill('SIGKILL');
    const [code, signal] = await once(parent, 'exit');
    t.strictSame([code, signal], how === 'end' ? [0, null] : [null, 'SIGKILL']);
    const pid = Number(printed.toString());
    for (let tries = 0; isAlive(pid) && tries < 200; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    t.notOk(isAlive(pid), `no child is left (${how})`);
  }
});

t.test('children ignore the SIGINT of Ctrl-C', async (t) => {
  const pool = new ChildPool(scriptedChild(t.testdir({ 'child.mjs': CHILD_SCRIPT })), 1);
  const { pid } = await pool.run<Reply>({ say: 1 });
  const waiting = pool.run<Reply>({ say: 2, wait: 100 });
  process.kill(pid, 'SIGINT');
  t.equal((await waiting).pid, pid);
  await pool.close();
});
