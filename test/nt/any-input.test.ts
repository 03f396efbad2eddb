/**
 * The calls on objects answer with a status whatever they are given, and throw for nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import './runtime.js';
import { directory } from './user-mode.js';

const oa = n.InitializeObjectAttributes;

/** What callers that mean well give, and what nobody should. */
const anything = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    NaN,
    -1,
    0,
    1,
    4,
    0xffff_ffff,
    2 ** 32,
    1n,
    -1n,
    2n ** 70n,
    '',
    '\\',
    'D:',
    [],
    {},
    true,
    Symbol.iterator,
  ),
  fc.constantFrom(
    oa(null, 0),
    oa('\\', 0),
    oa(`${directory}\\any`, n.OBJ_OPENIF),
    oa('x', 0, 4),
    oa(Symbol.iterator as never, 0),
  ),
  fc.constantFrom({ Length: NaN }, { Length: 2, Buffer: 1n }, { Inherit: 7 }),
  fc.integer({ min: -10, max: 200 }),
);

const ntCalls = [
  n.NtQueryObject,
  n.NtSetInformationObject,
  n.NtMakeTemporaryObject,
  n.NtMakePermanentObject,
  n.NtQuerySecurityObject,
  n.NtSetSecurityObject,
  n.NtCreateDirectoryObject,
  n.NtOpenDirectoryObject,
  n.NtQueryDirectoryObject,
  n.NtCreateSymbolicLinkObject,
  n.NtOpenSymbolicLinkObject,
  n.NtQuerySymbolicLinkObject,
  n.NtCreateEvent,
  n.NtOpenEvent,
  n.NtSetEvent,
  n.NtResetEvent,
  n.NtClearEvent,
  n.NtQueryEvent,
  n.NtCreateMutant,
  n.NtOpenMutant,
  n.NtReleaseMutant,
  n.NtQueryMutant,
  n.NtCreateSemaphore,
  n.NtOpenSemaphore,
  n.NtReleaseSemaphore,
  n.NtQuerySemaphore,
  n.NtExtendSection,
  n.NtCreateSectionEx,
  n.NtOpenSection,
];

const w32Calls = [
  w.CreateEvent,
  w.OpenEvent,
  w.SetEvent,
  w.ResetEvent,
  w.CreateMutex,
  w.OpenMutex,
  w.ReleaseMutex,
  w.CreateSemaphore,
  w.OpenSemaphore,
  w.ReleaseSemaphore,
];

type Call = (...given: readonly unknown[]) => unknown;

/** Handles that a call gave back are closed: they would be arguments that mean something later. */
function closeAll(answer: unknown): void {
  const handles = typeof answer === 'number' ? [answer] : Object.values((answer ?? {}) as Record<string, unknown>);
  for (const handle of handles) if (typeof handle === 'number' && handle > 0 && handle % 4 === 0) n.NtClose(handle);
}

test('NT calls answer every input with a status', () => {
  const arguments_ = fc.tuple(
    fc.constantFrom<((...given: never[]) => unknown)[]>(...ntCalls),
    fc.array(anything, { maxLength: 9 }),
  );
  fc.assert(
    fc.property(arguments_, ([call, given]) => {
      const answer = (call as Call)(...given);
      const status = typeof answer === 'number' ? answer : (answer as { readonly status: number }).status;
      assert.ok(Number.isInteger(status) && status >= 0 && status < 2 ** 32, `${call.name}: ${status}`);
      if (typeof answer === 'object') closeAll(answer);
    }),
    { numRuns: 3000 },
  );
});

test('Win32 calls answer every input with a handle or a truth', () => {
  const arguments_ = fc.tuple(
    fc.constantFrom<((...given: never[]) => unknown)[]>(...w32Calls),
    fc.array(anything, { maxLength: 5 }),
  );
  fc.assert(
    fc.property(arguments_, ([call, given]) => {
      const answer = (call as Call)(...given);
      assert.ok(
        typeof answer === 'boolean' || (Number.isInteger(answer) && (answer as number) >= 0),
        `${call.name}: ${String(answer)}`,
      );
      if (typeof answer === 'number') closeAll(answer);
    }),
    { numRuns: 1000 },
  );
});
