/** SDDL: what is read, what is written, what is refused and how the refusal reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SectionError } from '../../dist/base/error.js';
import type { Ace } from '../../dist/security/acl.js';
import { formatSddl, MAXIMUM_ACES, MAXIMUM_SDDL_LENGTH, parseSddl } from '../../dist/security/sddl.js';
import { sidOfAlias } from '../../dist/security/sid.js';
import { anyDescriptor, sddlNoise } from './arbitraries.js';

const everyoneAll: Ace = { type: 'allow', flags: 0, mask: 0x10000000, sid: 'S-1-1-0' };

test('every part of a descriptor is read', () => {
  assert.deepEqual(parseSddl('O:BAG:SYD:PARAI(A;;GA;;;WD)(D;OICIIO;0x2;;;S-1-22-1-1000)'), {
    owner: 'S-1-5-32-544',
    group: 'S-1-5-18',
    isDaclPresent: true,
    dacl: [everyoneAll, { type: 'deny', flags: 0x0b, mask: 2, sid: 'S-1-22-1-1000' }],
    isProtected: true,
    isAutoInheritRequested: true,
    isAutoInherited: true,
  });
});

test('no D:, NO_ACCESS_CONTROL and an empty D: are three things', () => {
  const readings = ['O:BA', 'D:NO_ACCESS_CONTROL', 'D:', ''].map((text) => parseSddl(text));
  assert.deepEqual(
    readings.map(({ isDaclPresent, dacl }) => [isDaclPresent, dacl]),
    [
      [false, null],
      [true, null],
      [true, []],
      [false, null],
    ],
  );
});

const rightsField: [text: string, mask: number][] = [
  ['', 0],
  ['CC', 0x1],
  ['DC', 0x2],
  ['LC', 0x4],
  ['SW', 0x8],
  ['RP', 0x10],
  ['WP', 0x20],
  ['DT', 0x40],
  ['LO', 0x80],
  ['CR', 0x100],
  ['SD', 0x10000],
  ['RC', 0x20000],
  ['WD', 0x40000],
  ['WO', 0x80000],
  ['GA', 0x10000000],
  ['GX', 0x20000000],
  ['GW', 0x40000000],
  ['GR', 0x80000000],
  ['FA', 0x1f01ff],
  ['FR', 0x120089],
  ['FW', 0x120116],
  ['FX', 0x1200a0],
  ['KA', 0xf003f],
  ['KR', 0x20019],
  ['KW', 0x20006],
  ['KX', 0x20019],
  ['RCGRGX', 0xa0020000],
  ['gRcC', 0x80000001],
  ['LC LC', 0x4],
  ['0', 0],
  ['0x1F', 0x1f],
  ['0XFFFFFFFF', 0xffffffff],
  ['4294967295', 0xffffffff],
  ['16', 16],
  ['020', 16],
  ['037777777777', 0xffffffff],
];
for (const [text, mask] of rightsField) {
  test(`the rights ${JSON.stringify(text)} are 0x${mask.toString(16)}`, () => {
    assert.equal(parseSddl(`D:(A;;${text};;;WD)`).dacl?.[0]?.mask, mask);
  });
}

for (const [alias, sid] of Object.entries(sidOfAlias)) {
  test(`the alias ${alias} is ${sid}`, () => {
    assert.equal(parseSddl(`O:${alias}`).owner, sid);
    assert.equal(parseSddl(`D:(A;;GA;;;${alias.toLowerCase()})`).dacl?.[0]?.sid, sid);
    assert.equal(formatSddl(parseSddl(`G:${sid}`)), `G:${alias}`);
  });
}

/** Texts that Windows takes, with what it makes of them. */
const rewritten: [text: string, canonical: string][] = [
  ['D: (A;;GA;;;WD)', 'D:(A;;GA;;;WD)'],
  ['D: AI(A;;GA;;;WD)', 'D:AI(A;;GA;;;WD)'],
  ['D:P (A;;GA;;;WD) (A;;GX;;;BU)', 'D:P(A;;GA;;;WD)(A;;GX;;;BU)'],
  ['D:(A; ;GA; ; ; WD )', 'D:(A;;GA;;;WD)'],
  ['D:(A;; GA;;; S-1-3-4)', 'D:(A;;GA;;;OW)'],
  ['D:(a;oi;ga;;;wd)', 'D:(A;OI;GA;;;WD)'],
  ['  O:BA G: SY  ', 'O:BAG:SY'],
  ['D:G:WDO:AU', 'O:AUG:WDD:'],
  ['D:AIPAR(A;;GA;;;SY)', 'D:PARAI(A;;GA;;;SY)'],
  ['D:PPP', 'D:P'],
  ['D:(A;IDIONPCIOI;GA;;;WD)', 'D:(A;OICINPIOID;GA;;;WD)'],
  ['D:(A;;GRGXRC;;;BA)', 'D:(A;;RCGXGR;;;BA)'],
  ['D:(A;;0xf001f;;;BA)', 'D:(A;;CCDCLCSWRPSDRCWDWO;;;BA)'],
  ['D:(A;;0x1f01ff;;;BA)', 'D:(A;;FA;;;BA)'],
  ['D:(A;;123456789;;;BA)', 'D:(A;;0x75bcd15;;;BA)'],
  ['D:(A;;;;;BA)', 'D:(A;;;;;BA)'],
  ['O:S-1-0x5-18', 'O:SY'],
  ['O:S-1-5-21-1-2-3-500D:', 'O:S-1-5-21-1-2-3-500D:'],
  ['D:PNO_ACCESS_CONTROL', 'D:PNO_ACCESS_CONTROL'],
  ['D:NO_ACCESS_CONTROLP', 'D:PNO_ACCESS_CONTROL'],
  ['D:NO_ACCESS_CONTROL O:BA', 'O:BAD:NO_ACCESS_CONTROL'],
];
for (const [text, canonical] of rewritten) {
  test(`${JSON.stringify(text)} is ${JSON.stringify(canonical)}`, () => {
    assert.equal(formatSddl(parseSddl(text)), canonical);
    assert.deepEqual(parseSddl(canonical), parseSddl(text));
  });
}

/** Malformed texts, the character that is named, and what the message says of it. */
const malformed: [text: string, character: number, says: RegExp][] = [
  ['x', 1, /found "x"; allowed here: O: \(owner\), G: \(group\), D: \(DACL\), the end/],
  ['Z:(A;;GA;;;SY)', 1, /found "Z:/],
  ['d:(A;;GA;;;SY)', 1, /found "d:/],
  ['D :', 1, /found "D :/],
  ['\tO:BA', 1, /found "\\tO:BA"/],
  ['O:', 3, /found the end of the text; allowed here: a SID/],
  ['O:B', 3, /found "B"/],
  ['O:XX', 3, /found "XX", which is no alias/],
  ['O:DA', 3, /Sectile knows no domain/],
  ['O:la', 3, /Sectile knows no domain/],
  ['O:S', 3, /found "S"/],
  ['O:S-', 5, /the revision of a SID is 1/],
  ['O:S-2-5-18', 5, /the revision of a SID is 1/],
  ['O:S-1-', 7, /the authority of a SID/],
  ['O:S-1-0x1313131313131-513', 7, /the authority of a SID/],
  ['O:S-1-5', 8, /1 to 15 subauthorities/],
  ['O:S-1-5-4294967296', 9, /a subauthority is a decimal number/],
  ['O:S-1-5-18x', 11, /found "x"/],
  ['O:BAO:BA', 5, /found "O:", for the second time; allowed here: G: \(group\), D: \(DACL\)/],
  ['D:D:', 3, /for the second time/],
  ['S:', 1, /a SACL, and Sectile keeps no audit list/],
  ['D:(A;;GA;;;WD)S:(AU;SA;GA;;;WD)', 15, /a SACL/],
  ['D:P:', 4, /found ":"; allowed here: P, AR, AI, NO_ACCESS_CONTROL, an entry/],
  ['D:p', 3, /found "p"/],
  ['D:NO_ACCESS_CONTROL(A;;GA;;;WD)', 20, /means that there is no list/],
  ['D:((A;;GA;;;WD))', 4, /found "\(A/],
  ['D:(', 4, /found the end of the text; allowed here: A \(allow\) or D \(deny\)/],
  ['D:()', 4, /A \(allow\) or D \(deny\)/],
  ['D:(Antlers;;GA;;;SY)', 4, /found "Antlers/],
  ['D:(Ā;;GA;;;SY)', 4, /found "Ā/],
  ['D:(OA;;GA;;;SY)', 4, /found "OA", an entry for parts of directory objects/],
  ['D:(XA;;GA;;;SY;(Member_of{SID(BA)}))', 4, /a conditional entry/],
  ['D:(ML;;NW;;;HI)', 4, /a mandatory label/],
  ['D:(A', 5, /allowed here: ";"/],
  ['D:(A ;;GA;;;SY)', 5, /allowed here: ";"/],
  ['D:(A;XX;GA;;;SY)', 6, /found "XX", which is no flag of an entry; allowed here: OI CI NP IO ID/],
  ['D:(A;OISA;GA;;;SY)', 8, /found "SA", a flag of audit entries/],
  ['D:(A;O;GA;;;SY)', 6, /found "O;GA/],
  ['D:(A;;GQ;;;SY)', 7, /found "GQ", which is no right/],
  ['D:(A;;GAG;;;SY)', 9, /found "G;;;SY\)"; allowed here: rights/],
  ['D:(A;;GA ;;;SY)', 9, /found " ;;;SY\)"/],
  ['D:(A;;GA\tGR;;;SY)', 9, /found "\\tGR/],
  ['D:(A;;GA\nGR;;;SY)', 9, /found "\\nGR/],
  ['D:(A;;RP LCLOR C;;;AU)', 14, /found "R C/],
  ['D:(A;;0x;;;SY)', 7, /found "0x", which is no number/],
  ['D:(A;;0x 1;;;SY)', 7, /which is no number/],
  ['D:(A;;089;;;SY)', 7, /which is no number/],
  ['D:(A;;1e3;;;SY)', 7, /which is no number/],
  ['D:(A;;12 ;;;SY)', 9, /found " ;;;SY\)"/],
  ['D:(A;; 0x100000000;;;SY)', 8, /needs more than 32 bits/],
  ['D:(A;;040000000000;;;SY)', 7, /needs more than 32 bits/],
  ['D:(A;;99999999999999999999999999;;;SY)', 7, /needs more than 32 bits/],
  ['D:(A;;-1;;;SY)', 7, /found "-1/],
  ['D:(A;;GA;bf967aba-0de6-11d0-a285-00aa003049e2;;SY)', 10, /the object GUID belongs to directory objects/],
  ['D:(A;;GA;;x;SY)', 11, /the inherited object GUID/],
  ['D:(A;;GA;;)', 11, /found "\)"/],
  ['D:(A;;GA;;;)', 12, /allowed here: a SID/],
  ['D:(A;;GA;;;SY', 14, /found the end of the text; allowed here: "\)"/],
  ['D:(A;;GA;;;SY;)', 14, /found ";\)"/],
  ['D:(A;;GA;;;S-1-3-4 )', 19, /found " \)"; allowed here: "\)"/],
  ['D:(A;;GA;;;SY)x', 15, /found "x"; allowed here: an entry/],
  ['D:(A;;GA;;;SY)P', 15, /found "P"; allowed here: an entry/],
  ['D:(A;;GA;;;__proto__)', 12, /found "__proto__\)"/],
];
for (const [text, character, says] of malformed) {
  test(`${JSON.stringify(text)} is refused at character ${character}`, () => {
    assert.throws(
      () => parseSddl(text, 'Section.create'),
      (error) => {
        assert.ok(error instanceof SectionError);
        assert.equal(error.code, 'ERR_SECTION_INVALID_SECURITY');
        assert.equal(error.operation, 'Section.create');
        assert.match(error.message, new RegExp(`at character ${character} found `));
        assert.match(error.message, says);
        assert.match(error.message, /allowed here: /);
        return true;
      },
    );
  });
}

test('the limits hold at the limit and not beyond it', () => {
  const entries = (count: number) => `D:${'(A;;GA;;;WD)'.repeat(count)}`;
  assert.equal(parseSddl(entries(MAXIMUM_ACES)).dacl?.length, MAXIMUM_ACES);
  assert.throws(() => parseSddl(entries(MAXIMUM_ACES + 1)), /at character 12291 found .*no more than 1024 entries/);
  assert.equal(parseSddl('O:BA'.padEnd(MAXIMUM_SDDL_LENGTH)).owner, 'S-1-5-32-544');
  assert.throws(() => parseSddl('O:BA'.padEnd(MAXIMUM_SDDL_LENGTH + 1)), /at most 65536 characters/);
});

test('what is no text is refused', () => {
  for (const value of [undefined, null, 7, {}, ['D:']]) {
    assert.throws(() => parseSddl(value as string), { name: 'SectionError', code: 'ERR_SECTION_INVALID_SECURITY' });
  }
});

function readOrRefuse(text: string): void {
  let read: ReturnType<typeof parseSddl>;
  try {
    read = parseSddl(text);
  } catch (error) {
    assert.ok(error instanceof SectionError, String(error));
    assert.equal(error.code, 'ERR_SECTION_INVALID_SECURITY');
    return;
  }
  assert.deepEqual(parseSddl(formatSddl(read)), read);
}

test('any text is read, and then survives writing, or is refused with a SectionError', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), readOrRefuse), { numRuns: 2000 });
  fc.assert(fc.property(sddlNoise, readOrRefuse), { numRuns: 5000 });
});

test('any descriptor survives writing and reading, also with one character lost, doubled or changed', () => {
  fc.assert(
    fc.property(
      anyDescriptor,
      fc.nat(),
      fc.constantFrom('', ' ', ';', '(', ')', '\0', 'S:', '0x'),
      (descriptor, seed, insert) => {
        const text = formatSddl(descriptor);
        assert.deepEqual(parseSddl(text), descriptor);
        const at = text.length === 0 ? 0 : seed % text.length;
        readOrRefuse(text.slice(0, at) + insert + text.slice(at + 1));
        readOrRefuse(text.slice(0, at) + insert + text.slice(at));
      },
    ),
    { numRuns: 2000 },
  );
});
