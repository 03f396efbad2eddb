/**
 * Events, mutexes and semaphores that Sectile makes: words of memory that is found by name as a section's is, or words that
 * somebody placed in a section.
 */
import { SectionError } from '../base/error.js';
import type { ObjectHandle, ObjectName } from '../memory/object-handle.js';
import { type Mapping, type MutexOwner, os } from '../os/index.js';
import { MAXIMUM_ALLOWED, SYNCHRONIZE } from '../security/index.js';
import { createObject, openObject } from '../system/lookup.js';
import type { DispatcherSource, HeldEvent, HeldMutex, HeldSemaphore, HeldWaitable, NewObject } from './dispatcher-source.js';
import { EVENT_BYTES, EventState, eventWords } from './event-state.js';
import { MUTEX_BYTES, MutexState } from './mutex-state.js';
import { SEMAPHORE_BYTES, SemaphoreState, semaphoreWords } from './semaphore-state.js';
import { mapState } from './state-memory.js';
import { waitMany, waitManySync, waitOne, waitOneSync } from './wait-many.js';
import type { WaitOptions } from './wait-options.js';
import type { Signal, Waitable } from './waitable.js';

type Kind = 'Event' | 'Mutant' | 'Semaphore';

/** Where an object's words are, and what goes when they are given back. */
export interface Words {
  readonly mapping: Mapping;
  readonly offset: number;
  readonly writable: boolean;
  close(): void;
}

abstract class OwnWaitable<S extends Waitable> implements HeldWaitable {
  readonly state: S;
  readonly #words: Words;

  constructor(words: Words, state: S) {
    this.#words = words;
    this.state = state;
  }

  /** Refuses what changes an object whose memory this handle cannot write. */
  protected mustBeWritable(operation: string): void {
    if (this.#words.writable) return;
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      rule: 'the object can be looked at and not changed: that is what was granted, or the view is read-only',
      wayOut: 'Have its creator grant the right to modify its state, or map the section for writing',
    });
  }

  /** Whether a wait changes the object. */
  protected abstract readonly takes: boolean;

  wait(operation: string, object: string, options?: WaitOptions): Promise<Signal | undefined> {
    try {
      if (this.takes) this.mustBeWritable(operation);
    } catch (error) {
      return Promise.reject(error);
    }
    return waitOne(operation, object, this.state, options);
  }

  waitSync(operation: string, object: string, timeout: number): Signal | undefined {
    if (this.takes) this.mustBeWritable(operation);
    return waitOneSync(operation, object, this.state, timeout);
  }

  close(): void {
    this.state.queue.close();
    this.#words.close();
  }
}

export class OwnEvent extends OwnWaitable<EventState> implements HeldEvent {
  constructor(words: Words) {
    super(words, new EventState(words.mapping, words.offset));
  }

  get manualReset(): boolean {
    return this.state.manualReset;
  }

  protected get takes(): boolean {
    return !this.manualReset;
  }

  isSignalled(): boolean {
    return this.state.isReady();
  }

  set(): boolean {
    this.mustBeWritable('event.set');
    return this.state.set();
  }

  reset(): boolean {
    this.mustBeWritable('event.reset');
    return this.state.reset();
  }
}

export class OwnSemaphore extends OwnWaitable<SemaphoreState> implements HeldSemaphore {
  protected readonly takes = true;

  constructor(words: Words) {
    super(words, new SemaphoreState(words.mapping, words.offset));
  }

  get count(): number {
    return this.state.count;
  }

  get maximum(): number {
    return this.state.maximum;
  }

  release(more: number): number | undefined {
    this.mustBeWritable('semaphore.release');
    return this.state.release(more);
  }
}

export class OwnMutex extends OwnWaitable<MutexState> implements HeldMutex {
  protected readonly takes = true;

  constructor(words: Words) {
    super(words, new MutexState(words.mapping, words.offset));
  }

  query(): MutexOwner {
    this.mustBeWritable('look at a mutex');
    return this.state.query();
  }

  release(): number {
    this.mustBeWritable('mutex.release');
    return this.state.release();
  }

  override close(): void {
    this.state.close();
    super.close();
  }
}

function wordsOf(operation: string, handle: ObjectHandle, bytes: number): Words {
  try {
    const mapping = mapState(operation, handle, bytes);
    const close = (): void => {
      os.mappingClose(mapping);
      handle.close();
    };
    return { mapping, offset: 0, writable: handle.memory.writable, close };
  } catch (error) {
    handle.close();
    throw error;
  }
}

function created(operation: string, name: ObjectName | null, kind: Kind, wish: NewObject, words: Int32Array): Words {
  const { security, openExisting } = wish;
  const content = new Uint8Array(words.buffer);
  const creation = { security, openExisting, desired: MAXIMUM_ALLOWED, content };
  return wordsOf(operation, createObject(operation, name, kind, creation), content.length);
}

function opened(operation: string, name: ObjectName, kind: Kind, bytes: number): Words {
  const handle = openObject(operation, name, kind, MAXIMUM_ALLOWED);
  if ((handle.granted & SYNCHRONIZE) !== 0) return wordsOf(operation, handle, bytes);
  handle.close();
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${name.full}"`,
    rule: 'its security descriptor does not grant SYNCHRONIZE',
    wayOut: 'Have its creator grant it',
  });
}

const statesOf = (many: readonly HeldWaitable[]): readonly Waitable[] =>
  many.map((each) => (each as OwnWaitable<Waitable>).state);

export const ownDispatcher: DispatcherSource = {
  createEvent: (operation, name, wish) =>
    new OwnEvent(created(operation, name, 'Event', wish, eventWords(wish.manualReset, wish.signalled))),
  openEvent: (operation, name) => new OwnEvent(opened(operation, name, 'Event', EVENT_BYTES)),
  createSemaphore: (operation, name, wish) =>
    new OwnSemaphore(created(operation, name, 'Semaphore', wish, semaphoreWords(wish.count, wish.maximum))),
  openSemaphore: (operation, name) => new OwnSemaphore(opened(operation, name, 'Semaphore', SEMAPHORE_BYTES)),
  createMutex: (operation, name, wish) =>
    new OwnMutex(created(operation, name, 'Mutant', wish, new Int32Array(MUTEX_BYTES / Int32Array.BYTES_PER_ELEMENT))),
  openMutex: (operation, name) => new OwnMutex(opened(operation, name, 'Mutant', MUTEX_BYTES)),
  waitMany: (operation, object, many, all, options) => waitMany(operation, object, statesOf(many), all, options),
  waitManySync: (operation, object, many, all, timeout) => waitManySync(operation, object, statesOf(many), all, timeout),
};
