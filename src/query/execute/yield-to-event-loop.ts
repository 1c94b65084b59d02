// Turns of the event loop. A query answered on the calling thread settles without one, so a caller
// that awaits query after query would keep timers, sockets and its own abort signal waiting.
import { setImmediate } from 'node:timers/promises';

/** How long others may wait, in milliseconds; a turn costs about 0.02. */
const LONGEST_MS = 5;

let lastTurn = 0;

/** Lets the event loop go round if it has not for some milliseconds. */
export async function giveTurn(): Promise<void> {
  const now = performance.now();
  if (now - lastTurn < LONGEST_MS) return;
  await setImmediate();
  lastTurn = performance.now();
}
