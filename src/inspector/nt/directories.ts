/**
 * The directories of the kernel's namespace that names of Win32 live in, and what is in them.
 */
import { callOf, closeHandle } from '../../ntos/handles.js';
import type { NtSystem } from '../../os/index.js';
import { DIRECTORY_QUERY, DIRECTORY_TRAVERSE } from '../../security/index.js';

/** An entry as the kernel has it: the type is NT's own word, such as `Section`. */
export interface DirectoryEntry {
  readonly name: string;
  readonly type: string;
}

const OBJ_CASE_INSENSITIVE = 0x40;
const FAILED = 0x8000_0000;
/** OBJECT_DIRECTORY_INFORMATION on 64 bits: two UNICODE_STRINGs. */
const entryLayout = { name: 0, type: 16, textLength: 0, textPointer: 8 } as const;
/** Room for one entry: two names of NT's greatest length. */
const ROOM = 64 + 2 * 0x10000;
const MOST_ENTRIES = 100_000;

/** `\BaseNamedObjects`: where `Global\` names live. */
export const globalDirectory = '\\BaseNamedObjects';

/** Where this session's own names live. */
export function localDirectory(nt: NtSystem): string {
  const session = new Uint8Array(4);
  callOf(nt, 'ProcessIdToSessionId')(process.pid, session);
  const number = new DataView(session.buffer).getUint32(0, true);
  return number === 0 ? globalDirectory : `\\Sessions\\${number}\\BaseNamedObjects`;
}

/** What is in a directory; an NTSTATUS where it cannot be looked at. */
export function entriesOf(nt: NtSystem, directory: string): readonly DirectoryEntry[] | number {
  const handle = new Uint8Array(8);
  const opened = callOf(nt, 'NtOpenDirectoryObject')(handle, DIRECTORY_QUERY | DIRECTORY_TRAVERSE, [
    directory,
    OBJ_CASE_INSENSITIVE,
    0,
    null,
  ]);
  if (opened >= FAILED) return opened;
  const open = new DataView(handle.buffer).getInt32(0, true);
  try {
    return readEntries(nt, open);
  } finally {
    closeHandle(nt, open);
  }
}

/** One at a time: every version of the system can do that. */
function readEntries(nt: NtSystem, directory: number): readonly DirectoryEntry[] {
  const query = callOf(nt, 'NtQueryDirectoryObject');
  const room = new Uint8Array(ROOM);
  const base = nt.addressOf(room);
  const facts = new DataView(room.buffer);
  const context = new Uint8Array(4);
  const text = (at: number): string => {
    const length = facts.getUint16(at + entryLayout.textLength, true);
    const start = Number(facts.getBigUint64(at + entryLayout.textPointer, true) - base);
    return start < 0 || start + length > ROOM ? '' : Buffer.from(room.buffer, start, length).toString('utf16le');
  };
  const entries: DirectoryEntry[] = [];
  while (entries.length < MOST_ENTRIES) {
    const status = query(directory, room, ROOM, 1, entries.length === 0 ? 1 : 0, context, null);
    if (status >= FAILED) break;
    entries.push({ name: text(entryLayout.name), type: text(entryLayout.type) });
  }
  return entries;
}
