/**
 * SDDL, the text form of a security descriptor: reading it and writing it. What is missing in a text
 * stays missing here; filling it in for a new object is security-descriptor.ts.
 *
 * Accepted: `O:sid G:sid D:flags(type;flags;rights;;;sid)…` in any order, each once. Component letters
 * and DACL flags are capitals; codes inside an entry and SID aliases may be in either case. Spaces (no
 * tabs, no line ends) may stand in front of any token and behind an alias, not behind rights or
 * a numeric SID: the places where Windows takes them.
 *
 * Stricter than Windows, where Windows would silently change what was written: a number of rights above
 * 32 bits or below zero, a SID number that overflows, a component given twice.
 *
 * Source: [MS-DTYP] 2.5.1.1; Microsoft's pages "Security Descriptor String Format", "ACE Strings" and
 * "SID Strings"; white space as the results of Samba's `windows-sddl-tests` on Windows show it.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { AccessMask } from './access-mask.js';
import type { Ace, DescriptorContent } from './acl.js';
import { aceFlags, aceTypes, bitRights, fileRights, refusedAceFlags, refusedAceTypes, rights } from './sddl-codes.js';
import { aliasOf, domainAliases, readSid, type Sid, type SidAlias, sidOfAlias } from './sid.js';

/** The longest text that is read. */
export const MAXIMUM_SDDL_LENGTH = 65_536;
/** The most entries of one DACL. */
export const MAXIMUM_ACES = 1024;

/** A descriptor as its text has it. */
export interface SddlDescriptor extends DescriptorContent {
  /** Whether the text has a `D:` at all. Without one `dacl` is null. */
  readonly isDaclPresent: boolean;
}

const NO_ACCESS_CONTROL = 'NO_ACCESS_CONTROL';
const codesOf = (table: ReadonlyMap<string, unknown>): string => [...table.keys()].join(' ');
const components: ReadonlyMap<string, string> = new Map([
  ['O:', 'owner'],
  ['G:', 'group'],
  ['D:', 'DACL'],
]);
const component = /[OGDS]:/y;
const daclFlag = /NO_ACCESS_CONTROL|AR|AI|P/y;
const noCodes: ReadonlyMap<string, string> = new Map();
const sidWanted = 'a SID (S-1-…) or an alias such as WD, BA, SY';

/** A place in the text, and the one way to complain about it. */
class Reader {
  readonly text: string;
  readonly operation: string;
  position = 0;

  constructor(text: string, operation: string) {
    this.text = text;
    this.operation = operation;
  }

  get atEnd(): boolean {
    return this.position >= this.text.length;
  }

  skipSpaces(): void {
    while (this.text[this.position] === ' ') this.position += 1;
  }

  /** Whether a sticky expression matches here. */
  sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.position;
    return pattern.test(this.text);
  }

  /** What a sticky expression matches here; the reader moves behind it. */
  match(pattern: RegExp): string | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0] ?? null;
    if (found !== null) this.position += found.length;
    return found;
  }

  /** Moves behind one punctuation mark, or says what else might have stood here. */
  expect(mark: string, orElse?: string): void {
    if (this.text[this.position] !== mark) this.refuse(orElse === undefined ? show(mark) : `${orElse}, or ${show(mark)}`);
    this.position += mark.length;
  }

  /** Throws: at which character, what was found and why it is not taken, what is allowed. */
  refuse(allowed: string, { at = this.position, found, because }: { at?: number; found?: string; because?: string } = {}): never {
    const rest = this.text.slice(at, at + 20);
    const shown = found ?? (rest === '' ? null : rest);
    throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
      operation: this.operation,
      object: `security ${show(this.text)}`,
      rule:
        `at character ${at + 1} found ${shown === null ? 'the end of the text' : show(shown)}` +
        `${because === undefined ? '' : `, ${because}`}; allowed here: ${allowed}`,
    });
  }
}

/** `S-1-5-32-544`, `BA`. Says which of the two it was: Windows takes a space behind an alias only. */
function readTrustee(reader: Reader): { sid: Sid; isAlias: boolean } {
  reader.skipSpaces();
  const at = reader.position;
  // Wider than a SID on purpose: a broken one is refused at its broken part.
  const numeric = reader.match(/[sS](?:-(?:0[xX][0-9a-fA-F]*|[0-9]*))+/y);
  if (numeric !== null) {
    const sid = readSid(numeric);
    if (typeof sid === 'string') return { sid, isAlias: false };
    reader.refuse(sidWanted, { at: at + sid.at, because: `but ${sid.rule}` });
  }
  const alias = reader.match(/[A-Za-z]{2}/y);
  if (alias === null) reader.refuse(sidWanted);
  const code = alias.toUpperCase();
  if (Object.hasOwn(sidOfAlias, code)) return { sid: sidOfAlias[code as SidAlias], isAlias: true };
  reader.refuse(sidWanted, {
    at,
    found: alias,
    because: domainAliases.has(code)
      ? 'an account of a Windows machine or domain, and Sectile knows no domain'
      : 'which is no alias of a SID',
  });
}

/** A run of two-letter codes, each with an optional space in front, as the sum of their bits. */
function readCodes(
  reader: Reader,
  codes: ReadonlyMap<string, number>,
  refused: ReadonlyMap<string, string>,
  name: string,
): number {
  let bits = 0;
  for (;;) {
    const written = reader.match(/ *[A-Za-z]{2}/y);
    if (written === null) return bits >>> 0;
    const found = written.trimStart();
    const bit = codes.get(found.toUpperCase());
    if (bit === undefined) {
      const because = refused.get(found.toUpperCase()) ?? `which is no ${name}`;
      reader.refuse(codesOf(codes), { at: reader.position - found.length, found, because });
    }
    bits |= bit;
  }
}

function readAceType(reader: Reader): Ace['type'] {
  reader.skipSpaces();
  const at = reader.position;
  const found = reader.match(/[A-Za-z]*/y) ?? '';
  const type = aceTypes.get(found.toUpperCase());
  if (type !== undefined) return type;
  const because = refusedAceTypes.get(found.toUpperCase());
  return reader.refuse('A (allow) or D (deny)', { at, ...(because === undefined ? {} : { found, because }) });
}

/** A number as C writes it, or codes. */
function readRights(reader: Reader): AccessMask {
  const written = reader.match(/ *[0-9][0-9A-Za-z]*/y);
  if (written === null) return readCodes(reader, rights, noCodes, 'right');
  const found = written.trimStart();
  const isOctal = /^0[0-7]+$/.test(found);
  const isNumber = isOctal || /^(?:0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)$/.test(found);
  const value = Number(isOctal ? `0o${found.slice(1)}` : found);
  if (isNumber && value <= 0xffff_ffff) return value;
  return reader.refuse('a hex (0x…), decimal or octal (0…) number of at most 32 bits', {
    at: reader.position - found.length,
    found,
    because: isNumber ? 'which needs more than 32 bits' : 'which is no number',
  });
}

/** `(type;flags;rights;;;sid)` */
function readAce(reader: Reader): Ace {
  reader.expect('(');
  const type = readAceType(reader);
  reader.expect(';');
  const flags = readCodes(reader, aceFlags, refusedAceFlags, 'flag of an entry');
  reader.skipSpaces();
  reader.expect(';', `one of ${codesOf(aceFlags)}`);
  const mask = readRights(reader);
  reader.expect(';', `rights: one of ${codesOf(rights)}, or a number`);
  for (const field of ['object GUID', 'inherited object GUID']) {
    reader.skipSpaces();
    reader.expect(';', `nothing, because the ${field} belongs to directory objects`);
  }
  const { sid, isAlias } = readTrustee(reader);
  if (isAlias) reader.skipSpaces();
  reader.expect(')');
  return { type, flags, mask, sid };
}

type DaclPart = Omit<SddlDescriptor, 'owner' | 'group'>;

const noDacl: DaclPart = {
  isDaclPresent: false,
  dacl: null,
  isProtected: false,
  isAutoInheritRequested: false,
  isAutoInherited: false,
};

/** What follows `D:`. */
function readDacl(reader: Reader): DaclPart {
  const flags = new Set<string>();
  reader.skipSpaces();
  for (let flag = reader.match(daclFlag); flag !== null; flag = reader.match(daclFlag)) {
    flags.add(flag);
    reader.skipSpaces();
  }
  const isNull = flags.delete(NO_ACCESS_CONTROL);
  const aces: Ace[] = [];
  for (; reader.text[reader.position] === '('; reader.skipSpaces()) {
    if (isNull) reader.refuse('no entry', { because: `but ${NO_ACCESS_CONTROL} means that there is no list` });
    if (aces.length === MAXIMUM_ACES) reader.refuse(`no more than ${MAXIMUM_ACES} entries`);
    aces.push(readAce(reader));
  }
  if (!reader.atEnd && !reader.sees(component)) {
    const flagsWanted = aces.length > 0 ? '' : `P, AR, AI, ${NO_ACCESS_CONTROL}, `;
    reader.refuse(`${flagsWanted}an entry "(…)", another component, the end of the text`);
  }
  return {
    isDaclPresent: true,
    dacl: isNull ? null : aces,
    isProtected: flags.has('P'),
    isAutoInheritRequested: flags.has('AR'),
    isAutoInherited: flags.has('AI'),
  };
}

/**
 * Reads a security descriptor from SDDL.
 *
 * @param text      the SDDL; see the head of this file for what is accepted
 * @param operation the call that the error message names
 * @returns owner and group null where the text leaves them out; `dacl` null for NO_ACCESS_CONTROL and
 *   where there is no `D:` ("NULL DACL": everybody everything), empty for a bare `D:` (nobody)
 * @throws SectionError ERR_SECTION_INVALID_SECURITY that says at which character (from 1), what was
 *   found and what is allowed there. A SACL (`S:`) is refused: Sectile keeps no audit list and does not
 *   pretend to. So are entry types other than A and D.
 */
export function parseSddl(text: string, operation = 'parseSddl'): SddlDescriptor {
  if (typeof text !== 'string' || text.length > MAXIMUM_SDDL_LENGTH) {
    throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
      operation,
      rule: `security must be an SDDL text of at most ${MAXIMUM_SDDL_LENGTH} characters, not ${show(text)}`,
    });
  }
  const reader: Reader = new Reader(text, operation);
  const seen = new Set<string>();
  let owner: Sid | null = null;
  let group: Sid | null = null;
  let dacl = noDacl;
  for (reader.skipSpaces(); !reader.atEnd; reader.skipSpaces()) {
    const at = reader.position;
    const wanted = [...components].filter(([letter]) => !seen.has(letter)).map(([letter, name]) => `${letter} (${name})`);
    const allowed = [...wanted, 'the end of the text'].join(', ');
    const found = reader.match(component) ?? reader.refuse(allowed);
    if (found === 'S:') reader.refuse(allowed, { at, found, because: 'a SACL, and Sectile keeps no audit list' });
    if (seen.has(found)) reader.refuse(allowed, { at, found, because: 'for the second time' });
    seen.add(found);
    if (found === 'O:') owner = readTrustee(reader).sid;
    else if (found === 'G:') group = readTrustee(reader).sid;
    else dacl = readDacl(reader);
  }
  return { owner, group, ...dacl };
}

function formatRights(mask: AccessMask): string {
  for (const [code, value] of fileRights) if (value === mask) return code;
  let rest = mask;
  let codes = '';
  for (const [code, bit] of bitRights) {
    if ((mask & bit) === 0) continue;
    codes += code;
    rest &= ~bit;
  }
  return rest === 0 ? codes : `0x${mask.toString(16)}`;
}

function formatAce({ type, flags, mask, sid }: Ace): string {
  const letter = [...aceTypes].find(([, meaning]) => meaning === type)?.[0];
  const flagCodes = [...aceFlags].filter(([, bit]) => (flags & bit) !== 0).map(([code]) => code);
  return `(${letter};${flagCodes.join('')};${formatRights(mask)};;;${aliasOf(sid) ?? sid})`;
}

/**
 * Writes a security descriptor as SDDL, as Windows does: aliases where there are some, rights as codes
 * where codes cover them and as a hex number else. Reading the text gives an equal descriptor.
 *
 * @param descriptor what {@link parseSddl} or security-descriptor.ts returned; only the former can be
 *   without a DACL, and then gets no `D:`
 */
export function formatSddl(descriptor: DescriptorContent & { readonly isDaclPresent?: boolean }): string {
  const { owner, group, dacl, isDaclPresent = true } = descriptor;
  let text = owner === null ? '' : `O:${aliasOf(owner) ?? owner}`;
  if (group !== null) text += `G:${aliasOf(group) ?? group}`;
  if (!isDaclPresent) return text;
  text += 'D:';
  if (descriptor.isProtected) text += 'P';
  if (descriptor.isAutoInheritRequested) text += 'AR';
  if (descriptor.isAutoInherited) text += 'AI';
  return text + (dacl === null ? NO_ACCESS_CONTROL : dacl.map(formatAce).join(''));
}
