/** The access check: tables of single rules, and a naive model that must agree on random descriptors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Status } from '../../dist/base/status.js';
import { type AccessDecision, accessCheck, grantsToAnyone } from '../../dist/security/access-check.js';
import * as rights from '../../dist/security/access-mask.js';
import { sectionMapping } from '../../dist/security/object-types.js';
import { holdsPrivilege } from '../../dist/security/privileges.js';
import { fromSddl, type SecurityDescriptor } from '../../dist/security/security-descriptor.js';
import type { Sid } from '../../dist/security/sid.js';
import { kernelToken, type Token, tokenForPeer } from '../../dist/security/token.js';
import { anyAce, anyMask } from './arbitraries.js';

const { STATUS_SUCCESS, STATUS_ACCESS_DENIED, STATUS_PRIVILEGE_NOT_HELD } = Status;
const MAX = rights.MAXIMUM_ALLOWED;

const alice = tokenForPeer({ uid: 1000, gid: 100, groups: [27] });
const root = tokenForPeer({ uid: 0, gid: 0, groups: [] });
const operator = tokenForPeer({ uid: 1000, gid: 100, groups: [] }, { administratorUids: [1000] });
const kernel = kernelToken();

/** A descriptor that belongs to somebody else, so that no right comes from ownership. */
const foreign = (dacl: string): SecurityDescriptor => fromSddl(`O:S-1-22-1-9G:S-1-22-2-9${dacl}`, root);
const granted = (mask: number): AccessDecision => ({ status: STATUS_SUCCESS, granted: mask });
const denied: AccessDecision = { status: STATUS_ACCESS_DENIED, granted: 0 };

const singleRights: [name: string, right: number][] = [
  ['SECTION_QUERY', rights.SECTION_QUERY],
  ['SECTION_MAP_WRITE', rights.SECTION_MAP_WRITE],
  ['SECTION_MAP_READ', rights.SECTION_MAP_READ],
  ['SECTION_MAP_EXECUTE', rights.SECTION_MAP_EXECUTE],
  ['SECTION_EXTEND_SIZE', rights.SECTION_EXTEND_SIZE],
  ['SECTION_MAP_EXECUTE_EXPLICIT', rights.SECTION_MAP_EXECUTE_EXPLICIT],
  ['DELETE', rights.DELETE],
  ['READ_CONTROL', rights.READ_CONTROL],
  ['WRITE_DAC', rights.WRITE_DAC],
  ['WRITE_OWNER', rights.WRITE_OWNER],
];
const ALL_SINGLE_RIGHTS = singleRights.reduce((mask, [, right]) => mask | right, 0);

for (const [name, given] of singleRights) {
  test(`an entry that allows ${name} allows it and no other right`, () => {
    const descriptor = foreign(`D:(A;;0x${given.toString(16)};;;WD)`);
    for (const [asked, right] of singleRights) {
      assert.deepEqual(accessCheck(descriptor, alice, right, sectionMapping), right === given ? granted(right) : denied, asked);
    }
    assert.deepEqual(accessCheck(descriptor, alice, MAX, sectionMapping), granted(given));
  });

  test(`an entry that denies ${name} denies it and no other right`, () => {
    const descriptor = foreign(`D:(D;;0x${given.toString(16)};;;WD)(A;;0x${ALL_SINGLE_RIGHTS.toString(16)};;;WD)`);
    for (const [asked, right] of singleRights) {
      assert.deepEqual(accessCheck(descriptor, alice, right, sectionMapping), right === given ? denied : granted(right), asked);
    }
    assert.deepEqual(accessCheck(descriptor, alice, ALL_SINGLE_RIGHTS, sectionMapping), denied);
    assert.deepEqual(accessCheck(descriptor, alice, MAX, sectionMapping), granted(ALL_SINGLE_RIGHTS & ~given));
  });
}

type Row = [rule: string, sddl: string, token: Token, desired: number, expected: AccessDecision];
const rows: Row[] = [
  ['generic read', 'D:(A;;GR;;;WD)', alice, rights.GENERIC_READ, granted(0x20005)],
  ['generic write is not in generic read', 'D:(A;;GR;;;WD)', alice, rights.GENERIC_WRITE, denied],
  ['specific rights satisfy a generic request', 'D:(A;;RCCCLC;;;WD)', alice, rights.GENERIC_READ, granted(0x20005)],
  ['generic all of a section has no SYNCHRONIZE', 'D:(A;;GA;;;WD)', alice, rights.SYNCHRONIZE, denied],
  ['generic all has no explicit execution', 'D:(A;;GA;;;WD)', alice, rights.SECTION_MAP_EXECUTE_EXPLICIT, denied],
  ['generic all', 'D:(A;;GA;;;WD)', alice, rights.GENERIC_ALL, granted(0xf001f)],

  ['allow before deny', 'D:(A;;DC;;;WD)(D;;DC;;;WD)', alice, 2, granted(2)],
  ['deny before allow', 'D:(D;;DC;;;WD)(A;;DC;;;WD)', alice, 2, denied],
  ['rights add up over entries', 'D:(A;;DC;;;S-1-22-1-1000)(A;;LC;;;S-1-22-2-27)', alice, 6, granted(6)],
  ['one missing right denies all', 'D:(A;;LC;;;WD)', alice, 6, denied],
  ['a denial between allows counts for what is left', 'D:(A;;LC;;;WD)(D;;LCDC;;;WD)(A;;DC;;;WD)', alice, 6, denied],
  ['a denial of what is granted is too late', 'D:(A;;LC;;;WD)(D;;LC;;;WD)(A;;DC;;;WD)', alice, 6, granted(6)],
  ['a denial of a right not asked for', 'D:(D;;DC;;;WD)(A;;GR;;;WD)', alice, 4, granted(4)],
  ["another user's denial", 'D:(D;;GA;;;S-1-22-1-1001)(A;;GA;;;WD)', alice, 2, granted(2)],

  ['the user', 'D:(A;;LC;;;S-1-22-1-1000)', alice, 4, granted(4)],
  ['another user', 'D:(A;;LC;;;S-1-22-1-1001)', alice, 4, denied],
  ['the primary group', 'D:(A;;LC;;;S-1-22-2-100)', alice, 4, granted(4)],
  ['a supplementary group', 'D:(A;;LC;;;S-1-22-2-27)', alice, 4, granted(4)],
  ['a group of the same number as the user', 'D:(A;;LC;;;S-1-22-2-1000)', alice, 4, denied],
  ['Authenticated Users', 'D:(A;;LC;;;AU)', alice, 4, granted(4)],
  ['Users', 'D:(A;;LC;;;BU)', alice, 4, granted(4)],
  ['Anonymous is nobody here', 'D:(A;;LC;;;AN)', alice, 4, denied],
  ['Administrators: a user', 'D:(A;;LC;;;BA)', alice, 4, denied],
  ['Administrators: a named one', 'D:(A;;LC;;;BA)', operator, 4, granted(4)],
  ['Administrators: root', 'D:(A;;LC;;;BA)', root, 4, granted(4)],
  ['LocalSystem: a named administrator', 'D:(A;;LC;;;SY)', operator, 4, denied],
  ['LocalSystem: root', 'D:(A;;LC;;;SY)', root, 4, granted(4)],
  ['LocalSystem: the kernel', 'D:(A;;LC;;;SY)', kernel, 4, granted(4)],
  ['root has no right without an entry', 'D:(A;;LC;;;S-1-22-1-1000)', root, 4, denied],
  ['the kernel is checked like anyone', 'D:(A;;LC;;;S-1-22-1-1000)', kernel, 4, denied],

  ['a null DACL', 'D:NO_ACCESS_CONTROL', alice, 0xf003f, granted(0xf003f)],
  ['a null DACL, maximum', 'D:NO_ACCESS_CONTROL', alice, MAX, granted(0xf001f)],
  ['a null DACL, maximum and more', 'D:NO_ACCESS_CONTROL', alice, (MAX | 0x20) >>> 0, granted(0xf003f)],
  ['a null DACL and reserved bits', 'D:NO_ACCESS_CONTROL', alice, 0x00200004, denied],
  ['an empty DACL', 'D:', alice, 4, denied],
  ['an empty DACL, maximum', 'D:', alice, MAX, denied],
  ['an empty DACL, root', 'D:', root, 4, denied],

  ['an inherit-only allow', 'D:(A;OICIIO;GA;;;WD)', alice, 4, denied],
  ['an inherit-only denial', 'D:(D;OICIIO;GA;;;WD)(A;;LC;;;WD)', alice, 4, granted(4)],
  ['an inheritable and an inherited entry', 'D:(A;OICINP;LC;;;WD)(A;ID;DC;;;WD)', alice, 6, granted(6)],

  ['maximum: everything not denied first', 'D:(A;;LC;;;WD)(D;;LCDC;;;WD)(A;;DCCC;;;WD)', alice, MAX, granted(5)],
  ['maximum with a right that is there', 'D:(A;;GR;;;WD)', alice, (MAX | 4) >>> 0, granted(0x20005)],
  ['maximum with a right that is not', 'D:(A;;GR;;;WD)', alice, (MAX | 2) >>> 0, denied],
  ['maximum with a generic right', 'D:(A;;GRGW;;;WD)', alice, (MAX | rights.GENERIC_WRITE) >>> 0, granted(0x20007)],
  ['maximum: nothing', 'D:(A;;GA;;;S-1-22-1-1001)', alice, MAX, denied],
  ['an entry of all 32 bits gives no privilege', 'D:(A;;0xffffffff;;;WD)', alice, MAX, granted(0x1fffff)],

  ['no access asked for', 'D:(A;;GA;;;WD)', alice, 0, denied],
  ['no access asked for, null DACL', 'D:NO_ACCESS_CONTROL', alice, 0, denied],
  ['all 32 bits asked for', 'D:(A;;GA;;;WD)', alice, 0xffffffff, { status: STATUS_PRIVILEGE_NOT_HELD, granted: 0 }],
  ['WRITE_OWNER is not for all', 'D:', alice, rights.WRITE_OWNER, denied],
  ['an administrator takes ownership', 'D:', root, rights.WRITE_OWNER, granted(rights.WRITE_OWNER)],
  ['an administrator takes ownership and no more', 'D:', root, rights.WRITE_OWNER | 4, denied],
  ['WRITE_OWNER comes from an entry', 'D:(A;;WO;;;WD)', alice, rights.WRITE_OWNER, granted(rights.WRITE_OWNER)],
];
const SYSTEM_SECURITY = rights.ACCESS_SYSTEM_SECURITY;
const notHeld = { status: STATUS_PRIVILEGE_NOT_HELD, granted: 0 };
rows.push(
  ['SACL access: a user', 'D:(A;;0x01000000;;;WD)', alice, SYSTEM_SECURITY, notHeld],
  ['SACL access: a user, null DACL', 'D:NO_ACCESS_CONTROL', alice, SYSTEM_SECURITY, notHeld],
  ['SACL access: root', 'D:(A;;GA;;;SY)', root, SYSTEM_SECURITY, notHeld],
  ['SACL access: the kernel, whatever the DACL', 'D:', kernel, SYSTEM_SECURITY, granted(SYSTEM_SECURITY)],
  ['SACL access and more: the kernel', 'D:(A;;LC;;;SY)', kernel, SYSTEM_SECURITY | 4, granted(SYSTEM_SECURITY | 4)],
  ['SACL access and too much: the kernel', 'D:(A;;LC;;;SY)', kernel, SYSTEM_SECURITY | 2, denied],
);
for (const [rule, sddl, token, desired, expected] of rows) {
  test(`${rule}: ${sddl}`, () => assert.deepEqual(accessCheck(foreign(sddl), token, desired, sectionMapping), expected));
}

const IMPLICIT = rights.READ_CONTROL | rights.WRITE_DAC;
const owned: [rule: string, owner: string, dacl: string, desired: number, expected: AccessDecision][] = [
  ['the owner of a closed object', 'S-1-22-1-1000', 'D:', IMPLICIT, granted(IMPLICIT)],
  ['the owner, maximum', 'S-1-22-1-1000', 'D:', MAX, granted(IMPLICIT)],
  ['the owner, and no more than that', 'S-1-22-1-1000', 'D:', 4, denied],
  ['the owner has no WRITE_OWNER', 'S-1-22-1-1000', 'D:', rights.WRITE_OWNER, denied],
  ['a denial does not take it away', 'S-1-22-1-1000', 'D:(D;;GAWDRC;;;WD)', IMPLICIT, granted(IMPLICIT)],
  ['an owning group counts', 'S-1-22-2-27', 'D:', IMPLICIT, granted(IMPLICIT)],
  ['another owner', 'S-1-22-1-1001', 'D:', rights.READ_CONTROL, denied],
  ['OWNER RIGHTS replace it', 'S-1-22-1-1000', 'D:(A;;RC;;;OW)', rights.WRITE_DAC, denied],
  [
    'OWNER RIGHTS give it to the owner',
    'S-1-22-1-1000',
    'D:(A;;RCLC;;;OW)',
    rights.READ_CONTROL | 4,
    granted(rights.READ_CONTROL | 4),
  ],
  ['OWNER RIGHTS give nothing to others', 'S-1-22-1-1001', 'D:(A;;GA;;;OW)', 4, denied],
  ['a denial to OWNER RIGHTS', 'S-1-22-1-1000', 'D:(D;;WD;;;OW)', rights.READ_CONTROL, denied],
  ['a denial to OWNER RIGHTS spares others', 'S-1-22-1-1001', 'D:(D;;GA;;;OW)(A;;LC;;;WD)', 4, granted(4)],
  ['empty OWNER RIGHTS take everything', 'S-1-22-1-1000', 'D:(A;;;;;OW)', MAX, denied],
  ['other entries still count', 'S-1-22-1-1000', 'D:(A;;RC;;;OW)(A;;WD;;;WD)', IMPLICIT, granted(IMPLICIT)],
  ['inherit-only OWNER RIGHTS replace nothing', 'S-1-22-1-1000', 'D:(A;IO;RC;;;OW)', IMPLICIT, granted(IMPLICIT)],
];
for (const [rule, owner, dacl, desired, expected] of owned) {
  test(`${rule}: O:${owner}${dacl}`, () => {
    assert.deepEqual(accessCheck(fromSddl(`O:${owner}${dacl}`, root), alice, desired, sectionMapping), expected);
  });
}

const anyone: [dacl: string, mask: number, expected: boolean][] = [
  ['D:NO_ACCESS_CONTROL', 2, true],
  ['D:NO_ACCESS_CONTROL', 0, false],
  ['D:', 2, false],
  ['D:(A;;GR;;;WD)', 2, false],
  ['D:(A;;GR;;;WD)', 4, true],
  ['D:(A;;GR;;;WD)', 6, true],
  ['D:(A;;GW;;;S-1-22-1-7)', 2, true],
  ['D:(A;;GA;;;SY)', 2, true],
  ['D:(A;;DC;;;OW)', 2, true],
  ['D:(D;;GW;;;WD)(A;;GW;;;WD)', 2, true],
  ['D:(D;;GW;;;WD)', 2, false],
  ['D:(A;OICIIO;GA;;;WD)', 2, false],
  ['D:(A;;GR;;;WD)', rights.GENERIC_WRITE, true], // READ_CONTROL is in both
  ['D:(A;;LC;;;WD)', rights.GENERIC_WRITE, false],
  ['D:(A;;0xffffffff;;;WD)', rights.ACCESS_SYSTEM_SECURITY, false],
];
for (const [dacl, mask, expected] of anyone) {
  test(`${dacl} ${expected ? 'could give' : 'gives nobody'} 0x${mask.toString(16)}`, () => {
    assert.equal(grantsToAnyone(foreign(dacl), mask, sectionMapping), expected);
  });
}

/**
 * The same rules once more, bit by bit on sets of bit numbers, written from [MS-DTYP] 2.5.3.2 and not
 * from the code under test.
 */
function model(descriptor: SecurityDescriptor, token: Token, desired: number): AccessDecision {
  const meaning: Record<number, number[]> = { 31: [0, 2, 17], 30: [1, 17], 29: [3, 17], 28: [0, 1, 2, 3, 4, 16, 17, 18, 19] };
  const bitsOf = (mask: number) => {
    const bits = Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => Math.floor(mask / 2 ** bit) % 2 === 1);
    return new Set(bits.flatMap((bit) => meaning[bit] ?? [bit]));
  };
  const isOwner = token.user === descriptor.owner || [...token.groups].includes(descriptor.owner);
  const entries = descriptor.dacl?.filter((ace) => Math.floor(ace.flags / 8) % 2 === 0) ?? [];
  const concernsUs = (sid: Sid) => (sid === 'S-1-3-4' ? isOwner : sid === token.user || [...token.groups].includes(sid));
  const mayHave = (bit: number) => {
    if (bit > 20) return false;
    if (descriptor.dacl === null) return true;
    if (isOwner && (bit === 17 || bit === 18) && entries.every((ace) => ace.sid !== 'S-1-3-4')) return true;
    return entries.find((ace) => concernsUs(ace.sid) && bitsOf(ace.mask).has(bit))?.type === 'allow';
  };
  const mayTake = (bit: number) => bit === 19 && token !== alice;
  const asked = bitsOf(desired);
  if (asked.has(24) && !token.isKernel) return notHeld;
  const result = new Set([...asked].filter((bit) => bit !== 25));
  if ([...result].some((bit) => bit !== 24 && !mayHave(bit) && !mayTake(bit))) return denied;
  if (asked.has(25)) {
    const everything =
      descriptor.dacl === null ? (meaning[28] ?? []) : Array.from({ length: 21 }, (_, bit) => bit).filter(mayHave);
    for (const bit of everything) result.add(bit);
  }
  if (result.size === 0) return denied;
  return granted([...result].reduce((sum, bit) => sum + 2 ** bit, 0));
}

const pool: Sid[] = ['S-1-1-0', 'S-1-3-4', 'S-1-5-18', 'S-1-5-32-544', 'S-1-22-1-1000', 'S-1-22-1-9', 'S-1-22-2-27', 'S-1-5-11'];
const anyCase = fc.record({
  owner: fc.constantFrom(...pool),
  dacl: fc.option(fc.array(anyAce(fc.constantFrom(...pool)), { maxLength: 6 }), { freq: 12 }),
  token: fc.constantFrom(alice, root, operator, kernel),
  desired: fc.oneof(
    anyMask,
    anyMask.map((mask) => (mask | MAX) >>> 0),
  ),
});
const descriptorOf = ({ owner, dacl }: { owner: Sid; dacl: SecurityDescriptor['dacl'] }): SecurityDescriptor => ({
  ...foreign('D:'),
  owner,
  dacl,
});

test('the check agrees with a naive model on random descriptors, tokens and requests', () => {
  let successes = 0;
  fc.assert(
    fc.property(anyCase, ({ token, desired, ...parts }) => {
      const descriptor = descriptorOf(parts);
      const decision = accessCheck(descriptor, token, desired, sectionMapping);
      assert.deepEqual(decision, model(descriptor, token, desired));
      if (decision.status === STATUS_SUCCESS) successes += 1;
    }),
    { numRuns: 20_000 },
  );
  // A model that is only ever asked for the impossible would agree with anything.
  assert.ok(successes > 2000, `${successes} successes`);
});

test('what is granted covers what was asked for, and a second request for it is granted again', () => {
  fc.assert(
    fc.property(anyCase, ({ token, desired, ...parts }) => {
      const descriptor = descriptorOf(parts);
      const decision = accessCheck(descriptor, token, desired, sectionMapping);
      if (decision.status !== STATUS_SUCCESS) return;
      const named = rights.mapGeneric(desired, sectionMapping) & ~MAX;
      assert.equal(named & ~decision.granted, 0);
      assert.deepEqual(accessCheck(descriptor, token, decision.granted, sectionMapping), decision);
    }),
    { numRuns: 5000 },
  );
});

test('a right that nobody can be given is given to nobody', () => {
  fc.assert(
    fc.property(anyCase, fc.constantFrom(1, 2, 4, 8, 0x10, 0x20, 0x10000, 0x80000), ({ token, ...parts }, right) => {
      const descriptor = descriptorOf(parts);
      if (grantsToAnyone(descriptor, right, sectionMapping)) return;
      if (right === rights.WRITE_OWNER && holdsPrivilege(token, 'SeTakeOwnershipPrivilege')) return;
      assert.deepEqual(accessCheck(descriptor, token, right, sectionMapping), denied);
    }),
    { numRuns: 5000 },
  );
});
