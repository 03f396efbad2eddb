/** Privileges: who holds which, and what the refusal says. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { statusName } from '../../dist/base/status.js';
import { holdsPrivilege, type Privilege, privilegeNotHeld } from '../../dist/security/privileges.js';
import { kernelToken, type Token, tokenForPeer, tokenOfThisProcess } from '../../dist/security/token.js';

const user = { uid: 1000, gid: 100, groups: [27] };
const alice = tokenForPeer(user);
const root = tokenForPeer({ uid: 0, gid: 0, groups: [] });
const operator = tokenForPeer(user, { administratorUids: [1000] });
const told = tokenForPeer(user, { globalUids: [7, 1000] });
const notTold = tokenForPeer(user, { globalUids: [7, 27, 100] });
const all = tokenForPeer(user, { globalUids: 'all' });
const capable = tokenForPeer(user, { hasIpcLock: () => true });
const kernel = kernelToken();

const everybody: readonly [string, Token][] = Object.entries({ alice, root, operator, told, notTold, all, capable, kernel });

for (const [privilege, holders] of [
  ['SeCreateGlobalPrivilege', ['root', 'operator', 'told', 'all', 'kernel']],
  ['SeCreatePermanentPrivilege', ['root', 'operator', 'kernel']],
  ['SeSecurityPrivilege', ['kernel']],
  ['SeTakeOwnershipPrivilege', ['root', 'operator', 'kernel']],
  ['SeLockMemoryPrivilege', ['root', 'capable', 'kernel']],
] as const) {
  test(`${privilege} is held by ${holders.join(', ')}`, () => {
    const found = everybody.filter(([, token]) => holdsPrivilege(token, privilege)).map(([name]) => name);
    assert.deepEqual(found, holders);
  });
}

test("the members of the host's group may have large pages", () => {
  const group = Number(readFileSync('/proc/sys/vm/hugetlb_shm_group', 'utf8'));
  for (const credentials of [
    { uid: 1000, gid: group, groups: [] },
    { uid: 1000, gid: 100, groups: [27, group] },
  ])
    assert.ok(holdsPrivilege(tokenForPeer(credentials), 'SeLockMemoryPrivilege'));
});

test('this process has the capabilities that it has', () => {
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`);
  const group = Number(readFileSync('/proc/sys/vm/hugetlb_shm_group', 'utf8'));
  const isMember = [process.getegid?.(), ...(process.getgroups?.() ?? [])].includes(group);
  assert.equal(holdsPrivilege(tokenOfThisProcess(), 'SeLockMemoryPrivilege'), ((effective >> 14n) & 1n) === 1n || isMember);
});

for (const [privilege, status] of [
  ['SeCreateGlobalPrivilege', 'STATUS_ACCESS_DENIED'],
  ['SeCreatePermanentPrivilege', 'STATUS_PRIVILEGE_NOT_HELD'],
  ['SeLockMemoryPrivilege', 'STATUS_PRIVILEGE_NOT_HELD'],
  ['SeSecurityPrivilege', 'STATUS_PRIVILEGE_NOT_HELD'],
  ['SeTakeOwnershipPrivilege', 'STATUS_PRIVILEGE_NOT_HELD'],
] as const satisfies readonly (readonly [Privilege, string])[]) {
  test(`the refusal for want of ${privilege} names it, who lacks it and the way out`, () => {
    const error = privilegeNotHeld('do something', privilege, alice, '"Global\\x"');
    assert.deepEqual([error.code, statusName(error.status)], ['ERR_SECTION_ACCESS_DENIED', status]);
    assert.ok(error.message.startsWith('do something "Global\\x": '));
    assert.ok(error.message.includes(privilege) && error.message.includes('user 1000'));
    assert.ok(error.wayOut !== undefined);
  });
}
