/**
 * Values that calls are given in every position, and how a whole face is called with them: what it
 * exports is found by itself, so that a call that is added is tried as well.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { platform } from '../support/platform.js';
import { runtimeDirectory } from './runtime.js';
import { directory } from './user-mode.js';

export type Call = (...given: readonly unknown[]) => unknown;

/** The functions of a face, but for those that are left out, with the reason. */
export function callsOf(
  face: object,
  leftOut: Readonly<Record<string, string>>,
): readonly (readonly [name: string, call: Call])[] {
  const calls = Object.entries(face).filter((entry): entry is [string, Call] => typeof entry[1] === 'function');
  const strangers = Object.keys(leftOut).filter((name) => !calls.some(([each]) => each === name));
  if (strangers.length > 0) throw new Error(`no such calls: ${strangers}`);
  return calls.filter(([name]) => !Object.hasOwn(leftOut, name));
}

/** Those of a face that wait as long as a number drawn by chance says. any-input-waits.test.ts gives them short times. */
export function waitsOf(face: object): Readonly<Record<string, string>> {
  const names = Object.keys(face).filter((name) => /Wait(?!Al|An)/.test(name) && typeof face[name as never] === 'function');
  return Object.fromEntries(names.map((name) => [name, 'waits']));
}

const trap = (): never => {
  throw new Error('a trap');
};
const throwing = new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap });
const revocable = Proxy.revocable({}, {});
revocable.revoke();
const fields = [
  ...['Length', 'Buffer', 'Offset', 'bInheritHandle', 'lpSecurityDescriptor', 'UniqueProcess', 'EndOfFile', 'DeleteFile'],
  ...[
    'AllocationSize',
    'CurrentByteOffset',
    'Inherit',
    'Type',
    'Pointer',
    'ULong',
    'stdio',
    'Name',
    'length',
    'valueOf',
    'toString',
  ],
];
const treacherous = Object.defineProperties(
  {},
  Object.fromEntries(fields.map((name) => [name, { get: trap, enumerable: true } as PropertyDescriptor])),
);
const detached = new Uint8Array(16);
structuredClone(detached.buffer, { transfer: [detached.buffer] });

const oa = n.InitializeObjectAttributes;
const values: readonly unknown[] = [
  ...[null, undefined, true, false, NaN, Infinity, 0.5, -1, -2, 0, 1, 2, 3, 4, 5, 8, 14, 0x1000, 0x2000, 0x1_0000, 0x10_0000],
  ...[0x8000_0000, 0xffff_ffff, 2 ** 32, 2 ** 53, 1e308, 0n, 1n, -1n, 65536n, 2n ** 47n, -(2n ** 63n), 2n ** 64n, 2n ** 70n],
  ...['', '\\', 'D:', '\0', 'any', 'x'.repeat(70_000), '\ud800', '\\\\.\\nothing', '\\??\\unix\\nothing', 'Global\\any'],
  ...[[], [1, 2], new Array(3), {}, Object.create(null), Symbol.iterator, trap, throwing, revocable.proxy, treacherous],
  ...[[throwing], [treacherous], [null], [{ Type: 1, Pointer: throwing }], [{ Type: 1, Pointer: { Alignment: 0x2_0000n } }]],
  ...[
    detached,
    new Uint8Array(64),
    new DataView(new ArrayBuffer(8)),
    new Uint8Array(new SharedArrayBuffer(8)),
    new ArrayBuffer(8),
  ],
  ...[oa(null, 0), oa('\\', 0), oa(`${directory}\\any`, n.OBJ_OPENIF), oa('any', 0, 4), oa(throwing as never, 0)],
  ...[oa(treacherous as never, treacherous as never), oa('any', 0, throwing as never, throwing as never)],
  ...[{ Length: NaN }, { Length: 2, Buffer: 1n }, { Inherit: 7 }, { Offset: 1.5 }, { Offset: 0 }, { UniqueProcess: process.pid }],
  ...[
    { lpSecurityDescriptor: throwing, bInheritHandle: throwing },
    { EndOfFile: 2n ** 62n },
    { stdio: 5 },
    { stdio: [throwing] },
  ],
];

/** Handles, a view and an address that mean something, until a call makes an end of them. */
export class Company {
  readonly #file = join(runtimeDirectory, 'any-file');
  #handles: number[] = [];
  #view: w.View | null = null;

  constructor() {
    writeFileSync(this.#file, new Uint8Array(70_000));
  }

  invite(): void {
    const paths = [this.#file, runtimeDirectory];
    this.#handles = [
      w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 0x1_0000, null),
      w.CreateEvent(null, true, false, null),
      w.CreateMutex(null, true, null),
      w.CreateSemaphore(null, 1, 2, null),
      ...paths.map((path) => w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_ALWAYS, w.FILE_FLAG_BACKUP_SEMANTICS)),
      w.CreateFile(this.#file, w.GENERIC_READ | w.GENERIC_WRITE, 7, null, w.OPEN_ALWAYS, 0),
      n.NtCreateDirectoryObject(n.DIRECTORY_ALL_ACCESS, null).directoryHandle,
      n.NtCreateSymbolicLinkObject(n.SYMBOLIC_LINK_ALL_ACCESS, oa(null, 0), '\\any').linkHandle,
    ];
    this.#view = w.MapViewOfFile(this.#handles[0] as number, w.FILE_MAP_WRITE, 0, 0, 0);
  }

  /** What a number drawn by chance stands for. */
  at(index: number): unknown {
    if (index === 0) return this.#view;
    if (index === 1) return this.#view?.closed === false ? this.#view.address : 0n;
    return this.#handles[index % this.#handles.length];
  }

  /** Lets go of everything, and of what came back from calls. */
  dismiss(answers: readonly unknown[], close: (handle: number) => void): void {
    for (const answer of [...this.#handles, this.#view, ...answers]) release(answer, close);
  }
}

function release(answer: unknown, close: (handle: number) => void): void {
  if (typeof answer === 'number') close(answer);
  if (typeof answer === 'bigint') w.VirtualFree(answer, 0, w.MEM_RELEASE);
  if (typeof answer !== 'object' || answer === null || ArrayBuffer.isView(answer)) return;
  if ('process' in answer) throw new Error('a process was started');
  if ('close' in answer) (answer as w.View).close();
  else for (const each of Object.values(answer)) if (typeof each !== 'string') release(each, close);
}

export interface Trial {
  readonly name: string;
  readonly call: Call;
  /** Given what stands for numbers that were drawn by chance. */
  readonly given: (company: Company) => unknown[];
}

export const drawn = fc.oneof(
  { weight: 3, arbitrary: fc.nat(values.length - 1).map((index) => () => values[index]) },
  { weight: 2, arbitrary: fc.nat(9).map((index) => (company: Company) => company.at(index)) },
  { weight: 1, arbitrary: fc.integer({ min: -10, max: 400 }).map((value) => () => value) },
  { weight: 1, arbitrary: fc.integer().map((value) => () => value) },
);

export function trials(calls: readonly (readonly [name: string, call: Call])[]): fc.Arbitrary<Trial> {
  return fc
    .tuple(fc.constantFrom(...calls), fc.array(drawn, { minLength: 11, maxLength: 11 }), fc.nat(12))
    .map(([[name, call], all, more]) => ({
      name,
      call,
      // A call that hands all its arguments on says nothing of how many it takes.
      given: (company) =>
        all.slice(0, more > 4 && call.length > 0 ? call.length + (more % 3) : more).map((each) => each(company)),
    }));
}

/** What must be as before when everything has been closed. */
export const holdings = (): unknown => platform.holdings(runtimeDirectory);
