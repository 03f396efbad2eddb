/**
 * Handles that wait in the system process for another process to take them. Each is on its object from the
 * moment it is set aside, so that no moment passes without a holder; one that nobody comes for is closed.
 */
import { randomBytes } from 'node:crypto';
import { SectionError } from '../base/error.js';
import type { ClientHandle } from './clients.js';
import type { Holder, KernelObject, ObjectDirectory } from './objects.js';

/** Milliseconds: a process that was just made needs some to start. */
const WAITING_TIME = 30_000;
/** Of one user. */
const MOST_WAITING = 1024;

interface Ticket extends ClientHandle {
  /** Who set it aside, and whose processes alone may take it; null for kernel mode, whose tickets anybody may take. */
  readonly user: number | null;
  readonly holder: Holder;
  readonly timer: NodeJS.Timeout;
}

export class Tickets {
  readonly #directory: ObjectDirectory;
  readonly #waiting = new Map<string, Ticket>();

  constructor(directory: ObjectDirectory) {
    this.#directory = directory;
  }

  /** Sets a handle aside. The rights have been checked. */
  pass(operation: string, object: KernelObject, granted: number, pid: number, user: number | null): string {
    if ([...this.#waiting.values()].filter((each) => each.user === user).length >= MOST_WAITING) {
      throw new SectionError('ERR_SECTION_LIMIT', { operation, rule: `${MOST_WAITING} handles of this user wait to be taken` });
    }
    const ticket = randomBytes(16).toString('hex');
    const holder: Holder = { pid, kernel: user === null };
    const timer = setTimeout(() => this.#drop(ticket), WAITING_TIME).unref();
    object.retain(holder, granted);
    this.#waiting.set(ticket, { object, granted, user, holder, timer });
    return ticket;
  }

  /**
   * Takes a handle, for a user or for kernel mode (null); `enter` makes the taker's own of it before this side lets go.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND
   */
  take<T>(operation: string, ticket: string, user: number | null, enter: (handle: ClientHandle) => T): T {
    const found = this.#waiting.get(ticket);
    if (found === undefined || (found.user !== null && user !== null && found.user !== user)) {
      throw new SectionError('ERR_SECTION_NOT_FOUND', {
        operation,
        rule: 'no handle waits under this ticket: it was taken, or is too old',
      });
    }
    const result = enter(found);
    this.#drop(ticket);
    return result;
  }

  #drop(ticket: string): void {
    const found = this.#waiting.get(ticket);
    if (found === undefined) return;
    this.#waiting.delete(ticket);
    clearTimeout(found.timer);
    this.#directory.release(found.object, found.holder);
  }

  /** Closes all that wait. */
  close(): void {
    for (const ticket of [...this.#waiting.keys()]) this.#drop(ticket);
  }
}
