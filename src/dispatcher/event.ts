/**
 * Events: one process says that something has happened, others wait for it.
 */
import { flag, options } from '../base/checks.js';
import type { View } from '../memory/view.js';
import { parseName } from '../namespace/name.js';
import type { HeldEvent } from '../sync/dispatcher-source.js';
import { EVENT_BYTES, eventWords } from '../sync/event-state.js';
import { OwnEvent } from '../sync/own-dispatcher.js';
import { Word } from '../sync/word.js';
import { type DispatcherOptions, judgeCreation } from './create-options.js';
import { DispatcherObject, type WaitOptions, type WaitSyncOptions, wasSignalled } from './dispatcher-object.js';
import { dispatcher, placeIn } from './sources.js';

export interface EventState {
  /** It stays signalled until `reset()`; else one wait takes the signal. Default false. */
  readonly manualReset?: boolean;
  /** Signalled from the start. Default false. */
  readonly signalled?: boolean;
}

export interface EventOptions extends DispatcherOptions, EventState {}

export class Event extends DispatcherObject<HeldEvent> {
  /**
   * Creates an event, in one namespace with sections and all other objects, or without a name.
   *
   * @throws SectionError ERR_SECTION_EXISTS, ERR_SECTION_INVALID_NAME, ERR_SECTION_INVALID_ARGUMENT,
   * ERR_SECTION_INVALID_SECURITY, ERR_SECTION_TYPE_MISMATCH (the name is another kind's), ERR_SECTION_REGISTRY_…,
   * ERR_SECTION_SYSTEM_…
   * @see CreateEventW (Microsoft)
   */
  static create(eventOptions?: EventOptions): Event {
    const operation = 'Event.create';
    const { name, wish, rest } = judgeCreation(operation, eventOptions, ['manualReset', 'signalled']);
    const manualReset = flag(operation, 'manualReset', rest.manualReset);
    const signalled = flag(operation, 'signalled', rest.signalled);
    return new Event('event', dispatcher.createEvent(operation, name, { ...wish, manualReset, signalled }), { name });
  }

  /**
   * Opens an event that some process holds: on Windows any program's.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_INVALID_NAME
   * @see OpenEventW (Microsoft)
   */
  static open(name: string): Event {
    const operation = 'Event.open';
    const parsed = parseName(operation, name);
    return new Event('event', dispatcher.openEvent(operation, parsed), { name: parsed });
  }

  /** Bytes of an event that is placed in a section. */
  static readonly bytes = EVENT_BYTES;

  /**
   * Makes an event in a section: two words (docs/channel-layout.md), which everybody who maps them finds by {@link at}.
   *
   * @param view Writable. The event is closed with it.
   * @param offset Bytes from the view's start; a multiple of 4 in the section.
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED,
   * ERR_SECTION_ACCESS_DENIED (the view is not writable), ERR_SECTION_CLOSED
   */
  static place(view: View, offset: number | bigint = 0, state?: EventState): Event {
    const operation = 'Event.place';
    const given = options(operation, state, ['manualReset', 'signalled']);
    const words = placeIn(operation, view, offset, EVENT_BYTES, Int32Array.BYTES_PER_ELEMENT);
    const content = eventWords(flag(operation, 'manualReset', given.manualReset), flag(operation, 'signalled', given.signalled));
    view.write(new Uint8Array(content.buffer), words.offset);
    new Word(words.mapping, words.offset).wake();
    return new Event('event', new OwnEvent(words), { name: null, view });
  }

  /**
   * The event that {@link place} made at an offset, in this process or another. To wait for one with manual reset a read-only
   * view is enough.
   *
   * @throws SectionError as {@link place}
   */
  static at(view: View, offset: number | bigint = 0): Event {
    const words = placeIn('Event.at', view, offset, EVENT_BYTES, Int32Array.BYTES_PER_ELEMENT);
    return new Event('event', new OwnEvent(words), { name: null, view });
  }

  /** Whether it stays signalled until `reset()`. */
  get manualReset(): boolean {
    return this.use('event.manualReset').manualReset;
  }

  /** Whether it is signalled at this moment. */
  get signalled(): boolean {
    return this.use('event.signalled').isSignalled();
  }

  /**
   * Signals it: every wait ends, or (auto reset) one does. Returns whether it was signalled before.
   *
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_ACCESS_DENIED (EVENT_MODIFY_STATE was not granted)
   * @see SetEvent (Microsoft)
   */
  set(): boolean {
    return this.use('event.set').set();
  }

  /** Takes the signal back. Returns whether it was signalled before. @throws SectionError as {@link set} */
  reset(): boolean {
    return this.use('event.reset').reset();
  }

  /**
   * Waits until it is signalled, and leaves the event loop free; the process goes on meanwhile. Waits of one thread end in the
   * order in which they began.
   *
   * @returns true, or false: the timeout has passed
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_INVALID_ARGUMENT; the signal's reason
   */
  wait(waitOptions?: WaitOptions): Promise<boolean> {
    return this.waited('event.wait', waitOptions, wasSignalled);
  }

  /** As {@link wait}, and blocks the thread. */
  waitSync(waitOptions?: WaitSyncOptions): boolean {
    const { timeout } = options('event.waitSync', waitOptions, ['timeout']);
    return this.waitedSync('event.waitSync', timeout) !== undefined;
  }

  /** Takes the signal if it is there; returns at once. */
  tryWait(): boolean {
    return this.waitedSync('event.tryWait', 0) !== undefined;
  }
}
