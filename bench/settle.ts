/**
 * Leaves a process as if nothing had gone before: collects garbage and lets the threads that free
 * it finish, so that no transport pays for the megabytes another one left behind.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collected buffers are given back to the system by a thread of V8's; it needs a moment. */
const MILLISECONDS = 15;

export async function settle(): Promise<void> {
  collect();
  await delay(MILLISECONDS);
}
