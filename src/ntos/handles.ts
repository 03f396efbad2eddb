/**
 * Handles of the kernel: what a handle grants, how large its section is, and its end.
 */
import type { NtSystem } from '../os/index.js';

/** A call that this version of the system may lack. */
export function callOf(nt: NtSystem, name: string): NtSystem['calls'][string] {
  return nt.calls[name] ?? (() => STATUS_NOT_IMPLEMENTED);
}

const STATUS_NOT_IMPLEMENTED = 0xc000_0002;
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
