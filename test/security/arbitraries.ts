/**
 * Random SIDs, entries, descriptors and SDDL-like texts for the property tests of security/.
 * Generators only: what must hold for them is said in the tests.
 */
import fc from 'fast-check';
import type { Ace } from '../../dist/security/acl.js';
import type { SddlDescriptor } from '../../dist/security/sddl.js';
import { formatSid, type Sid, sidOfAlias } from '../../dist/security/sid.js';

/** deepEqual tells an object without a prototype from one with. */
const plainObjects = { noNullPrototype: true } as const;

export const anyUint32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
);

export const anySid: fc.Arbitrary<Sid> = fc.oneof(
  fc.constantFrom<Sid>(...Object.values(sidOfAlias)),
  fc
    .record({
      authority: fc.oneof(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 2 ** 48 - 1 })),
      subAuthorities: fc.array(anyUint32, { minLength: 1, maxLength: 15 }),
    })
    .map(formatSid),
);

/** Masks made of few bits, so that requests and entries often meet, and of any bits. */
export const anyMask = fc.oneof(
  fc
    .array(fc.integer({ min: 0, max: 31 }), { maxLength: 4 })
    .map((bits) => bits.reduce((mask, bit) => (mask | (1 << bit)) >>> 0, 0)),
  fc.subarray([1, 2, 4, 8, 16, 32, 0x10000, 0x20000, 0x40000, 0x80000]).map((bits) => bits.reduce((mask, bit) => mask | bit, 0)),
  fc.constantFrom(0x10000000, 0x20000000, 0x40000000, 0x80000000, 0x000f001f, 0x001f01ff, 0x02000000),
  anyUint32,
);

export function anyAce(sid: fc.Arbitrary<Sid>): fc.Arbitrary<Ace> {
  const parts = { type: fc.constantFrom('allow', 'deny'), flags: fc.constantFrom(0, 0, 0, 2, 8, 0x0b, 0x1f), mask: anyMask, sid };
  return fc.record(parts, plainObjects);
}

export const anyDescriptor: fc.Arbitrary<SddlDescriptor> = fc
  .record(
    {
      owner: fc.option(anySid),
      group: fc.option(anySid),
      isDaclPresent: fc.boolean(),
      dacl: fc.option(fc.array(anyAce(anySid), { maxLength: 12 })),
      isProtected: fc.boolean(),
      isAutoInheritRequested: fc.boolean(),
      isAutoInherited: fc.boolean(),
    },
    plainObjects,
  )
  // A text without D: has nothing to hang a list or its flags on.
  .map((all) =>
    all.isDaclPresent ? all : { ...all, dacl: null, isProtected: false, isAutoInheritRequested: false, isAutoInherited: false },
  );

const pieces = [
  ...['O:', 'G:', 'D:', 'S:', 'P', 'AI', 'AR', 'NO_ACCESS_CONTROL', '(', ')', ';', ';;', ';;;', ' ', '\t', 'A', 'D', 'OA', 'XA'],
  ...['OICI', 'IO', 'SA', 'GA', 'GRGX', 'FA', 'KA', '0x1f', '017', '99999999999', '0x', 'WD', 'BA', 'SY', 'LG', 'co', 'S-1-5-18'],
  ...['S-1-', 'S-1-0xD', 'S-', '-', '(A;;GA;;;WD)', '(D;IO;0x2;;;S-1-22-1-7)', '\0', '😀', '__proto__', 'constructor'],
];

/** Texts that look like SDDL, most of them broken. */
export const sddlNoise: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...pieces), { maxLength: 24 })
  .map((parts) => parts.join(''));
