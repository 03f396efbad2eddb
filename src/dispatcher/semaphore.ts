/**
 * Semaphores: so many may go on at a time.
 */
import { options, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { View } from '../memory/view.js';
import { parseName } from '../namespace/name.js';
import type { HeldSemaphore } from '../sync/dispatcher-source.js';
import { OwnSemaphore } from '../sync/own-dispatcher.js';
import { SEMAPHORE_BYTES, semaphoreWords } from '../sync/semaphore-state.js';
import { Word } from '../sync/word.js';
import { type DispatcherOptions, judgeCreation } from './create-options.js';
import { DispatcherObject, type WaitOptions, type WaitSyncOptions, wasSignalled } from './dispatcher-object.js';
import { dispatcher, placeIn } from './sources.js';

export interface SemaphoreState {
  /** How many may go on at once, from the start. From 0 to `maximum`; default `maximum`. */
  readonly count?: number;
  /** The most that the count can be: 1 to 2^31 - 1. Default 2^31 - 1 if a count is given, else 1. */
  readonly maximum?: number;
}

export interface SemaphoreOptions extends DispatcherOptions, SemaphoreState {}

const MOST = 2 ** 31 - 1;

function judgeState(operation: string, { count, maximum }: SemaphoreState): { count: number; maximum: number } {
  const most = whole(operation, 'maximum', maximum ?? (count === undefined ? 1 : MOST), 1, MOST);
  return { count: whole(operation, 'count', count ?? most, 0, most), maximum: most };
}

function whole(operation: string, name: string, value: unknown, minimum: number, maximum: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `${name} must be a whole number from ${minimum} to ${maximum}, not ${show(value)}`,
  });
}

export class Semaphore extends DispatcherObject<HeldSemaphore> {
  /**
   * Creates a semaphore, in one namespace with sections and all other objects, or without a name.
   *
   * @throws SectionError as `Event.create`
   * @see CreateSemaphoreW (Microsoft)
   */
  static create(semaphoreOptions?: SemaphoreOptions): Semaphore {
    const operation = 'Semaphore.create';
    const { name, wish, rest } = judgeCreation(operation, semaphoreOptions, ['count', 'maximum']);
    const state = judgeState(operation, rest);
    return new Semaphore('semaphore', dispatcher.createSemaphore(operation, name, { ...wish, ...state }), { name });
  }

  /** Opens a semaphore that some process holds: on Windows any program's. @throws SectionError as `Event.open` */
  static open(name: string): Semaphore {
    const operation = 'Semaphore.open';
    const parsed = parseName(operation, name);
    return new Semaphore('semaphore', dispatcher.openSemaphore(operation, parsed), { name: parsed });
  }

  /** Bytes of a semaphore that is placed in a section. */
  static readonly bytes = SEMAPHORE_BYTES;

  /**
   * Makes a semaphore in a section: two words (docs/channel-layout.md), which everybody who maps them finds by {@link at}.
   *
   * @param view Writable. The semaphore is closed with it.
   * @param offset Bytes from the view's start; a multiple of 4 in the section.
   * @throws SectionError as `Event.place`
   */
  static place(view: View, offset: number | bigint = 0, state?: SemaphoreState): Semaphore {
    const operation = 'Semaphore.place';
    const { count, maximum } = judgeState(operation, options(operation, state, ['count', 'maximum']));
    const words = placeIn(operation, view, offset, SEMAPHORE_BYTES, Int32Array.BYTES_PER_ELEMENT);
    view.write(new Uint8Array(semaphoreWords(count, maximum).buffer), words.offset);
    new Word(words.mapping, words.offset).wake();
    return new Semaphore('semaphore', new OwnSemaphore(words), { name: null, view });
  }

  /** The semaphore that {@link place} made at an offset, in this process or another. @throws SectionError as {@link place} */
  static at(view: View, offset: number | bigint = 0): Semaphore {
    const words = placeIn('Semaphore.at', view, offset, SEMAPHORE_BYTES, Int32Array.BYTES_PER_ELEMENT);
    return new Semaphore('semaphore', new OwnSemaphore(words), { name: null, view });
  }

  /** How many more may go on at this moment. */
  get count(): number {
    return this.use('semaphore.count').count;
  }

  get maximum(): number {
    return this.use('semaphore.maximum').maximum;
  }

  /**
   * Lets more go on.
   *
   * @param more 1 or more. Default 1.
   * @returns the count before
   * @throws SectionError ERR_SECTION_COUNT_LIMIT (nothing is changed then), ERR_SECTION_CLOSED, ERR_SECTION_ACCESS_DENIED
   * (SEMAPHORE_MODIFY_STATE was not granted), ERR_SECTION_INVALID_ARGUMENT
   * @see ReleaseSemaphore (Microsoft)
   */
  release(more = 1): number {
    const operation = 'semaphore.release';
    const held = this.use(operation);
    const before = held.release(whole(operation, 'more', more, 1, MOST));
    if (before !== undefined) return before;
    throw new SectionError('ERR_SECTION_COUNT_LIMIT', {
      operation,
      object: this.object,
      rule: `${more} more would take the count beyond its maximum of ${held.maximum}`,
      wayOut: 'Release as many as were waited for, or create it with a larger maximum',
    });
  }

  /**
   * Waits until the count is above 0, and takes 1 from it; leaves the event loop free.
   *
   * @returns true, or false: the timeout has passed
   * @throws SectionError as `event.wait`
   */
  wait(waitOptions?: WaitOptions): Promise<boolean> {
    return this.waited('semaphore.wait', waitOptions, wasSignalled);
  }

  /** As {@link wait}, and blocks the thread. */
  waitSync(waitOptions?: WaitSyncOptions): boolean {
    const { timeout } = options('semaphore.waitSync', waitOptions, ['timeout']);
    return this.waitedSync('semaphore.waitSync', timeout) !== undefined;
  }

  /** Takes 1 from the count if it is above 0; returns at once. */
  tryWait(): boolean {
    return this.waitedSync('semaphore.tryWait', 0) !== undefined;
  }
}
