/**
 * What is signalled at all times: whoever waits for it has waited.
 */
import { WaitQueue } from './wait-queue.js';
import type { Waitable } from './waitable.js';

/** Nobody ever sleeps for it alone; who waits for all of several sleeps for the others. */
class NoQueue extends WaitQueue {
  look(): void {}

  protected sleep(): void {}

  protected stopSleeping(): void {}

  protected sleepSync(): void {}
}

export const always: Waitable = {
  queue: new NoQueue(),
  looks: false,
  attempt: () => 'signalled',
  isReady: () => true,
  undo: () => {},
  isOwn: () => false,
  close: () => {},
};
