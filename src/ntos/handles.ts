/**
 * Handles of the kernel: what a handle grants, how large its section is, and its end.
 */
import type { NtSystem } from '../os/index.js';

/** A call that this version of the system may lack. */
export function callOf(nt: NtSystem, name: string): NtSystem['calls'][string] {
  return nt.calls[name] ?? (() => STATUS_NOT_IMPLEMENTED);
}

const STATUS_NOT_IMPLEMENTED = 0xc000_0002;
const THIS_PROCESS = -1;
/** DACL_SECURITY_INFORMATION. */
const DACL = 4;
const OBJECT_BASIC_INFORMATION = { class: 0, bytes: 56, grantedAccess: 4 } as const;
const SECTION_BASIC_INFORMATION = { class: 0, bytes: 24, attributes: 8, maximumSize: 16 } as const;

/** Granted access of a handle; 0 where it cannot be had. */
export function grantedAccess(nt: NtSystem, handle: number): number {
  const { class: basic, bytes, grantedAccess: at } = OBJECT_BASIC_INFORMATION;
  const facts = new Uint8Array(bytes);
  const status = callOf(nt, 'NtQueryObject')(handle, basic, facts, bytes, null);
  return status >= 0x8000_0000 ? 0 : new DataView(facts.buffer).getUint32(at, true);
}

/** What the kernel says of a section; undefined where the handle does not grant asking. */
export function sectionFacts(nt: NtSystem, handle: number): { readonly size: number; readonly attributes: number } | undefined {
  const { class: basic, bytes, attributes, maximumSize } = SECTION_BASIC_INFORMATION;
  const facts = new Uint8Array(bytes);
  const status = callOf(nt, 'NtQuerySection')(handle, basic, facts, bytes, null);
  if (status >= 0x8000_0000) return undefined;
  const view = new DataView(facts.buffer);
  return { size: Number(view.getBigUint64(maximumSize, true)), attributes: view.getUint32(attributes, true) };
}

export function closeHandle(nt: NtSystem, handle: number): void {
  callOf(nt, 'NtClose')(handle);
}

/** A second handle with the same rights; null where there can be none. */
export function duplicateHandle(nt: NtSystem, handle: number): number | null {
  const made = new Uint8Array(8);
  const sameAccess = 2;
  const status = callOf(nt, 'NtDuplicateObject')(THIS_PROCESS, handle, THIS_PROCESS, made, 0, 0, sameAccess);
  return status >= 0x8000_0000 ? null : new DataView(made.buffer).getInt32(0, true);
}

/** Who is granted what, as SDDL; undefined where the handle does not grant asking. */
export function daclText(nt: NtSystem, handle: number): string | undefined {
  const descriptor = new Uint8Array(0x1_0000);
  const length = new Uint8Array(4);
  const status = callOf(nt, 'NtQuerySecurityObject')(handle, DACL, descriptor, descriptor.length, length);
  if (status >= 0x8000_0000) return undefined;
  const text = nt.securityToText(descriptor.slice(0, new DataView(length.buffer).getUint32(0, true)), DACL);
  return typeof text === 'string' ? text : undefined;
}
