/**
 * The calls on directories: create, open, list. Source: Microsoft's pages of ZwCreateDirectoryObject,
 * ZwOpenDirectoryObject and NtQueryDirectoryObject.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { DIRECTORY_QUERY } from '../security/index.js';
import { listEntries } from '../system/lookup.js';
import { type Handle, type Size, ulong, ulong64 } from './arguments.js';
import { statusOf } from './failure.js';
import { directoryType } from './named-types.js';
import type { ObjectAttributes } from './object-attributes.js';
import { type Directory, devicesIn } from './object-directory.js';
import { createNamed, type Opened, openNamed } from './object-opening.js';
import { type Mode, mayUse, objectOf } from './tables.js';

/** What create and open give back; the handle is 0 on failure. */
export interface DirectoryResult {
  readonly status: NTSTATUS;
  readonly directoryHandle: Handle;
}

/** OBJECT_DIRECTORY_INFORMATION: what a directory has under a name. */
export interface OBJECT_DIRECTORY_INFORMATION {
  readonly Name: string;
  readonly TypeName: string;
}

export interface DirectoryQueryResult {
  readonly status: NTSTATUS;
  readonly entries: readonly OBJECT_DIRECTORY_INFORMATION[];
  /** Where the next call goes on. */
  readonly context: number;
  /** Bytes that the entries take on x64, or would have taken. */
  readonly returnLength: number;
}

const resultOf = ({ status, handle }: Opened): DirectoryResult => ({ status, directoryHandle: handle });

/** A directory has no state: it is what is filed under it. */
const NOTHING = new Uint8Array(0);

/** ZwCreateDirectoryObject and NtCreateDirectoryObject. */
export function createDirectoryObject(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
): DirectoryResult {
  return resultOf(createNamed('ZwCreateDirectoryObject', mode, directoryType, desiredAccess, objectAttributes, NOTHING));
}

/** ZwOpenDirectoryObject and NtOpenDirectoryObject. */
export function openDirectoryObject(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): DirectoryResult {
  return resultOf(openNamed('ZwOpenDirectoryObject', mode, directoryType, desiredAccess, objectAttributes));
}

/** All that is in a directory, in an order that lasts as long as nothing changes. */
function contentOf(directory: Directory): readonly OBJECT_DIRECTORY_INFORMATION[] {
  const fixed = [...directory.entries].map(([Name, entry]) => ({
    Name,
    TypeName: 'entries' in entry ? 'Directory' : 'SymbolicLink',
  }));
  const devices = devicesIn(directory).map(({ leaf, target }) => ({
    Name: leaf,
    TypeName: target === undefined ? 'Device' : 'SymbolicLink',
  }));
  const created = directory.holds === null ? [] : listEntries('NtQueryDirectoryObject', directory.holds, directory.identity);
  return [...fixed, ...devices, ...created.map(({ leaf, kind }) => ({ Name: leaf, TypeName: kind }))];
}

/** sizeof(OBJECT_DIRECTORY_INFORMATION) on x64; an empty one ends the list. */
const ENTRY_LENGTH = 32;

/** The structure, and its two texts with their NULs. */
function lengthOf({ Name, TypeName }: OBJECT_DIRECTORY_INFORMATION): number {
  return ENTRY_LENGTH + 2 * (Name.length + 1) + 2 * (TypeName.length + 1);
}

/** ZwQueryDirectoryObject and NtQueryDirectoryObject. */
export function queryDirectoryObject(
  mode: Mode,
  directoryHandle: Handle,
  length: Size | null,
  returnSingleEntry: boolean,
  restartScan: boolean,
  context: number,
): DirectoryQueryResult {
  const start = restartScan ? 0 : (ulong(context ?? 0) ?? 0);
  const fail = (status: NTSTATUS, returnLength = 0): DirectoryQueryResult => ({
    status,
    entries: [],
    context: start,
    returnLength,
  });
  const room = length === null || length === undefined ? undefined : ulong64(length);
  if (room === undefined && length !== null && length !== undefined) return fail(Status.STATUS_INVALID_PARAMETER);
  const found = objectOf(mode, directoryHandle, directoryType);
  if ('status' in found) return fail(found.status);
  if (!mayUse(mode, found, DIRECTORY_QUERY)) return fail(Status.STATUS_ACCESS_DENIED);
  let left: readonly OBJECT_DIRECTORY_INFORMATION[];
  try {
    left = contentOf(found.body.directory).slice(start);
  } catch (error) {
    return fail(statusOf(error));
  }
  if (left.length === 0) return fail(Status.STATUS_NO_MORE_ENTRIES);
  const entries: OBJECT_DIRECTORY_INFORMATION[] = [];
  let bytes = ENTRY_LENGTH;
  for (const entry of returnSingleEntry ? left.slice(0, 1) : left) {
    const more = bytes + lengthOf(entry);
    if (room !== undefined && BigInt(more) > room) {
      if (returnSingleEntry) return fail(Status.STATUS_BUFFER_TOO_SMALL, more);
      break;
    }
    entries.push(entry);
    bytes = more;
  }
  const isAll = returnSingleEntry || entries.length === left.length;
  const status = isAll ? Status.STATUS_SUCCESS : Status.STATUS_MORE_ENTRIES;
  return { status, entries, context: start + entries.length, returnLength: bytes };
}
