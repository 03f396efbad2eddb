/**
 * Plays of reactos-handles: user and kernel handles, duplicates, what cannot be closed.
 */
import assert from 'node:assert/strict';
import * as n from 'sectile/ntdll';
import { attributes } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { numberOf } from '../support/values.js';

const DIRECTORY_QUERY = 0x0001;
const DIRECTORY_ALL_ACCESS = 0x000f_000f;

interface BasicInformation {
  readonly Attributes: number;
  readonly GrantedAccess: number;
  readonly HandleCount: number;
  readonly PointerCount: number;
}

/** What the object manager says of a handle of the system process. */
function basic(t: Trial, handle: number): BasicInformation {
  const { status, objectInformation } = t.k.ZwQueryObject(handle, t.k.ObjectBasicInformation);
  t.is(status, 'STATUS_SUCCESS', 'ZwQueryObject');
  return objectInformation as unknown as BasicInformation;
}

function createDirectory(t: Trial, flags: number): { readonly status: number; readonly handle: number } {
  const { status, directoryHandle } = t.k.ZwCreateDirectoryObject(DIRECTORY_ALL_ACCESS, attributes(null, flags));
  if (directoryHandle !== 0) t.after(() => t.k.ZwClose(directoryHandle));
  return { status, handle: directoryHandle };
}

function kindOfHandle(t: Trial, handle: number): void {
  const user = (): void => assert.ok(handle > 0);
  const kernel = (): void => assert.ok(handle < 0);
  t.words('handle', {
    'user handle': user,
    'user handle (KERNEL_HANDLE_FLAG clear)': user,
    'kernel handle': kernel,
    'kernel handle (KERNEL_HANDLE_FLAG set)': kernel,
  });
}

export function create(t: Trial): void {
  const { status, handle } = createDirectory(t, numberOf(t.inputs.attributes));
  t.status(status);
  kindOfHandle(t, handle);
  const { Attributes, HandleCount, PointerCount } = basic(t, handle);
  t.equal('HandleCount', HandleCount);
  t.equal('Attributes' in t.case.expect ? 'Attributes' : 'reportedAttributes', Attributes);
  // How many pointers there are differs between versions; that there are as many does not.
  if ('PointerCount' in t.case.expect) assert.ok(PointerCount >= Number(t.expect.PointerCount), `${PointerCount} pointers`);
}

export function close(t: Trial): void {
  const flags = t.inputs.handle === 'kernel handle' ? n.OBJ_KERNEL_HANDLE : 0;
  const { handle } = createDirectory(t, flags);
  t.status(t.k.ObCloseHandle(handle, t.inputs.mode === 'UserMode' ? t.k.UserMode : t.k.KernelMode));
  if ('handleStillValid' in t.case.expect) {
    t.equal('handleStillValid', n.NT_SUCCESS(t.k.ZwQueryObject(handle, t.k.ObjectBasicInformation).status));
  }
}

const rights = (text: unknown): number =>
  text === 'ALL' ? DIRECTORY_ALL_ACCESS : text === 'QUERY' ? DIRECTORY_QUERY : assert.fail(String(text));

export function duplicate(t: Trial): void {
  const { inputs } = t;
  for (const flags of [0, n.OBJ_KERNEL_HANDLE]) {
    const { handle } = createDirectory(t, flags);
    const self = t.k.ZwCurrentProcess();
    const { status, targetHandle } = t.k.ZwDuplicateObject(
      self,
      handle,
      self,
      rights(inputs.desiredAccess),
      numberOf(inputs.handleAttributes),
      numberOf(inputs.options),
    );
    t.status(status);
    t.after(() => t.k.ZwClose(targetHandle));
    kindOfHandle(t, targetHandle);
    const { Attributes, GrantedAccess, HandleCount } = basic(t, targetHandle);
    assert.equal(GrantedAccess, rights(t.expect.grantedAccess));
    assert.equal(Attributes, numberOf(String(t.expect.attributes).replace(/ and the result is a USER handle$/, '')));
    t.equal('HandleCount', HandleCount);
  }
}

function duplicateIntoSystem(t: Trial): void {
  const { inputs } = t;
  const { handle } = createDirectory(t, 0);
  const opened = t.k.ZwOpenProcess(t.k.PROCESS_DUP_HANDLE, attributes(null), {
    UniqueProcess: process.pid,
  });
  t.is(opened.status, 'STATUS_SUCCESS', 'ZwOpenProcess');
  t.after(() => t.k.ZwClose(opened.processHandle));
  const { status, targetHandle } = t.k.ZwDuplicateObject(
    t.k.ZwCurrentProcess(),
    handle,
    opened.processHandle,
    rights(inputs.desiredAccess),
    numberOf(inputs.handleAttributes),
    0,
  );
  t.status(status);
  kindOfHandle(t, targetHandle);
  t.is(t.k.ObCloseHandle(targetHandle, t.k.UserMode), t.expect.closeUserMode);
  t.is(t.k.ObCloseHandle(targetHandle, t.k.KernelMode), t.expect.closeKernelMode);
}

/** `NULL`, `0x80000000`, `123|0x80000000`, `0xFFFFFFFF (-1)`, as 32 bits with a sign. */
function bogus(text: unknown): number {
  const plain = String(text).replace(/ \(.*\)$/, '');
  if (plain === 'NULL') return 0;
  return plain === '-1' ? -1 : numberOf(plain) | 0;
}

export function closeBogus(t: Trial): void {
  const handle = bogus(t.inputs.handle);
  t.status(t.case.call === 'NtClose' ? n.NtClose(handle) : t.k.ZwClose(handle));
}

/** The protected duplicate of ros-handle-023. */
function protectedDuplicate(
  t: Trial,
  desiredAccess: number,
  flags: number,
): { readonly status: number; readonly handle: number } {
  const self = t.k.ZwCurrentProcess();
  const { status, targetHandle } = t.k.ZwDuplicateObject(self, self, self, desiredAccess, flags, 0);
  if (targetHandle !== 0) {
    t.after(() => {
      t.k.ZwSetInformationObject(targetHandle, t.k.ObjectHandleFlagInformation, { Inherit: false, ProtectFromClose: false });
      t.k.ZwClose(targetHandle);
    });
  }
  return { status, handle: targetHandle };
}

function duplicateProtected(t: Trial): void {
  const { inputs } = t;
  assert.equal(inputs.source, 'current process pseudo handle');
  const { status, handle } = protectedDuplicate(t, numberOf(inputs.desiredAccess), numberOf(inputs.handleAttributes));
  t.status(status);
  assert.notEqual(handle, 0);
}

function closeProtected(t: Trial): void {
  t.status(t.k.ZwClose(protectedDuplicate(t, n.GENERIC_ALL, n.OBJ_PROTECT_CLOSE).handle));
}

export const scripts = family({
  'ros-handle-001..002': create,
  'ros-handle-003..005': close,
  'ros-handle-006..012': duplicate,
  'ros-handle-013': duplicateIntoSystem,
  'ros-handle-014..022': closeBogus,
  'ros-handle-023': duplicateProtected,
  'ros-handle-024': closeProtected,
});
