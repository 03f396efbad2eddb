/**
 * The letter codes of SDDL as tables: entry types, entry flags, rights. The parser and the formatter
 * both read them here; nothing else is decided in this file.
 *
 * Source: [MS-DTYP] 2.5.1.1; Microsoft's page "ACE Strings". The order of rows is the order in which
 * Windows writes codes.
 */
import {
  type AccessMask,
  DELETE,
  GENERIC_ALL,
  GENERIC_EXECUTE,
  GENERIC_READ,
  GENERIC_WRITE,
  READ_CONTROL,
  WRITE_DAC,
  WRITE_OWNER,
} from './access-mask.js';
import {
  type Ace,
  CONTAINER_INHERIT_ACE,
  INHERIT_ONLY_ACE,
  INHERITED_ACE,
  NO_PROPAGATE_INHERIT_ACE,
  OBJECT_INHERIT_ACE,
} from './acl.js';

/** Entry types that Sectile knows. */
export const aceTypes: ReadonlyMap<string, Ace['type']> = new Map([
  ['A', 'allow'],
  ['D', 'deny'],
]);

/** Entry types of SDDL that Sectile refuses, with what they are. */
export const refusedAceTypes: ReadonlyMap<string, string> = new Map([
  ['OA', 'an entry for parts of directory objects'],
  ['OD', 'an entry for parts of directory objects'],
  ['AU', 'an audit entry'],
  ['AL', 'an alarm entry'],
  ['OU', 'an audit entry'],
  ['OL', 'an alarm entry'],
  ['ML', 'a mandatory label'],
  ['XA', 'a conditional entry'],
  ['XD', 'a conditional entry'],
  ['ZA', 'a conditional entry'],
  ['XU', 'a conditional audit entry'],
  ['RA', 'a resource attribute'],
  ['SP', 'a central access policy'],
  ['TL', 'a process trust label'],
  ['FL', 'an access filter'],
]);

export const aceFlags: ReadonlyMap<string, number> = new Map([
  ['OI', OBJECT_INHERIT_ACE],
  ['CI', CONTAINER_INHERIT_ACE],
  ['NP', NO_PROPAGATE_INHERIT_ACE],
  ['IO', INHERIT_ONLY_ACE],
  ['ID', INHERITED_ACE],
]);

/** Entry flags of SDDL that Sectile refuses, with what they are. */
export const refusedAceFlags: ReadonlyMap<string, string> = new Map([
  ['SA', 'a flag of audit entries'],
  ['FA', 'a flag of audit entries'],
  ['CR', 'a flag of critical entries'],
  ['TP', 'a flag of trust-protected entries'],
]);

/** One code, one bit. The names are those of directory services: for a section CC is SECTION_QUERY and so on. */
export const bitRights: ReadonlyMap<string, AccessMask> = new Map([
  ['CC', 0x0001],
  ['DC', 0x0002],
  ['LC', 0x0004],
  ['SW', 0x0008],
  ['RP', 0x0010],
  ['WP', 0x0020],
  ['DT', 0x0040],
  ['LO', 0x0080],
  ['CR', 0x0100],
  ['SD', DELETE],
  ['RC', READ_CONTROL],
  ['WD', WRITE_DAC],
  ['WO', WRITE_OWNER],
  ['GA', GENERIC_ALL],
  ['GX', GENERIC_EXECUTE],
  ['GW', GENERIC_WRITE],
  ['GR', GENERIC_READ],
]);

/** FILE_ALL_ACCESS and FILE_GENERIC_… */
export const fileRights: ReadonlyMap<string, AccessMask> = new Map([
  ['FA', 0x001f01ff],
  ['FR', 0x00120089],
  ['FW', 0x00120116],
  ['FX', 0x001200a0],
]);

/** KEY_ALL_ACCESS, KEY_READ, KEY_WRITE, KEY_EXECUTE: the last has the value of KEY_READ in winnt.h. */
export const keyRights: ReadonlyMap<string, AccessMask> = new Map([
  ['KA', 0x000f003f],
  ['KR', 0x00020019],
  ['KW', 0x00020006],
  ['KX', 0x00020019],
]);

/** Every code that may stand in the rights field. */
export const rights: ReadonlyMap<string, AccessMask> = new Map([...bitRights, ...fileRights, ...keyRights]);
