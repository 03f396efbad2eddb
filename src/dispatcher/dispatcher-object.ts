/**
 * What events, mutexes and semaphores have in common as people use them: a name, waits, and an end.
 */
import { SectionError } from '../base/error.js';
import type { View } from '../memory/view.js';
import type { ObjectName } from '../namespace/name.js';
import type { HeldWaitable } from '../sync/dispatcher-source.js';
import { judgeTimeout, type WaitOptions } from '../sync/wait-options.js';
import type { Signal } from '../sync/waitable.js';
import { heldByDriver } from '../system/kernel.js';
import { closeWithView } from './sources.js';

export type { WaitOptions } from '../sync/wait-options.js';

/** How long a wait that blocks may take. */
export interface WaitSyncOptions {
  /** Milliseconds, 0 or more; a fraction too. Default: for ever. */
  readonly timeout?: number | undefined;
}

/** Who an object is, beside what it does. */
export interface Origin {
  readonly name: ObjectName | null;
  /** The view that it is placed in. */
  readonly view?: View;
}

/** What the collector finds of an object that nobody closed. */
interface Rest {
  readonly held: HeldWaitable;
  /** Takes back what the object has not given back. */
  letGo(): void;
}

const forgotten = new FinalizationRegistry<Rest>((rest) => {
  rest.letGo();
  rest.held.close();
});

const nothing = () => {};

/** What a wait of two outcomes tells. */
export const wasSignalled = (signal: Signal | undefined): boolean => signal !== undefined;

/** Without the object in reach: what is registered for its end must not keep it from the collector. */
function closedWithView<H extends HeldWaitable>(object: DispatcherObject<H>, view: View | undefined): () => void {
  const weak = new WeakRef(object);
  return view === undefined ? nothing : closeWithView(view, () => weak.deref()?.close());
}

/** @internal What is behind an object, and how it learns that it was waited for: for waits for several. */
export const heldOf: unique symbol = Symbol('held');
/** @internal */
export const got: unique symbol = Symbol('got');

export abstract class DispatcherObject<H extends HeldWaitable> {
  readonly #held: H;
  readonly #name: string | undefined;
  readonly #what: string;
  readonly #letGo: () => void;
  readonly #forget: () => void;
  #closed = false;

  /** @param letGo Knows nothing of this object, so that it can be collected. */
  protected constructor(what: string, held: H, { name, view }: Origin, letGo: () => void = nothing) {
    this.#what = what;
    this.#held = held;
    this.#name = name?.full;
    this.#letGo = letGo;
    forgotten.register(this, { held, letGo }, this);
    const driverForgets = heldByDriver('handle', () => this.close());
    const viewForgets = closedWithView(this, view);
    this.#forget = () => {
      driverForgets();
      viewForgets();
    };
  }

  /** With its prefix, `Local\…` or `Global\…`; undefined for an object without a name. */
  get name(): string | undefined {
    return this.#name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @internal */
  get [heldOf](): H {
    return this.#held;
  }

  /** @internal How messages name it. */
  protected get object(): string {
    return this.#name === undefined ? `an ${this.#what} without a name`.replace(/^an (?=[^aeiou])/, 'a ') : `"${this.#name}"`;
  }

  /** What is behind it, while it is open. */
  protected use(operation: string): H {
    if (!this.#closed) return this.#held;
    throw new SectionError('ERR_SECTION_CLOSED', {
      operation,
      object: this.object,
      rule: `the ${this.#what} is closed`,
      wayOut: 'Open it again',
    });
  }

  /** @param outcome What the user is told; not an async function, for there can be thousands of waits. */
  protected waited<R>(
    operation: string,
    waitOptions: WaitOptions | undefined,
    outcome: (signal: Signal | undefined) => R,
  ): Promise<R> {
    let wait: Promise<Signal | undefined>;
    try {
      wait = this.use(operation).wait(operation, this.object, waitOptions);
    } catch (error) {
      return Promise.reject(error);
    }
    // By `this` the wait keeps the object from the collector, which would end the wait.
    return wait.then((signal) => {
      if (signal !== undefined) this[got](signal);
      return outcome(signal);
    });
  }

  protected waitedSync(operation: string, timeout: unknown): Signal | undefined {
    const judged = judgeTimeout(operation, timeout);
    const signal = this.use(operation).waitSync(operation, this.object, judged);
    if (signal !== undefined) this[got](signal);
    return signal;
  }

  /** @internal A wait has ended well. */
  [got](_signal: Signal): void {}

  /**
   * Gives the handle back; waits of this object reject with ERR_SECTION_CLOSED. The object and its name go with the last
   * handle, or the end of its process. Safe to call twice.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forgotten.unregister(this);
    this.#forget();
    this.#letGo();
    this.#held.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
