/**
 * Telling a view's listeners of its faults, soon after they happen.
 */
import { EventEmitter } from 'node:events';
import { type FaultKind, os } from '../os/index.js';

/**
 * What an access found that could not go through. `write-to-read-only`: the write stayed out of the
 * section and is undone in the view within milliseconds. `backing-lost`: the file was cut short (or
 * the disk is full); the page reads as zeros in this view from now on. `no-access`: the view's
 * protection allows no access. `hardware`: the machine found a memory error.
 */
export interface FaultReport {
  readonly kind: FaultKind;
  /** Where in the view, in bytes. */
  readonly offset: number;
  /** Faults in this view so far; a report may stand for several. An access whose thread is held up may fault, and count, twice. */
  readonly count: number;
}

export type FaultListener = (fault: FaultReport) => void;

/** Views that somebody listens to. Weak: a listener does not keep a view, which has its events itself. */
const listened = new Set<WeakRef<FaultEvents>>();
let watching = false;

function tellAll(): void {
  for (const reference of listened) {
    const events = reference.deref();
    if (events === undefined) listened.delete(reference);
    else events.tell();
  }
}

export class FaultEvents {
  readonly emitter = new EventEmitter();
  readonly #view: { readonly fault: FaultReport | null };
  readonly #reference: WeakRef<FaultEvents>;
  #told = 0;

  constructor(view: { readonly fault: FaultReport | null }) {
    this.#view = view;
    this.#reference = new WeakRef(this);
    listened.add(this.#reference);
    if (!watching) {
      os.watchFaults(tellAll);
      watching = true;
    }
    // Its report may have been made already, when nobody listened.
    if (view.fault !== null) os.reportFaults();
  }

  /** What a listener throws is the program's to handle, and keeps no other listener waiting. */
  tell(): void {
    try {
      const { fault } = this.#view;
      if (fault === null || fault.count === this.#told) return;
      this.#told = fault.count;
      this.emitter.emit('fault', fault);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** The view is closed. A fault that nobody has been told of yet is told all the same. */
  end(): void {
    listened.delete(this.#reference);
    queueMicrotask(() => this.tell());
  }
}
