/**
 * What can be waited for, whatever it is: an attempt, the queue for it, and what goes with both.
 */
import type { WaitQueue } from './wait-queue.js';

/** How a wait ended well. `abandoned`: a mutex is owned now, and its last owner ended without giving it back. */
export type Signal = 'signalled' | 'abandoned';

export interface Waitable {
  readonly queue: WaitQueue;
  /** Takes what the wait is for; undefined: not yet. */
  attempt(): Signal | undefined;
  /** Whether an attempt would succeed now; changes nothing. */
  isReady(): boolean;
  /** Gives back what an attempt has just taken, for a wait that needs others too. */
  undo(): void;
  /** Whether somebody's end, which wakes nobody, can make an attempt succeed. */
  readonly looks: boolean;
  /** Whether this thread has it already, and gets it again whoever waits. */
  isOwn(): boolean;
  /** Ends the waits of this thread for it; the thing itself stays as it is. Safe to call twice. */
  close(): void;
}
