/**
 * What a script of a prose case gets and may do. A script does what the case tells, with the faces, and
 * throws (node:assert) when the outcome is another one.
 */
import type * as kernel32 from 'sectile/kernel32';
import type * as ntddk from 'sectile/ntddk';
import type * as ntdll from 'sectile/ntdll';
import type { Case, Suite } from './case.js';
import type { Peer, PeerOptions } from './peer.js';

export type { Case, Suite } from './case.js';
export type { Parent, Peer, PeerOptions } from './peer.js';

/** The process that a case runs in, and what it may use there. */
export interface World {
  /** `sectile/ntdll`: user mode, in the system process as well. */
  readonly nt: typeof ntdll;
  /** `sectile/ntddk`: for cases of kernel mode only; elsewhere it throws. */
  readonly k: typeof ntddk;
  /** `sectile/kernel32` */
  readonly win32: typeof kernel32;
  readonly suite: Suite;
  /** A scratch folder of this sequence's own; other users may enter it. It goes when the run ends. */
  readonly folder: string;
  /** What one case of a sequence keeps for those after it. Cases of another mode run in another process. */
  readonly kept: Map<string, unknown>;
  /** Something to undo when the sequence is over, last registered first. Errors of it count for nothing. */
  later(undo: () => void): void;
  /**
   * Runs a function of a module in another process: an application, beside this process or beside the
   * system process that this is. It ends with the sequence.
   *
   * @param module `import.meta.url` of the module that exports the function.
   * @param name The export: `(world, parent, ...args) => value`, may be async.
   */
  child(module: string, name: string, options?: PeerOptions): Peer;
  /** {@link World.child} under the name that cases of kernel mode have for it. */
  application(module: string, name: string, options?: PeerOptions): Peer;
  /** The command line that runs the same function, for calls that start a process themselves. It prints its value as JSON. */
  command(module: string, name: string, ...args: readonly unknown[]): readonly [file: string, ...args: string[]];
}

/** Does what a case tells, and throws when the outcome is another one. */
export type Script = (world: World, testCase: Case) => void | Promise<void>;

/** Ends a case that no process on Linux could do. */
export class Skip extends Error {}

/** Ends this case as skipped. The reason says what is missing, in a sentence for people. */
export function skip(reason: string): never {
  throw new Skip(reason);
}
