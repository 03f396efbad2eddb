/** Tokens, and the descriptors that new objects get from them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSddl } from '../../dist/security/sddl.js';
import { changeDescriptor, defaultDescriptor, fromSddl } from '../../dist/security/security-descriptor.js';
import { kernelToken, tokenForPeer, tokenHolds, tokenOfThisProcess } from '../../dist/security/token.js';

const peer = { uid: 1000, gid: 100, groups: [100, 27] };
const everybodysGroups = ['S-1-1-0', 'S-1-5-11', 'S-1-5-32-545'];

test("a peer's token holds its user, its groups and everybody's groups, and nothing else", () => {
  const token = tokenForPeer(peer);
  assert.equal(token.user, 'S-1-22-1-1000');
  assert.equal(token.primaryGroup, 'S-1-22-2-100');
  assert.deepEqual([...token.groups].sort(), [...everybodysGroups, 'S-1-22-2-100', 'S-1-22-2-27'].sort());
  assert.equal(token.isKernel, false);
  assert.equal(token.describe(), 'user 1000 (S-1-22-1-1000)');
  assert.ok(tokenHolds(token, 'S-1-22-1-1000'));
  assert.ok(tokenHolds(token, 'S-1-22-2-27'));
  // User 27 and group 27 are different principals.
  assert.ok(!tokenHolds(token, 'S-1-22-1-27'));
  assert.ok(!tokenHolds(token, 'S-1-5-18'));
});

test('root is in LocalSystem and Administrators, but is not the kernel', () => {
  const token = tokenForPeer({ uid: 0, gid: 0, groups: [] });
  assert.equal(token.user, 'S-1-22-1-0');
  assert.deepEqual([...token.groups].sort(), [...everybodysGroups, 'S-1-22-2-0', 'S-1-5-18', 'S-1-5-32-544'].sort());
  assert.equal(token.isKernel, false);
});

test('a named administrator is in Administrators, not in LocalSystem; others are not', () => {
  const roles = { administratorUids: [1000] };
  const token = tokenForPeer(peer, roles);
  assert.ok(token.groups.has('S-1-5-32-544'));
  assert.ok(!token.groups.has('S-1-5-18'));
  assert.match(token.describe(), /administrator/);
  assert.ok(!tokenForPeer({ ...peer, uid: 1001 }, roles).groups.has('S-1-5-32-544'));
});

test('ids that are nobody make no token', () => {
  for (const bad of [{ uid: -1 }, { uid: 2 ** 32 - 1 }, { gid: Number.NaN }, { groups: [0.5] }]) {
    assert.throws(() => tokenForPeer({ ...peer, ...bad }), { code: 'ERR_SECTION_INVALID_ARGUMENT' });
  }
});

test('the kernel is LocalSystem', () => {
  const token = kernelToken();
  assert.equal(token.user, 'S-1-5-18');
  assert.equal(token.primaryGroup, 'S-1-5-18');
  assert.deepEqual([...token.groups].sort(), [...everybodysGroups, 'S-1-5-32-544'].sort());
  assert.equal(token.isKernel, true);
  assert.match(token.describe(), /kernel/);
});

test('this process has the token that its effective ids give it', { skip: process.geteuid === undefined }, () => {
  const token = tokenOfThisProcess();
  assert.equal(token.user, `S-1-22-1-${process.geteuid?.()}`);
  assert.equal(token.primaryGroup, `S-1-22-2-${process.getegid?.()}`);
  for (const gid of process.getgroups?.() ?? []) assert.ok(token.groups.has(`S-1-22-2-${gid}`));
  assert.equal(token.isKernel, false);
});

test('the default descriptors are those of a user and of LocalSystem', () => {
  assert.equal(
    formatSddl(defaultDescriptor(tokenForPeer(peer))),
    'O:S-1-22-1-1000G:S-1-22-2-100D:(A;;GA;;;S-1-22-1-1000)(A;;GA;;;SY)',
  );
  assert.equal(formatSddl(defaultDescriptor(kernelToken())), 'O:SYG:SYD:(A;;GA;;;SY)(A;;RCGXGR;;;BA)');
});

const token = tokenForPeer(peer);
const assigned: [asked: string, given: string][] = [
  ['', 'O:S-1-22-1-1000G:S-1-22-2-100D:(A;;GA;;;S-1-22-1-1000)(A;;GA;;;SY)'],
  ['O:BA', 'O:BAG:S-1-22-2-100D:(A;;GA;;;S-1-22-1-1000)(A;;GA;;;SY)'],
  ['G:BU', 'O:S-1-22-1-1000G:BUD:(A;;GA;;;S-1-22-1-1000)(A;;GA;;;SY)'],
  ['D:', 'O:S-1-22-1-1000G:S-1-22-2-100D:'],
  ['D:NO_ACCESS_CONTROL', 'O:S-1-22-1-1000G:S-1-22-2-100D:NO_ACCESS_CONTROL'],
  ['O:COG:CGD:(A;;GA;;;CO)(A;;GR;;;CG)', 'O:S-1-22-1-1000G:S-1-22-2-100D:(A;;GA;;;S-1-22-1-1000)(A;;GR;;;S-1-22-2-100)'],
  ['O:BAG:SYD:P(A;;GA;;;CO)(D;;GW;;;CG)', 'O:BAG:SYD:P(A;;GA;;;BA)(D;;GW;;;SY)'],
  ['O:BAG:SYD:(A;OICIIO;GA;;;CO)(A;OICI;GA;;;CO)', 'O:BAG:SYD:(A;OICIIO;GA;;;CO)(A;OICI;GA;;;BA)'],
  ['O:BAG:SYD:(A;;GA;;;OW)', 'O:BAG:SYD:(A;;GA;;;OW)'],
];
for (const [asked, given] of assigned) {
  test(`a new object asked for as ${JSON.stringify(asked)} gets ${given}`, () =>
    assert.equal(formatSddl(fromSddl(asked, token)), given));
}

test('a broken text is refused under the name of the call', () => {
  assert.throws(() => fromSddl('D:(', token, 'Section.create'), {
    code: 'ERR_SECTION_INVALID_SECURITY',
    operation: 'Section.create',
    message: /^Section\.create security "D:\(": at character 4 /,
  });
});

const before = fromSddl('O:S-1-22-1-1000G:S-1-22-2-100D:P(A;;GA;;;WD)', tokenForPeer(peer));
const WRITE_DAC = 0x4_0000;
const WRITE_OWNER = 0x8_0000;
for (const [change, after, needs] of [
  ['', 'O:S-1-22-1-1000G:S-1-22-2-100D:P(A;;GA;;;WD)', 0],
  ['D:', 'O:S-1-22-1-1000G:S-1-22-2-100D:', WRITE_DAC],
  ['D:AI(A;;GR;;;CO)(A;IO;GR;;;CG)', 'O:S-1-22-1-1000G:S-1-22-2-100D:AI(A;;GR;;;S-1-22-1-1000)(A;IO;GR;;;CG)', WRITE_DAC],
  ['D:NO_ACCESS_CONTROL', 'O:S-1-22-1-1000G:S-1-22-2-100D:NO_ACCESS_CONTROL', WRITE_DAC],
  ['G:S-1-22-2-9', 'O:S-1-22-1-1000G:S-1-22-2-9D:P(A;;GA;;;WD)', WRITE_OWNER],
  ['O:S-1-22-1-1000', 'O:S-1-22-1-1000G:S-1-22-2-100D:P(A;;GA;;;WD)', WRITE_OWNER],
  ['O:COG:CGD:(A;;GR;;;CG)', 'O:S-1-22-1-1000G:S-1-22-2-100D:(A;;GR;;;S-1-22-2-100)', WRITE_DAC | WRITE_OWNER],
] as const) {
  test(`changed by ${JSON.stringify(change)}, a descriptor becomes ${after}`, () => {
    const { descriptor, needs: needed } = changeDescriptor('test', before, change, tokenForPeer(peer));
    assert.deepEqual([formatSddl(descriptor), needed], [after, needs]);
  });
}

test('an owner is named by itself, by an administrator or by the kernel', () => {
  const stranger = tokenForPeer({ uid: 5, gid: 5, groups: [] });
  for (const token of [tokenForPeer({ uid: 7, gid: 7, groups: [] }), tokenForPeer({ uid: 0, gid: 0, groups: [] }), kernelToken()])
    assert.equal(changeDescriptor('test', before, 'O:S-1-22-1-7', token).descriptor.owner, 'S-1-22-1-7');
  assert.throws(() => changeDescriptor('test', before, 'O:S-1-22-1-7', stranger), {
    code: 'ERR_SECTION_INVALID_SECURITY',
    status: 0xc000_005a,
  });
  // Whose it is already, it may stay.
  assert.equal(changeDescriptor('test', before, 'O:S-1-22-1-1000', stranger).descriptor.owner, 'S-1-22-1-1000');
});
