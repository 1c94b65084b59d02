// Yielding to the event loop. A query answered on the calling thread settles without leaving it, so
// a caller that awaits query after query would keep timers, sockets and its abort signal waiting.
import { setImmediate } from 'node:timers/promises';

/** How long others may wait, in milliseconds. */
const MAX_WAIT_MS = 5;

let lastYieldMs = 0;

/** Lets the event loop run if it has not for some milliseconds. */
export async function yieldToEventLoop(): Promise<void> {
  const now = performance.now();
  if (now - lastYieldMs < MAX_WAIT_MS) return;
  await setImmediate();
  lastYieldMs = performance.now();
}
