/**
 * Other processes, as objects that handles are on: which one it is, whether it runs, how it ended, and the
 * connection to its door. All handles of this process on one share it.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { type NTSTATUS, Status } from '../base/status.js';
import { type Descriptor, isOsError, os, type ProcessEnding } from '../os/index.js';
import { always } from '../sync/always.js';
import { ProcessEnd } from '../sync/process-point.js';
import type { Waitable } from '../sync/waitable.js';
import type { ProcessBody } from './object-types.js';

/** What GetExitCodeProcess says of a process that runs. */
export const STILL_ACTIVE = 259;

/** Shells and Node.js say so of a process that a signal ended. */
const SIGNALLED = 128;
const { SIGKILL } = constants.signals;

/** A name outside the file system: it goes with its process, and nobody else can have it meanwhile. */
export function doorOf(pid: number): string {
  return `@sectile-door-${os.processNamespace()}-${pid}`;
}

/** Milliseconds that a child may take until its door is open, and between two tries. */
export const STARTING_TIME = 10_000;
const BETWEEN_KNOCKS = 2;
/** Of a door outside the file system, and of one that is a file. */
const notYetThere: readonly string[] = ['ECONNREFUSED', 'ENOENT'];
const patience = new Int32Array(new SharedArrayBuffer(4));

/** A child of this process. */
export interface Child {
  readonly process: ChildProcess;
  /** On the clock of `performance`: from then on its door is open, or will not be. */
  readonly startedBy: number;
  /** The exit code that TerminateProcess gave it. */
  terminatedWith: number | null;
}

export class OtherProcess implements ProcessBody {
  readonly isCurrent = false;
  readonly pid: number;
  readonly #process: Descriptor;
  /** Set where this process made it. */
  readonly #child: Child | null;
  #door: Descriptor | null = null;
  #end: Waitable | null = null;

  private constructor(pid: number, process_: Descriptor, child: Child | null) {
    this.pid = pid;
    this.#process = process_;
    this.#child = child;
  }

  /**
   * @returns the process that has this number now, or STATUS_INVALID_CID
   */
  static find(pid: number, child: Child | null = null): OtherProcess | { readonly status: NTSTATUS } {
    try {
      return new OtherProcess(pid, os.processOpen(pid), child);
    } catch (error) {
      if (!isOsError(error)) throw error;
      return { status: error.code === 'EMFILE' ? Status.STATUS_INSUFFICIENT_RESOURCES : Status.STATUS_INVALID_CID };
    }
  }

  /** Whether a descriptor that another process gave means the process of this number; of one that has ended, nobody can tell. */
  static isMeantBy(pid: number, process_: Descriptor): boolean {
    try {
      return os.processId(process_) === pid;
    } catch (error) {
      if (!isOsError(error)) throw error;
      return error.code === 'ESRCH';
    }
  }

  /** From a descriptor that another process had of it, which this then owns. */
  static adopt(pid: number, process_: Descriptor): OtherProcess {
    return new OtherProcess(pid, process_, null);
  }

  /** For handing on: the descriptor that means it, still owned by this object. */
  get descriptor(): Descriptor {
    return this.#process;
  }

  get isChild(): boolean {
    return this.#child !== null;
  }

  get hasEnded(): boolean {
    return os.processHasEnded(this.#process);
  }

  get end(): Waitable {
    this.#end ??= this.hasEnded ? always : new ProcessEnd(this.#process);
    return this.#end;
  }

  /** Whether both mean one process. Of two that have ended, the number is all there is to tell. */
  isSameAs(other: OtherProcess): boolean {
    return this.pid === other.pid && this.hasEnded === other.hasEnded;
  }

  /**
   * A connection to its door, made on first use.
   *
   * @returns STATUS_PROCESS_IS_TERMINATING when it has ended, STATUS_ACCESS_DENIED when it has no door, or
   * not for us, STATUS_IO_TIMEOUT for a child that opens none
   */
  door(): Descriptor | { readonly status: NTSTATUS } {
    if (this.hasEnded) {
      this.closeDoor();
      return { status: Status.STATUS_PROCESS_IS_TERMINATING };
    }
    if (this.#door !== null) return this.#door;
    const connected = this.#connect();
    if (!('status' in connected)) this.#door = connected;
    return connected;
  }

  #connect(): Descriptor | { readonly status: NTSTATUS } {
    const socket = this.#knock();
    if (socket === null) {
      if (this.hasEnded) return { status: Status.STATUS_PROCESS_IS_TERMINATING };
      return { status: this.isChild ? Status.STATUS_IO_TIMEOUT : Status.STATUS_ACCESS_DENIED };
    }
    const { pid, uid } = os.socketPeer(socket);
    // Anybody may take a name that is free: only the process itself is believed to be it.
    const ours = process.geteuid?.();
    const isIt = pid === this.pid && (uid === ours || ours === 0);
    if (isIt && !this.hasEnded) return socket;
    os.descriptorClose(socket);
    return { status: Status.STATUS_ACCESS_DENIED };
  }

  /** A child that was just made opens its door when it has started: it is waited for. */
  #knock(): Descriptor | null {
    for (;;) {
      try {
        return os.socketConnect(doorOf(this.pid));
      } catch (error) {
        if (!isOsError(error)) throw error;
        const starts = this.#child !== null && performance.now() < this.#child.startedBy && !this.hasEnded;
        if (!starts || !notYetThere.includes(error.code)) return null;
      }
      Atomics.wait(patience, 0, 0, BETWEEN_KNOCKS);
    }
  }

  /** After a failure: an answer that comes late would be taken for that of the next request. */
  closeDoor(): void {
    if (this.#door !== null) os.descriptorClose(this.#door);
    this.#door = null;
  }

  /** Ends it at once, with what its exit code shall be as far as this process is asked. */
  terminate(exitCode: number): NTSTATUS {
    if (this.hasEnded) return Status.STATUS_PROCESS_IS_TERMINATING;
    try {
      os.processKill(this.#process);
    } catch (error) {
      if (!isOsError(error)) throw error;
      return error.code === 'ESRCH' ? Status.STATUS_PROCESS_IS_TERMINATING : Status.STATUS_ACCESS_DENIED;
    }
    if (this.#child !== null) this.#child.terminatedWith = exitCode;
    return Status.STATUS_SUCCESS;
  }

  /** STILL_ACTIVE while it runs; null when nobody but its parent can know: before it has asked, or for good (Linux before 6.15). */
  exitCode(): number | null {
    if (!this.hasEnded) return STILL_ACTIVE;
    const { code, signal } = this.#ending() ?? {};
    const asked = this.#child?.terminatedWith ?? null;
    if (signal === SIGKILL && asked !== null) return asked;
    return signal ? SIGNALLED + signal : (code ?? asked);
  }

  #ending(): ProcessEnding | null {
    try {
      return os.processEnding(this.#process);
    } catch {
      // No child of ours, or Node.js has reaped it, and the system does not keep how it ended.
    }
    const { exitCode, signalCode } = this.#child?.process ?? {};
    if (typeof exitCode === 'number') return { code: exitCode, signal: 0 };
    return typeof signalCode === 'string' ? { code: 0, signal: constants.signals[signalCode] } : null;
  }

  close(): void {
    this.#end?.close();
    this.closeDoor();
    os.descriptorClose(this.#process);
  }
}
