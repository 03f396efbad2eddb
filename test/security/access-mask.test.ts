/** Access masks: values, and what the generic rights mean for a section. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as masks from '../../dist/security/access-mask.js';
import { sectionMapping } from '../../dist/security/object-types.js';
import { anyUint32 } from './arbitraries.js';

const { mapGeneric } = masks;

test('the constants have the values of winnt.h, as unsigned numbers', () => {
  const numbers = Object.entries(masks).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  assert.deepEqual(Object.fromEntries(numbers), {
    SECTION_QUERY: 0x1,
    SECTION_MAP_WRITE: 0x2,
    SECTION_MAP_READ: 0x4,
    SECTION_MAP_EXECUTE: 0x8,
    SECTION_EXTEND_SIZE: 0x10,
    SECTION_MAP_EXECUTE_EXPLICIT: 0x20,
    SECTION_ALL_ACCESS: 0xf001f,
    EVENT_QUERY_STATE: 0x1,
    EVENT_MODIFY_STATE: 0x2,
    EVENT_ALL_ACCESS: 0x1f0003,
    MUTANT_QUERY_STATE: 0x1,
    MUTANT_ALL_ACCESS: 0x1f0001,
    SEMAPHORE_QUERY_STATE: 0x1,
    SEMAPHORE_MODIFY_STATE: 0x2,
    SEMAPHORE_ALL_ACCESS: 0x1f0003,
    DIRECTORY_QUERY: 0x1,
    DIRECTORY_TRAVERSE: 0x2,
    DIRECTORY_CREATE_OBJECT: 0x4,
    DIRECTORY_CREATE_SUBDIRECTORY: 0x8,
    DIRECTORY_ALL_ACCESS: 0xf000f,
    SYMBOLIC_LINK_QUERY: 0x1,
    SYMBOLIC_LINK_ALL_ACCESS: 0xf0001,
    DELETE: 0x10000,
    READ_CONTROL: 0x20000,
    WRITE_DAC: 0x40000,
    WRITE_OWNER: 0x80000,
    SYNCHRONIZE: 0x100000,
    STANDARD_RIGHTS_REQUIRED: 0xf0000,
    STANDARD_RIGHTS_READ: 0x20000,
    STANDARD_RIGHTS_WRITE: 0x20000,
    STANDARD_RIGHTS_EXECUTE: 0x20000,
    STANDARD_RIGHTS_ALL: 0x1f0000,
    SPECIFIC_RIGHTS_ALL: 0xffff,
    ACCESS_SYSTEM_SECURITY: 0x1000000,
    MAXIMUM_ALLOWED: 0x2000000,
    GENERIC_ALL: 0x10000000,
    GENERIC_EXECUTE: 0x20000000,
    GENERIC_WRITE: 0x40000000,
    GENERIC_READ: 0x80000000,
    GRANTABLE_RIGHTS: 0x1fffff,
  });
});

const mappings: [name: string, mask: number, mapped: number][] = [
  ['GENERIC_READ', 0x80000000, 0x20005],
  ['GENERIC_WRITE', 0x40000000, 0x20002],
  ['GENERIC_EXECUTE', 0x20000000, 0x20008],
  ['GENERIC_ALL', 0x10000000, 0xf001f],
  ['GENERIC_READ | GENERIC_WRITE', 0xc0000000, 0x20007],
  ['nothing', 0, 0],
  ['specific rights', 0x25, 0x25],
  ['MAXIMUM_ALLOWED', 0x2000000, 0x2000000],
  ['everything', 0xffffffff, 0x0fffffff],
  ['a signed mask', -0x80000000, 0x20005],
];
for (const [name, mask, mapped] of mappings) {
  test(`${name} of a section maps to 0x${mapped.toString(16)}`, () => assert.equal(mapGeneric(mask, sectionMapping), mapped));
}

test('mapping leaves no generic bit, keeps every other one, and mapping again changes nothing', () => {
  fc.assert(
    fc.property(anyUint32, (mask) => {
      const mapped = mapGeneric(mask, sectionMapping);
      assert.equal(mapped >>> 28, 0);
      assert.equal((mapped & mask & 0x0fffffff) >>> 0, (mask & 0x0fffffff) >>> 0);
      assert.equal(mapGeneric(mapped, sectionMapping), mapped);
    }),
  );
});
