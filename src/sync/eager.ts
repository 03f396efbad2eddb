/**
 * Looking a few times, between the turns of the event loop, before a wait is handed to the kernel: an answer that comes within
 * some microseconds is had without the two system calls and the two switches that a sleep costs. The loop goes round meanwhile, and
 * serves everybody else. Points whose answers do not come so soon are looked at ever more seldom.
 */

/** Milliseconds that are looked for: about what a sleep and a wake-up cost. */
const PATIENCE = 0.05;
/** Points that are looked at at a time; others sleep at once. */
const MOST = 8;
/** The most waits in a row that sleep at once, after answers that took longer. */
const MOST_SKIPPED = 256;

/** What is looked at. */
export interface Eager {
  /** Whether there is news; it is dealt with by then. */
  look(): boolean;
  /** Nothing came: sleeps. */
  giveUp(): void;
}

/** How a point has fared so far. */
export class EagerHistory {
  /** Waits in a row that took longer before others are skipped. */
  readonly #free: number;
  #misses = 0;
  #skipped = 0;

  constructor(free = 0) {
    this.#free = free;
  }

  /** Whether the next wait is worth a look. */
  get isWorthIt(): boolean {
    if (this.#skipped === 0) return true;
    this.#skipped--;
    return false;
  }

  hit(): void {
    this.#misses = 0;
  }

  miss(): void {
    this.#misses = Math.min(this.#misses + 1, 16);
    const more = this.#misses - this.#free;
    this.#skipped = more <= 0 ? 0 : Math.min(2 ** more, MOST_SKIPPED);
  }
}

const looking = new Map<Eager, number>();
let scheduled = false;

function lookAtAll(): void {
  scheduled = false;
  const now = performance.now();
  for (const [point, until] of looking) {
    if (point.look()) continue;
    if (now < until) continue;
    looking.delete(point);
    point.giveUp();
  }
  schedule();
}

function schedule(): void {
  if (scheduled || looking.size === 0) return;
  scheduled = true;
  setImmediate(lookAtAll);
}

/** Whether one more point can be looked at. */
export function canLook(): boolean {
  return looking.size < MOST;
}

/** Looks at a point for a while, where {@link canLook} says so. */
export function lookEagerly(point: Eager): void {
  looking.set(point, performance.now() + PATIENCE);
  schedule();
}

/** Looks no more. */
export function stopLooking(point: Eager): void {
  looking.delete(point);
}
