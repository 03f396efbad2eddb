/**
 * A view: a part of a section as this process sees it. It owns one mapping and the one buffer over it,
 * and nothing that is done with either can end the process.
 */
import { constants } from 'node:buffer';
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { isOsError, type Mapping, os } from '../os/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { FaultEvents, type FaultListener, type FaultReport } from './fault-events.js';
import type { ViewAccess } from './memory-object.js';
import { sectionErrorFrom } from './system-errors.js';
import { bufferError, closedError, copyError, movedError, workError } from './view-errors.js';

type ArrayConstructor<T> = {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): T;
  readonly BYTES_PER_ELEMENT: number;
};

export type { Bytes } from './bytes.js';
export type { FaultReport } from './fault-events.js';

/** Looked up once: each close calls it. */
const { mappingClose } = os;

/**
 * Whoever keeps only the buffer keeps the view by it: its listeners, and the section with its name. A
 * property and not a WeakMap, whose entries would wait for the slowest kind of collection.
 */
const owner = Symbol('view');

/** @internal The mapping behind a view, for what works on it below the faces. It is the view's to close. */
export const mappingOf: unique symbol = Symbol('mapping');
/** @internal Has something done right before the view is closed; returns how to take that back. */
export const beforeClose: unique symbol = Symbol('beforeClose');
/** @internal What a layer above keeps for a view, found without a search. */
export const attachment: unique symbol = Symbol('attachment');

/** Views that nobody closed let go of what they hold as well. */
const collected = new FinalizationRegistry<() => void>((release) => release());

export interface ViewFacts {
  /** The section as messages name it. */
  readonly object: string;
  readonly offset: number;
  readonly length: number;
  readonly access: ViewAccess;
  /** Shared anonymous memory: preparing its pages for stores changes nothing that anybody could see. */
  readonly anonymous?: boolean;
  /** What must stay alive as long as the view: the section it came from. */
  readonly keeps?: object;
  /** Told once, when the view is closed. */
  readonly onClose?: () => void;
  /** Lets go of what the view holds beside its mapping, when it is closed or collected. */
  readonly release?: (() => void) | null;
  /** Takes the mapping's handle when nothing else is left of it. */
  readonly reuse?: ((mapping: Mapping) => void) | undefined;
  /** Told once, before others get the mapping, who wait for its words. */
  readonly lend?: ((mapping: Mapping) => void) | undefined;
}

export class View {
  /** Null when it was closed and somebody else has its handle. */
  #mapping: Mapping | null;
  /** Somebody else may have it still, after the view is closed. */
  #lent = false;
  readonly #facts: ViewFacts;
  /** A number where the view was, when somebody else has its handle. */
  #address: bigint | number | null = null;
  #buffer: ArrayBuffer | null = null;
  #bytes: Uint8Array<ArrayBuffer> | null = null;
  #closed = false;
  #events: FaultEvents | null = null;
  #closers: Set<() => void> | null = null;
  #attachment: unknown = null;

  /** @internal Views come from `section.map()` and from the NT faces. */
  constructor(mapping: Mapping, facts: ViewFacts) {
    this.#mapping = mapping;
    this.#facts = facts;
    if (facts.release) collected.register(this, facts.release, facts);
  }

  /** @internal Whether this is one, whatever it is otherwise: a proxy is none. */
  static is(value: unknown): value is View {
    return typeof value === 'object' && value !== null && #mapping in value;
  }

  /** Where the view starts in this process; other processes see other addresses. */
  get address(): bigint {
    if (typeof this.#address === 'bigint') return this.#address;
    const address = this.#address === null ? os.mappingAddress(this.#mapping as Mapping) : BigInt(this.#address);
    this.#address = address;
    return address;
  }

  /** Bytes in the view; 0 after close. */
  get length(): number {
    return this.#closed ? 0 : this.#facts.length;
  }

  /** The section's byte at which the view starts. */
  get offset(): number {
    return this.#facts.offset;
  }

  get access(): ViewAccess {
    return this.#facts.access;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The memory itself, the same buffer each time. Detached (length 0) after {@link close}.
   *
   * @throws SectionError ERR_SECTION_BUFFER_UNAVAILABLE where the runtime allows no external buffers
   * (Electron) or none of this length; `read` and `write` work all the same.
   */
  get buffer(): ArrayBuffer {
    if (this.#buffer === null) this.#buffer = this.#closed ? new ArrayBuffer(0) : this.#makeBuffer();
    return this.#buffer;
  }

  #makeBuffer(): ArrayBuffer {
    const { object, length } = this.#facts;
    if (length > constants.MAX_LENGTH) {
      const rule = `this Node.js allows buffers of ${constants.MAX_LENGTH} bytes, the view has ${length}`;
      throw bufferError(object, rule, 'Map a part of the section, or use view.read() and view.write()');
    }
    try {
      const buffer = os.mappingBuffer(this.#mapping as Mapping);
      Object.defineProperty(buffer, owner, { value: this });
      return buffer;
    } catch (error) {
      if (!isOsError(error) || error.code !== 'EOPNOTSUPP') throw sectionErrorFrom(error, 'view.buffer', object);
      throw bufferError(object, 'this runtime allows no external buffers', 'Use view.read() and view.write()', error);
    }
  }

  /** The view as bytes, the same array each time. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes === null) {
      const bytes = new Uint8Array(this.buffer);
      if (this.#closed) return bytes;
      this.#bytes = bytes;
    }
    return this.#bytes;
  }

  /**
   * The view as an array of another element type; a rest shorter than one element is left out.
   *
   * @param type Float64Array, Int32Array, BigUint64Array … On processors other than x86, `Atomics` on
   * it need a view whose offset is a multiple of the element's size.
   * @throws SectionError ERR_SECTION_CLOSED
   */
  as<T>(type: ArrayConstructor<T>): T {
    this.#mustBeOpen('view.as');
    if (typeof type !== 'function' || !Number.isInteger(type.BYTES_PER_ELEMENT)) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation: 'view.as',
        rule: `type must be a typed array's constructor, not ${show(type)}`,
        wayOut: 'For a DataView, use new DataView(view.buffer)',
      });
    }
    const { buffer } = this;
    if (buffer.byteLength !== this.#facts.length) throw movedError('view.as', this.#facts.object);
    return new type(buffer, 0, Math.floor(this.#facts.length / type.BYTES_PER_ELEMENT));
  }

  /**
   * Copies out of the view until `target` is full.
   *
   * @param target What to fill.
   * @param offset First byte of the view to copy, default 0.
   * @returns The number of bytes copied: `target`'s length.
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE when the view ends before `target` is full (nothing
   * is copied then), ERR_SECTION_FAULT when the backing was lost meanwhile, ERR_SECTION_CLOSED.
   */
  read(target: Bytes, offset: number | bigint = 0): number {
    return this.#copy('view.read', 'target', target, offset, os.mappingRead);
  }

  /**
   * Copies `source` into the view.
   *
   * @param source What to copy, whole.
   * @param offset First byte of the view to write, default 0.
   * @returns The number of bytes copied.
   * @throws SectionError as {@link read}, and ERR_SECTION_ACCESS_DENIED on a read-only view.
   */
  write(source: Bytes, offset: number | bigint = 0): number {
    if (this.#facts.access === 'read') {
      throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
        operation: 'view.write',
        object: this.#facts.object,
        rule: 'the view is read-only',
        wayOut: "Map with access 'readwrite', or 'copy' for private changes",
      });
    }
    return this.#copy('view.write', 'source', source, offset, os.mappingWrite);
  }

  #copy(operation: string, name: string, value: Bytes, offset: number | bigint, copy: typeof os.mappingRead): number {
    this.#mustBeOpen(operation);
    const bytes = bytesOf(operation, name, value);
    const { object, length } = this.#facts;
    const start = byteCount(operation, 'offset', offset, { maximum: length, code: 'ERR_SECTION_OUT_OF_RANGE' });
    if (bytes.length > length - start) {
      throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
        operation,
        object,
        rule: `${bytes.length} bytes from offset ${start} go beyond the view's ${length}`,
        wayOut: `Take a subarray of at most ${length - start} bytes`,
      });
    }
    let faults: number;
    try {
      faults = copy(this.#mapping as Mapping, start, bytes);
    } catch (error) {
      // The addon measures the array itself: one that lies about its length ends here.
      if (!(error instanceof TypeError)) throw error;
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object,
        rule: `${name} is not what it says: ${error.message}`,
        cause: error,
      });
    }
    if (faults !== 0) throw copyError(operation, object, this.fault);
    return bytes.length;
  }

  /**
   * Writes a file-backed view's changes to the disk, off the event loop. Resolves when they are there;
   * for other sections there is nothing to do. Defaults to the whole view.
   *
   * @param offset First byte, default 0.
   * @param length Bytes, default to the view's end.
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_OUT_OF_RANGE
   * @see msync(2), MS_SYNC
   */
  flush(offset: number | bigint = 0, length?: number | bigint): Promise<void> {
    const range = this.#range('view.flush', offset, length);
    const done = this.#promise('view.flush', os.mappingFlushAsync(this.#mapping as Mapping, range.start, range.count));
    // A caller that does not wait must not die of a full disk.
    done.catch(() => {});
    return done;
  }

  /** As {@link flush}, and blocks until the disk has it. */
  flushSync(offset: number | bigint = 0, length?: number | bigint): void {
    const range = this.#range('view.flushSync', offset, length);
    try {
      os.mappingFlushSync(this.#mapping as Mapping, range.start, range.count);
    } catch (error) {
      throw sectionErrorFrom(error, 'view.flushSync', this.#facts.object);
    }
  }

  /**
   * Reads the whole view in on another thread, so that later accesses find it in memory.
   * Rejects with ERR_SECTION_CLOSED when the view is closed meanwhile.
   *
   * @see madvise(2), MADV_POPULATE_READ; MADV_POPULATE_WRITE for a writable view of the paging file
   */
  prefetch(): Promise<void> {
    this.#mustBeOpen('view.prefetch');
    const done = this.#promise(
      'view.prefetch',
      os.mappingPrefetch(this.#mapping as Mapping, this.#facts.anonymous === true && this.#facts.access === 'readwrite'),
    );
    done.catch(() => {});
    return done;
  }

  async #promise(operation: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      throw workError(error, operation, this.#facts.object);
    }
  }

  #range(operation: string, offset: number | bigint, length: number | bigint | undefined): { start: number; count: number } {
    this.#mustBeOpen(operation);
    const whole = this.#facts.length;
    const start = byteCount(operation, 'offset', offset, { maximum: whole, code: 'ERR_SECTION_OUT_OF_RANGE' });
    const rest = whole - start;
    const count =
      length === undefined ? rest : byteCount(operation, 'length', length, { maximum: rest, code: 'ERR_SECTION_OUT_OF_RANGE' });
    return { start, count };
  }

  /** The last fault in this view, or null. Stays readable after close. */
  get fault(): FaultReport | null {
    return this.#mapping && os.mappingFault(this.#mapping);
  }

  /**
   * Calls `listener` soon after a fault in this view; the first one also when there was a fault before it came. Does not keep
   * the process alive, nor the view: one that nobody holds, nor its buffer, is collected with its listeners, and a fault that
   * was not told yet with it.
   */
  on(event: 'fault', listener: FaultListener): this {
    this.#eventsOf(event).emitter.on(event, listener);
    return this;
  }

  /** As {@link on}, for one report. */
  once(event: 'fault', listener: FaultListener): this {
    this.#eventsOf(event).emitter.once(event, listener);
    return this;
  }

  off(event: 'fault', listener: FaultListener): this {
    this.#eventsOf(event).emitter.off(event, listener);
    return this;
  }

  #eventsOf(event: string): FaultEvents {
    if (event !== 'fault') {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation: 'view.on',
        rule: `a view has the event 'fault', not ${show(event)}`,
      });
    }
    this.#events ??= new FaultEvents(this);
    return this.#events;
  }

  /** @internal */
  get [mappingOf](): Mapping {
    const mapping = this.#mapping as Mapping;
    if (!this.#lent && !this.#closed) this.#facts.lend?.(mapping);
    this.#lent = true;
    return mapping;
  }

  /** @internal */
  get [attachment](): unknown {
    return this.#attachment;
  }

  /** @internal */
  set [attachment](value: unknown) {
    this.#attachment = value;
  }

  /** @internal */
  [beforeClose](action: () => void): () => void {
    this.#closers ??= new Set();
    const closers = this.#closers;
    closers.add(action);
    return () => closers.delete(action);
  }

  /**
   * Unmaps the view and detaches its buffer. The section and other views go on. Safe to call twice.
   * A view that is collected unmaps by itself, once its buffer is collected too.
   */
  close(): void {
    if (this.#closed) return;
    if (this.#closers !== null) for (const action of this.#closers) action();
    this.#closed = true;
    const mapping = this.#mapping as Mapping;
    const was = mappingClose(mapping);
    this.#ended();
    if (was === undefined || this.#lent || this.#facts.reuse === undefined) return;
    this.#mapping = null;
    this.#address ??= was;
    this.#facts.reuse(mapping);
  }

  /** @internal Closes the view and keeps its addresses: a reserved range of private memory. */
  vacate(): Mapping {
    if (this.#closers !== null) for (const action of this.#closers) action();
    const range = os.mappingVacate(this.#mapping as Mapping);
    this.#closed = true;
    this.#ended();
    return range;
  }

  #ended(): void {
    this.#facts.onClose?.();
    if (this.#facts.release) {
      collected.unregister(this.#facts);
      this.#facts.release();
    }
    this.#events?.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #mustBeOpen(operation: string): void {
    if (this.#closed) throw closedError(operation, this.#facts.object);
  }
}
