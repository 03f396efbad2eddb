/**
 * What cases of Win32 need again and again: mappings and views that must come to be, and what they are.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { Trial } from './trial.js';
import { errorNameOf } from './values.js';

interface MappingOptions {
  readonly file: number;
  readonly protect: number;
  readonly name: string | null;
  readonly security: string | w.SecurityAttributes | null;
}

/** CreateFileMapping, of the paging file and PAGE_READWRITE where nothing else is said; 0 on failure. */
export function tryMapping(t: Trial, size: number | bigint, options: Partial<MappingOptions> = {}): number {
  const { file = w.INVALID_HANDLE_VALUE, protect = w.PAGE_READWRITE, name = null, security = null } = options;
  const bytes = BigInt(size);
  return t.keep(w.CreateFileMapping(file, security, protect >>> 0, Number(bytes >> 32n), Number(bytes & 0xffff_ffffn), name));
}

export function mapping(t: Trial, size: number | bigint, options: Partial<MappingOptions> = {}): number {
  const handle = tryMapping(t, size, options);
  assert.notEqual(handle, 0, `create the mapping: ${errorNameOf(w.GetLastError())}`);
  return handle;
}

export function tryView(
  t: Trial,
  section: number,
  access: number,
  size = 0,
  offset = 0,
  base: bigint | null = null,
): w.View | null {
  const view = w.MapViewOfFileEx(section, access, 0, offset, size, base);
  if (view !== null) t.after(() => w.UnmapViewOfFile(view));
  return view;
}

export function viewOf(t: Trial, section: number, access: number, size = 0, offset = 0): w.View {
  const view = tryView(t, section, access, size, offset);
  assert.ok(view !== null, `map the view: ${errorNameOf(w.GetLastError())}`);
  return view;
}

export const BOTH = w.FILE_MAP_READ | w.FILE_MAP_WRITE;

/** What NtQuerySection says of a section that may be queried. */
export function facts(t: Trial, section: number): n.SECTION_BASIC_INFORMATION {
  const { status, sectionInformation } = n.NtQuerySection(section, n.SectionBasicInformation);
  t.is(status, 'STATUS_SUCCESS', 'NtQuerySection');
  assert.ok(sectionInformation !== null);
  return sectionInformation;
}

export function granted(t: Trial, handle: number): number {
  const { status, objectInformation } = n.NtQueryObject(handle, n.ObjectBasicInformation);
  t.is(status, 'STATUS_SUCCESS', 'NtQueryObject');
  return (objectInformation as { GrantedAccess: number }).GrantedAccess;
}

/** Memory objects that this process holds, by descriptor or mapping. */
export function held(): number {
  const descriptors = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('/memfd:');
    } catch {
      return false;
    }
  });
  const mappings = readFileSync('/proc/self/maps', 'latin1').match(/ \/memfd:/g) ?? [];
  return descriptors.length + mappings.length;
}
