/**
 * What the tests of `sectile/ntdll` say again and again: a section, a view, a status by its name.
 */
import assert from 'node:assert/strict';
import * as n from 'sectile/ntdll';
import { statusName } from '../../dist/base/status.js';
import { expected } from '../support/wine.js';

export const directory = `\\Sessions\\${process.geteuid?.() === 0 ? 0 : 1}\\BaseNamedObjects`;
export const self = n.NtCurrentProcess();
export const BOGUS = 0xdeadbeef;

/** @param onWine What Wine answers instead, where it departs from NT. */
export function is(status: number, name: string, onWine = name): void {
  assert.equal(statusName(status), expected(name, onWine));
}

export function named(name: string, attributes = 0, security: string | null = null): n.ObjectAttributes {
  return n.InitializeObjectAttributes(`${directory}\\${name}`, attributes, null, security);
}

export function create(
  size: number,
  protection = n.PAGE_READWRITE,
  access = n.SECTION_ALL_ACCESS,
  attributes = n.SEC_COMMIT,
): number {
  const { status, sectionHandle } = n.NtCreateSection(access, null, size, protection, attributes, null);
  is(status, 'STATUS_SUCCESS');
  return sectionHandle;
}

export function map(
  handle: number,
  options: { base?: bigint; offset?: number; size?: number; protection?: number; zeroBits?: number | bigint } = {},
) {
  const { base = null, offset = null, size = 0, protection = n.PAGE_READWRITE, zeroBits = 0 } = options;
  return n.NtMapViewOfSection(handle, self, base, zeroBits, 0, offset, size, n.ViewUnmap, 0, protection);
}

export function mapped(...given: Parameters<typeof map>): { view: n.View; base: bigint } {
  const { status, view, baseAddress } = map(...given);
  is(status, 'STATUS_SUCCESS');
  assert.ok(view !== null && baseAddress !== null);
  return { view, base: baseAddress };
}
