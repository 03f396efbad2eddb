/**
 * Mappings of memory: how they are asked for, and what can be done with one, whoever made it: access, faults, waits on
 * its words, locks of its mutexes. The same on every platform.
 */
import type { Descriptor, Mapping } from './handles.js';

/** Page protection of a mapping; the values are PROT_… of `mmap(2)`. */
export const Protect = { none: 0, read: 1, write: 2, execute: 4 } as const;

/** What decides which pages of a mapping are committed, and so accessible. */
export const CommitRule = {
  /** All of them. */
  all: 0,
  /** Those where the object has data: of a sparse memory object. */
  data: 1,
  /** Those below the object's size: of a file that can grow. */
  size: 2,
  /** Those in the map behind the object's pages: of a sparse memory object that is a file. */
  map: 3,
} as const;

export interface MapRequest {
  /** Byte offset into the object; need not be aligned. */
  readonly offset: number;
  readonly length: number;
  /** A union of {@link Protect} bits. */
  readonly protection: number;
  /** Copy-on-write: writes stay private to this mapping. */
  readonly private: boolean;
  /** The exact address of byte `offset`, or 0n to let the system choose. */
  readonly address: bigint;
  /** The base address (of the page that holds `offset`) is a multiple of this; 0 for the page size. */
  readonly alignment: number;
  /** The object's page size: the host's, or that of its large pages. */
  readonly pageSize: number;
  /** Ask for transparent huge pages. */
  readonly advanceHuge: boolean;
  /** One of {@link CommitRule}. */
  readonly commit: number;
  /** Keep a duplicate of the descriptor, for changing single pages. */
  readonly keepDescriptor: boolean;
  /** A reserved range of private memory whose addresses the mapping takes over whole; its handle is closed then. */
  readonly replaces: Mapping | null;
}

/** A mapping of no special wishes: shared, anywhere, all its pages accessible. */
export const plainMapping = {
  private: false,
  address: 0n,
  alignment: 0,
  advanceHuge: false,
  commit: CommitRule.all,
  keepDescriptor: false,
  replaces: null,
} as const;

/** How far pages from an offset on are alike. */
export interface Stretch {
  readonly is: boolean;
  /** Bytes. */
  readonly length: number;
}

/** Why a guarded access could not go through. */
export type FaultKind = 'write-to-read-only' | 'no-access' | 'backing-lost' | 'hardware';

export interface MappingFault {
  readonly kind: FaultKind;
  /** Offset of the last faulting byte within the mapping (from its first requested byte). */
  readonly offset: number;
  /** Faults so far in this mapping. */
  readonly count: number;
}

/** How a wait that blocks has ended. */
export const WaitEnd = { woken: 0, differed: 1, timedOut: 2 } as const;

/** Largest number of words that {@link Mappings.mappingWordsWaitSync} takes. */
export const MOST_WORDS = 128;

/** What `mutexTake` answers, up to `sleep`; from there on the word's 32 bits are added. */
export const MutexTake = { foreign: 0, taken: 1, takenAbandoned: 2, tooOften: 3, sleep: 4 } as const;

/** Who owns a mutex. */
export interface MutexOwner {
  /** Of its process; 0 for nobody, or where that cannot be told. */
  readonly pid: number;
  /** This thread of JavaScript. */
  readonly isOwn: boolean;
  /** It has ended without giving it up. */
  readonly abandoned: boolean;
  /** How often it has got it and not given it back; 0 when nobody owns it, or it is abandoned. */
  readonly times: number;
}

/** What can be done with a mapping, whoever made it: the same on every platform. */
export interface Mappings {
  /** Bytes per page. */
  readonly pageSize: number;
  /** Address of the first requested byte; of a closed one, where that was. */
  mappingAddress(mapping: Mapping): bigint;
  /** One buffer per mapping: the same one each time. Throws where the runtime refuses external memory. */
  mappingBuffer(mapping: Mapping): ArrayBuffer;
  /**
   * Copies out of the mapping; works without `mappingBuffer`. Ranges are checked here again.
   * Returns how many faults the guard mended meanwhile, at least 1 where pages were lost before: 0 means
   * that every byte is the object's.
   */
  mappingRead(mapping: Mapping, offset: number, target: Uint8Array): number;
  mappingWrite(mapping: Mapping, offset: number, source: Uint8Array): number;
  /** Returns when the range is on disk. */
  mappingFlushSync(mapping: Mapping, offset: number, length: number): void;
  /** Resolves when the range is on disk. */
  mappingFlushAsync(mapping: Mapping, offset: number, length: number): Promise<void>;
  /** Reads the whole mapping in on another thread; `forWriting` makes its pages ready for stores as well. */
  mappingPrefetch(mapping: Mapping, forWriting: boolean): Promise<void>;
  mappingFault(mapping: Mapping): MappingFault | null;
  /**
   * Detaches the buffer and unmaps. Safe to call twice.
   *
   * @returns on Windows, the address where it was, if nothing is left of it but its handle: that may be mapped into anew
   * (`mapSection`), by whoever knows that nobody else has it; else undefined
   */
  mappingClose(mapping: Mapping): number | undefined;
  /**
   * Where calls on single words have their arguments and leave their answer: src/sync/word.ts, which alone uses them. The answer is not
   * a number where the mapping's key is not known any more.
   */
  readonly registers: Float64Array;
  /** What the registers name a mapping by. */
  mappingKey(mapping: Mapping): number;
  wordLoad(): void;
  wordExchange(): void;
  wordCompareExchange(): void;
  wordStoreWake(): void;
  wordWake(): void;
  wordWaitSync(): void;
  mutexTake(): void;
  mutexRelease(): void;
  mutexAbandon(): void;
  mutexQuery(): MutexOwner | undefined;
  /**
   * Sleeps while 1 to {@link MOST_WORDS} words have the values given, for some milliseconds, or Infinity: until one is woken or differs. One
   * of {@link WaitEnd}; it may end without cause.
   */
  mappingWordsWaitSync(
    words: readonly (readonly [mapping: Mapping, offset: number, expected: number])[],
    timeout: number,
  ): number;
  /**
   * Starts to sleep while the word has a value, and leaves this thread free. Returns a number that the listener of
   * {@link waitsListen} gets once, when the word was woken or differs; without cause, too.
   */
  mappingWordWait(mapping: Mapping, offset: number, expected: number): number;
  /** Likewise until a process has ended. The descriptor stays open until then, or until the wait is cancelled. */
  processWait(process: Descriptor): number;
  /** Ends a wait. The listener may be told of it all the same. */
  waitCancel(wait: number): void;
  /** Has this thread's listener told of waits that have ended, by their numbers. Once for each thread of JavaScript. */
  waitsListen(listener: (ended: Float64Array) => void): void;
  /** Whether waits keep the process alive; they do not at first. */
  waitsKeep(keeps: boolean): void;
  /**
   * Calls `listener` on this thread soon after a fault in any mapping of this thread; it looks at
   * `mappingFault` of those it cares for. Does not keep the process alive.
   */
  watchFaults(listener: () => void): void;
  /** Has all who watch called once more, when the faults that were before are settled. */
  reportFaults(): void;
}
