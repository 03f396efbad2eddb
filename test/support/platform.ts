/**
 * What tests of sections ask of the system below: the facts that each system tells in its own way, and the reasons
 * why something cannot be there. Chosen once, here: tests themselves ask for no system's name.
 */
import type { TestContext } from 'node:test';
import type { View } from 'sectile';
import { os } from '../../dist/os/index.js';
import { withFiles } from './platform-files.js';
import { posix } from './platform-posix.js';
import { windows } from './platform-windows.js';

/** How a process ended, as child.ts tells it. */
interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Why a test cannot run on this system, or false. */
export type Lack = string | false;

export interface Platform {
  /** Views start at multiples of this, in bytes. */
  readonly granularity: number;
  /** So many that every second one, changed by itself, is more than the system allows mappings; where it has no limit, many. */
  readonly manyPages: number;
  /** Bytes of the largest sparse section that tests ask for. */
  readonly largestSection: number;
  /** Names of local sections that are names on this system alone. */
  readonly oddNames: readonly string[];
  /** Texts that are no names on this system alone. */
  readonly noNames: readonly string[];
  /** What cannot back a section, with what is said of it. */
  readonly noBacking: readonly (readonly [path: string, said: RegExp])[];
  /** Large pages that the host has set aside. */
  readonly largePages: {
    /** How many; NaN where there can be none. */
    setAside(): number;
    /** Sets aside so many more for a test, which gives them back; why not, or null. */
    setAsideMore(t: TestContext, count: number): string | null;
    /** How many of them nobody has; null where nobody tells. */
    free(): number | null;
  };
  /** What an error says of large pages that the host does not give. */
  readonly largePagesHint: RegExp;
  /** Codes of a file operation that was given a buffer which it may not write to. */
  readonly refusedBuffer: RegExp;
  /** The user and the group that own what this process makes, as SIDs; undefined where only the system knows. */
  readonly owners: readonly [user: string, group: string] | undefined;
  /** What is answered to OBJ_PERMANENT with a local name. */
  readonly permanence: string;
  readonly lacks: {
    readonly posixObjects: Lack;
    readonly systemProcess: Lack;
    /** Numbers of closed handles stay unused for long. */
    readonly freshHandles: Lack;
    /** A file that loses its end under a view, whose rest stays. */
    readonly cutFiles: Lack;
    /** Memory whose size and writers are sealed. */
    readonly seals: Lack;
    /** Memory of sections that the machine counts as shared. */
    readonly countedMemory: Lack;
    /** Named sections of large pages. */
    readonly largePages: Lack;
    /** Committing pages by a handle that only reads. */
    readonly commitByReading: Lack;
    /** Holders of a name that others cannot reach. */
    readonly hiddenHolders: Lack;
    /** Sockets that keep the bounds of messages. */
    readonly packetSockets: Lack;
    /** Sockets at paths that are longer than their addresses. */
    readonly longSocketPaths: Lack;
    /** Devices that a descriptor maps. */
    readonly devices: Lack;
    readonly root: Lack;
    /** The memory of other processes is closed to this one. */
    readonly closedMemory: Lack;
    /** Files may have names that look like devices'. */
    readonly deviceNamesOfFiles: Lack;
    /** Files, processes and threads are guarded by something else than security descriptors. */
    readonly hostGuards: Lack;
    /** Children inherit views. */
    readonly inheritedViews: Lack;
    /** What children inherit is handed on by Sectile. */
    readonly ownInheritance: Lack;
    /** Children live on when their parent ends. */
    readonly orphans: Lack;
    /** A process lets others in by a door that Sectile opens. */
    readonly doors: Lack;
    /** Pipes, sockets and devices have names among the files'. */
    readonly posixFiles: Lack;
    /** Whoever makes files can make symbolic links. */
    readonly symbolicLinks: Lack;
    /** A disk of a few MiB for a test. */
    readonly smallDisk: Lack;
    signal(name: NodeJS.Signals): Lack;
  };
  /** What a hostile program tries on the section of another process's: see fixtures/hostile-start.ts. */
  readonly attacks: {
    /** Each way in, the one with the most rights last: a scenario, and its arguments. */
    ways(pid: number, name: string, size: number): readonly { readonly title: string; readonly args: readonly unknown[] }[];
    /** What must be refused of a section that has one writer. */
    readonly refusedToReaders: readonly string[];
    /** What must be refused to everybody who may write. */
    readonly refusedToHolders: readonly string[];
  };
  /** How waits leave the event loop free: each of them is tested. */
  readonly waysOfWaiting: readonly ('in the loop' | 'by threads')[];
  /** Bytes that others find in a section of so many. */
  foundSize(size: number): number;
  /** How many named sections the tests of this scratch folder have. */
  localNames(scratch: string): number;
  /** How many views of sections this process has. */
  views(): number;
  isView(address: bigint): boolean;
  /** How many mappings this process has that count against a limit of the system. */
  mappings(): number;
  /** How many handles or descriptors this process has. */
  handles(): number;
  /** How many of them are sections. */
  sectionHandles(): number;
  /** All that calls of the faces can leave behind, for comparing: what a process holds, and names below its runtime directory. */
  holdings(runtimeDirectory: string): unknown;
  /** The processes that have the memory of a section, by its name or by its size, which nothing else has. */
  holders(name: string, size: number): number[];
  /** Bytes of memory on this machine that sections can have. */
  sharedMemory(): number;
  /** Whether a process was ended for a fault that nobody mended. */
  crashed(ending: Ended): boolean;
  /** Whether a process ended by this signal, as this system ends one for it. */
  endedBy(ending: Ended, signal: NodeJS.Signals): boolean;
  /**
   * Loses what backs a view of a file beyond its first `keep` bytes: the access at `at` will find it lost, if none did
   * before. Offsets are the view's.
   */
  loseBacking(view: View, path: string, keep: number, at: number): void;
  /** Gives the file its length again. */
  restoreBacking(path: string, size: number): void;
  /** A command before that of a child, which may then make a small disk. */
  readonly smallDisk: readonly string[];
  /** Makes the folder a disk of 8 MiB where that can be; returns a length that no file in it can have. */
  makeSmallDisk(folder: string): number;
  /** A file's path as NT names it. */
  ntPath(path: string): string;
  /** Removes a folder with all that is in it. */
  removeFolder(path: string): void;
  /** The path of the product's addon, built for runtimes that allow no external buffers. */
  addonWithoutBuffers(): string;
  /** The path of a small program or addon of the tests: see compile.ts. */
  compiled(source: string, kind: 'program' | 'addon'): string;
}

const here = (): Platform => (os.localMemory === 'in-files' ? withFiles : posix);

export const platform: Platform = process.platform === 'win32' ? windows : here();
