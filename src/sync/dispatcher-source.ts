/**
 * Where the idiomatic face has its events, mutexes and semaphores from: Sectile itself, or the kernel where it is NT. What
 * both give is the same; which rights and names there are is theirs.
 */
import type { ObjectName } from '../memory/object-handle.js';
import type { MutexOwner } from '../os/index.js';
import type { ManyOutcome } from './wait-many.js';
import type { WaitOptions } from './wait-options.js';
import type { Signal } from './waitable.js';

/** An object that can be waited for, as one holder has it. Every call throws a SectionError where it cannot. */
export interface HeldWaitable {
  /** Undefined: the timeout has passed. Rejects with the signal's reason, or ERR_SECTION_CLOSED. */
  wait(operation: string, object: string, options?: WaitOptions): Promise<Signal | undefined>;
  /** Blocks. @param timeout Milliseconds, or Infinity; 0 only looks. */
  waitSync(operation: string, object: string, timeout: number): Signal | undefined;
  /** Gives the handle back, and ends this thread's waits. Safe to call twice, never throws. */
  close(): void;
}

export interface HeldEvent extends HeldWaitable {
  readonly manualReset: boolean;
  isSignalled(): boolean;
  /** Returns whether it was signalled before. */
  set(): boolean;
  /** Returns whether it was signalled before. */
  reset(): boolean;
}

export interface HeldSemaphore extends HeldWaitable {
  readonly count: number;
  readonly maximum: number;
  /** Returns the count before, or undefined: it would go beyond the maximum. */
  release(more: number): number | undefined;
}

export interface HeldMutex extends HeldWaitable {
  query(): MutexOwner;
  /** Returns how often this thread still has it, or -1: it had it not. */
  release(): number;
}

/** What every new object is made with. */
export interface NewObject {
  /** SDDL; undefined for the creator's default. */
  readonly security: string | undefined;
  /** Open the object that has the name, instead of failing. */
  readonly openExisting: boolean;
}

/** Each throws a SectionError where it cannot. A name of null: an object without one. */
export interface DispatcherSource {
  createEvent(
    operation: string,
    name: ObjectName | null,
    wish: NewObject & { readonly manualReset: boolean; readonly signalled: boolean },
  ): HeldEvent;
  openEvent(operation: string, name: ObjectName): HeldEvent;
  createSemaphore(
    operation: string,
    name: ObjectName | null,
    wish: NewObject & { readonly count: number; readonly maximum: number },
  ): HeldSemaphore;
  openSemaphore(operation: string, name: ObjectName): HeldSemaphore;
  createMutex(operation: string, name: ObjectName | null, wish: NewObject): HeldMutex;
  openMutex(operation: string, name: ObjectName): HeldMutex;
  /** Waits for any of several of its objects, and of those placed in sections, or for all of them. */
  waitMany(
    operation: string,
    object: string,
    many: readonly HeldWaitable[],
    all: boolean,
    options?: WaitOptions,
  ): Promise<ManyOutcome | undefined>;
  waitManySync(
    operation: string,
    object: string,
    many: readonly HeldWaitable[],
    all: boolean,
    timeout: number,
  ): ManyOutcome | undefined;
}
