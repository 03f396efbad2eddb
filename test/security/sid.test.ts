/** SIDs: text form, limits, aliases, Unix ids. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SectionError } from '../../dist/base/error.js';
import {
  aliasOf,
  formatSid,
  groupOfSid,
  isSid,
  parseSid,
  type Sid,
  sidOfAlias,
  sidOfGroup,
  sidOfUser,
  sidParts,
  userOfSid,
  WellKnownSid,
} from '../../dist/security/sid.js';
import { anySid } from './arbitraries.js';

const invalid = (pattern: RegExp) => (error: unknown) =>
  error instanceof SectionError && error.code === 'ERR_SECTION_INVALID_SECURITY' && pattern.test(error.message);

const canonical: [text: string, sid: string][] = [
  ['S-1-5-18', 'S-1-5-18'],
  ['s-1-5-18', 'S-1-5-18'],
  ['S-1-0x5-18', 'S-1-5-18'],
  ['S-1-0X000000000005-18', 'S-1-5-18'],
  ['S-1-0-0', 'S-1-0-0'],
  ['S-1-4294967295-1', 'S-1-4294967295-1'],
  ['S-1-4294967296-1', 'S-1-0x000100000000-1'],
  ['S-1-0xFFFFFFFFFFFF-4294967295', 'S-1-0xffffffffffff-4294967295'],
  ['S-1-281474976710655-1', 'S-1-0xffffffffffff-1'],
  [`S-1-5${'-7'.repeat(15)}`, `S-1-5${'-7'.repeat(15)}`],
];
for (const [text, sid] of canonical) {
  test(`the SID ${text} is ${sid}`, () => {
    assert.equal(parseSid(text), sid);
    assert.equal(isSid(text), text === sid);
  });
}

const broken: [text: string, reason: RegExp][] = [
  ['', /begins with S-1-.*character 1\)/],
  ['BA', /begins with S-1-/],
  ['X-1-5-18', /begins with S-1-/],
  ['S', /revision.*character 2\)/],
  ['S-2-5-18', /revision.*character 3\)/],
  ['S-0x1-5-18', /revision/],
  ['S-1', /authority.*character 4\)/],
  ['S-1-', /authority.*character 5\)/],
  ['S-1--18', /authority/],
  ['S-1-0x-18', /authority/],
  ['S-1-0x1000000000000-18', /authority/],
  ['S-1-281474976710656-18', /authority/],
  ['S-1-05-18', /authority/],
  ['S-1-5', /1 to 15 subauthorities, this one has 0.*character 6\)/],
  [`S-1-5${'-7'.repeat(16)}`, /this one has 16/],
  ['S-1-5-', /subauthority.*character 7\)/],
  ['S-1-5-18-', /subauthority.*character 10\)/],
  ['S-1-5-4294967296', /subauthority/],
  ['S-1-5-0x12', /subauthority/],
  ['S-1-5-018', /subauthority/],
  ['S-1-5- 18', /subauthority/],
  ['S-1-5-18 ', /subauthority/],
  ['S-1-5-1e3', /subauthority/],
  ['S-1-5-18\n', /subauthority/],
];
for (const [text, reason] of broken) {
  test(`${JSON.stringify(text)} is no SID`, () => {
    assert.throws(() => parseSid(text), invalid(reason));
    assert.equal(isSid(text), false);
  });
}

test('what is no string is no SID', () => {
  for (const value of [undefined, null, 18, {}, ['S-1-5-18']]) {
    assert.throws(() => parseSid(value as string), invalid(/a SID is a string/));
    assert.equal(isSid(value), false);
  }
});

test('parts outside the limits do not become a SID', () => {
  for (const parts of [
    { authority: 2 ** 48, subAuthorities: [1] },
    { authority: -1, subAuthorities: [1] },
    { authority: Number.NaN, subAuthorities: [1] },
    { authority: 5, subAuthorities: [] },
    { authority: 5, subAuthorities: [2 ** 32] },
    { authority: 5, subAuthorities: [1.5] },
  ]) {
    assert.throws(() => formatSid(parts), invalid(/authority|subauthorit/));
  }
});

test('any SID survives being taken apart and put together', () => {
  fc.assert(
    fc.property(anySid, (sid) => {
      assert.equal(parseSid(sid), sid);
      assert.equal(formatSid(sidParts(sid)), sid);
      assert.ok(isSid(sid));
    }),
  );
});

test('every alias stands for one canonical SID, and no two for the same', () => {
  const sids = Object.values(sidOfAlias);
  assert.equal(new Set(sids).size, sids.length);
  for (const [alias, sid] of Object.entries(sidOfAlias)) {
    assert.ok(isSid(sid), sid);
    assert.equal(aliasOf(sid), alias);
  }
  assert.equal(aliasOf('S-1-22-1-1000'), undefined);
});

test('the well-known SIDs have the values of [MS-DTYP] 2.4.2.4', () => {
  assert.deepEqual(WellKnownSid, {
    everyone: 'S-1-1-0',
    creatorOwner: 'S-1-3-0',
    creatorGroup: 'S-1-3-1',
    ownerRights: 'S-1-3-4',
    network: 'S-1-5-2',
    interactive: 'S-1-5-4',
    anonymous: 'S-1-5-7',
    authenticatedUsers: 'S-1-5-11',
    localSystem: 'S-1-5-18',
    localService: 'S-1-5-19',
    networkService: 'S-1-5-20',
    administrators: 'S-1-5-32-544',
    users: 'S-1-5-32-545',
    guests: 'S-1-5-32-546',
  });
});

test('Unix users and groups map both ways and never onto each other', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 2 }), (id) => {
      assert.equal(sidOfUser(id), `S-1-22-1-${id}`);
      assert.equal(sidOfGroup(id), `S-1-22-2-${id}`);
      assert.equal(userOfSid(sidOfUser(id)), id);
      assert.equal(groupOfSid(sidOfGroup(id)), id);
      assert.equal(userOfSid(sidOfGroup(id)), undefined);
      assert.equal(groupOfSid(sidOfUser(id)), undefined);
    }),
  );
  for (const sid of ['S-1-5-18', 'S-1-22-1-7-7', 'S-1-22-1-4294967295', 'S-1-22-11-7', 'S-1-22-3-7'] satisfies Sid[]) {
    assert.equal(userOfSid(sid), undefined, sid);
  }
});

test('what is no Unix id has no SID', () => {
  for (const id of [-1, 1.5, 2 ** 32 - 1, Number.NaN, '0' as unknown as number]) {
    for (const map of [sidOfUser, sidOfGroup]) {
      assert.throws(() => map(id), { name: 'SectionError', code: 'ERR_SECTION_INVALID_ARGUMENT' });
    }
  }
});
