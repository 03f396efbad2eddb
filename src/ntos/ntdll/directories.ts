/**
 * Directories and symbolic links of the object namespace, by the kernel.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { ulong, ulong64 } from '../../nt/arguments.js';
import type * as ours from '../../nt/ntdll.js';
import { textOf } from '../../nt/object-attributes.js';
import { handleIn, Structure, textIn } from '../structures.js';
import type { Kernel } from './kernel.js';

type Calls = Pick<
  typeof ours,
  | 'NtCreateDirectoryObject'
  | 'NtOpenDirectoryObject'
  | 'NtQueryDirectoryObject'
  | 'NtCreateSymbolicLinkObject'
  | 'NtOpenSymbolicLinkObject'
  | 'NtQuerySymbolicLinkObject'
>;

/** Two UNICODE_STRINGs; one of nothing ends the list. */
const OBJECT_DIRECTORY_INFORMATION = new Structure(32, {
  NameLength: [0, 'u16'],
  Name: [8, 'address'],
  TypeLength: [16, 'u16'],
  TypeName: [24, 'address'],
});

/** Room for any one entry. */
const ROOM = 0x4_0000;
/** A text of the greatest length, and how long it is. */
const TEXT_ROOM = 2 + 0xfffe;

export function directoryCalls(kernel: Kernel): Calls {
  /** The texts stand in the same memory. */
  const entriesIn = (bytes: Uint8Array): readonly ours.OBJECT_DIRECTORY_INFORMATION[] => {
    const start = kernel.nt.addressOf(bytes);
    const entries: ours.OBJECT_DIRECTORY_INFORMATION[] = [];
    for (let at = 0; at + OBJECT_DIRECTORY_INFORMATION.bytes <= bytes.length; at += OBJECT_DIRECTORY_INFORMATION.bytes) {
      const { NameLength, Name, TypeLength, TypeName } = OBJECT_DIRECTORY_INFORMATION.read(bytes, at);
      if (Name === 0n) break;
      entries.push({
        Name: textIn(bytes, Number(Name - start), NameLength),
        TypeName: textIn(bytes, Number(TypeName - start), TypeLength),
      });
    }
    return entries;
  };

  const query = (
    handle: ours.Handle,
    room: number,
    single: boolean,
    restart: boolean,
    from: number,
  ): ours.DirectoryQueryResult => {
    const [bytes, context, returned] = [new Uint8Array(room), new Uint8Array(4), new Uint8Array(4)];
    new DataView(context.buffer).setUint32(0, from, true);
    const status = kernel.call('NtQueryDirectoryObject', handle, bytes, room, single ? 1 : 0, restart ? 1 : 0, context, returned);
    const returnLength = handleIn(returned);
    if (!isSuccess(status) || status === Status.STATUS_NO_MORE_ENTRIES)
      return { status, entries: [], context: from, returnLength };
    return { status, entries: entriesIn(bytes), context: handleIn(context), returnLength };
  };

  /** All that is left: one by one, for not every version of the system gives more at once. */
  const queryAll = (handle: ours.Handle, restart: boolean, from: number): ours.DirectoryQueryResult => {
    let all = query(handle, ROOM, true, restart, from);
    while (isSuccess(all.status)) {
      const { status, entries, context, returnLength } = query(handle, ROOM, true, false, all.context);
      if (!isSuccess(status)) break;
      all = { status, entries: [...all.entries, ...entries], context, returnLength: all.returnLength + returnLength };
    }
    return all;
  };

  return {
    NtCreateDirectoryObject(access, attributes) {
      const { status, handle } = kernel.createNamed('NtCreateDirectoryObject', access, attributes);
      return { status, directoryHandle: handle };
    },
    NtOpenDirectoryObject(access, attributes) {
      const { status, handle } = kernel.openNamed('NtOpenDirectoryObject', access, attributes);
      return { status, directoryHandle: handle };
    },
    NtQueryDirectoryObject(directoryHandle, length, returnSingleEntry, restartScan, context) {
      const from = restartScan ? 0 : (ulong(context ?? 0) ?? 0);
      const fail = (status: NTSTATUS): ours.DirectoryQueryResult => ({ status, entries: [], context: from, returnLength: 0 });
      const isAny = length === null || length === undefined;
      const room = isAny ? BigInt(ROOM) : ulong64(length);
      if (room === undefined) return fail(Status.STATUS_INVALID_PARAMETER);
      const handle = kernel.handle(directoryHandle);
      if (isAny && !returnSingleEntry) return queryAll(handle, restartScan === true, from);
      const bytes = Math.min(Number(room), ROOM);
      return query(handle, bytes, returnSingleEntry === true, restartScan === true, from);
    },

    NtCreateSymbolicLinkObject(access, attributes, linkTarget) {
      const target = textOf(linkTarget);
      if (target === null || attributes === null || attributes === undefined) {
        return { status: Status.STATUS_ACCESS_VIOLATION, linkHandle: 0 };
      }
      if (typeof target !== 'string') {
        // A name that is wrong in its length is, as a target, a wrong parameter.
        const isWrongLength = target.status === Status.STATUS_OBJECT_NAME_INVALID;
        return { status: isWrongLength ? Status.STATUS_INVALID_PARAMETER : target.status, linkHandle: 0 };
      }
      const { status, handle } = kernel.createNamed('NtCreateSymbolicLinkObject', access, attributes, target);
      return { status, linkHandle: handle };
    },
    NtOpenSymbolicLinkObject(access, attributes) {
      const { status, handle } = kernel.openNamed('NtOpenSymbolicLinkObject', access, attributes);
      return { status, linkHandle: handle };
    },
    NtQuerySymbolicLinkObject(linkHandle, length) {
      const room = length === undefined ? TEXT_ROOM : 2 + Number(ulong64(length) ?? 0n);
      const [bytes, returned] = [new Uint8Array(Math.min(room, TEXT_ROOM)), new Uint8Array(4)];
      const status = kernel.call('NtQuerySymbolicLinkObject', kernel.handle(linkHandle), bytes, returned);
      const returnLength = handleIn(returned);
      if (!isSuccess(status)) return { status, linkTarget: null, returnLength };
      const linkTarget = textIn(bytes, 2, new DataView(bytes.buffer).getUint16(0, true));
      return { status, linkTarget, returnLength };
    },
  };
}
