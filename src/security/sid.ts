/**
 * Security identifiers: their text form, the well-known ones with their SDDL aliases, and the SIDs that
 * stand for Unix users and groups. It compares and converts; it does not know who may do what.
 *
 * A SID is held as its canonical text, so two SIDs are the same exactly when `===` says so.
 * Source: [MS-DTYP] 2.4.2.1 (text form), 2.4.2.4 (well-known SIDs); Microsoft's page "SID Strings".
 */
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';

/** A SID in canonical text form, as {@link parseSid} returns it. */
export type Sid = `S-1-${string}`;

/** A SID taken apart. */
export interface SidParts {
  /** The identifier authority, up to 48 bits. */
  readonly authority: number;
  /** 1 to 15 numbers of 32 bits. */
  readonly subAuthorities: readonly number[];
}

const MAXIMUM_AUTHORITY = 2 ** 48 - 1;
const MAXIMUM_SUB_AUTHORITY = 2 ** 32 - 1;
const MAXIMUM_SUB_AUTHORITIES = 15;

/** SDDL alias -> SID, for every alias that means the same on all machines. */
export const sidOfAlias = {
  WD: 'S-1-1-0', // Everyone (World)
  CO: 'S-1-3-0', // Creator Owner
  CG: 'S-1-3-1', // Creator Group
  OW: 'S-1-3-4', // Owner Rights
  NU: 'S-1-5-2', // Network
  IU: 'S-1-5-4', // Interactive
  SU: 'S-1-5-6', // Service
  AN: 'S-1-5-7', // Anonymous
  ED: 'S-1-5-9', // Enterprise Domain Controllers
  PS: 'S-1-5-10', // Principal Self
  AU: 'S-1-5-11', // Authenticated Users
  RC: 'S-1-5-12', // Restricted Code
  SY: 'S-1-5-18', // Local System
  LS: 'S-1-5-19', // Local Service
  NS: 'S-1-5-20', // Network Service
  WR: 'S-1-5-33', // Write Restricted Code
  BA: 'S-1-5-32-544', // Administrators
  BU: 'S-1-5-32-545', // Users
  BG: 'S-1-5-32-546', // Guests
  PU: 'S-1-5-32-547', // Power Users
  AO: 'S-1-5-32-548', // Account Operators
  SO: 'S-1-5-32-549', // Server Operators
  PO: 'S-1-5-32-550', // Print Operators
  BO: 'S-1-5-32-551', // Backup Operators
  RE: 'S-1-5-32-552', // Replicator
  RU: 'S-1-5-32-554', // Pre-Windows 2000 Compatible Access
  RD: 'S-1-5-32-555', // Remote Desktop Users
  NO: 'S-1-5-32-556', // Network Configuration Operators
  MU: 'S-1-5-32-558', // Performance Monitor Users
  LU: 'S-1-5-32-559', // Performance Log Users
  IS: 'S-1-5-32-568', // IIS Users
  CY: 'S-1-5-32-569', // Cryptographic Operators
  ER: 'S-1-5-32-573', // Event Log Readers
  CD: 'S-1-5-32-574', // Certificate Service DCOM Access
  RA: 'S-1-5-32-575', // RDS Remote Access Servers
  ES: 'S-1-5-32-576', // RDS Endpoint Servers
  MS: 'S-1-5-32-577', // RDS Management Servers
  HA: 'S-1-5-32-578', // Hyper-V Administrators
  AA: 'S-1-5-32-579', // Access Control Assistance Operators
  RM: 'S-1-5-32-580', // Remote Management Users
  UD: 'S-1-5-84-0-0-0-0-0', // User-Mode Drivers
  AC: 'S-1-15-2-1', // All Application Packages
  LW: 'S-1-16-4096', // Low Mandatory Level
  ME: 'S-1-16-8192', // Medium Mandatory Level
  MP: 'S-1-16-8448', // Medium Plus Mandatory Level
  HI: 'S-1-16-12288', // High Mandatory Level
  SI: 'S-1-16-16384', // System Mandatory Level
  AS: 'S-1-18-1', // Authentication Authority Asserted Identity
  SS: 'S-1-18-2', // Service Asserted Identity
} as const satisfies Record<string, Sid>;

export type SidAlias = keyof typeof sidOfAlias;

/** Aliases that are relative to a machine's or a domain's own SID: Sectile has neither. */
export const domainAliases: ReadonlySet<string> = new Set([
  'AP',
  'CA',
  'CN',
  'DA',
  'DC',
  'DD',
  'DG',
  'DU',
  'EA',
  'EK',
  'KA',
  'LA',
  'LG',
  'PA',
  'RO',
  'RS',
  'SA',
]);

/** The SIDs that the rules of this folder speak of, under the names of the field. */
export const WellKnownSid = {
  everyone: sidOfAlias.WD,
  creatorOwner: sidOfAlias.CO,
  creatorGroup: sidOfAlias.CG,
  ownerRights: sidOfAlias.OW,
  network: sidOfAlias.NU,
  interactive: sidOfAlias.IU,
  anonymous: sidOfAlias.AN,
  authenticatedUsers: sidOfAlias.AU,
  localSystem: sidOfAlias.SY,
  localService: sidOfAlias.LS,
  networkService: sidOfAlias.NS,
  administrators: sidOfAlias.BA,
  users: sidOfAlias.BU,
  guests: sidOfAlias.BG,
} as const;

const aliasOfSid = new Map<string, string>(Object.entries(sidOfAlias).map(([alias, sid]) => [sid, alias]));

/**
 * The SDDL alias of a SID.
 *
 * @param sid a canonical SID
 * @returns two capital letters, or undefined where the SID has none
 */
export function aliasOf(sid: Sid): SidAlias | undefined {
  return aliasOfSid.get(sid) as SidAlias | undefined;
}

/** Why a text is no SID: the rule, and where in the text it was broken (counted from 0). */
export interface SidProblem {
  readonly rule: string;
  readonly at: number;
}

/** A number in its one plain spelling. A leading zero is refused: some readers take it for octal. */
function plainNumber(text: string, maximum: number): number | null {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return null;
  return Number(text) <= maximum ? Number(text) : null;
}

/** The authority: decimal, or hex as [MS-DTYP] writes it from 2^32 on. */
function authorityOf(text: string): number | null {
  return /^0x[0-9a-f]{1,12}$/i.test(text) ? Number(text) : plainNumber(text, MAXIMUM_AUTHORITY);
}

/** Windows and [MS-DTYP] write an authority of more than 32 bits in hex, all 12 digits. */
function canonicalText({ authority, subAuthorities }: SidParts): Sid {
  const head = authority > MAXIMUM_SUB_AUTHORITY ? `0x${authority.toString(16).padStart(12, '0')}` : `${authority}`;
  return `S-1-${[head, ...subAuthorities].join('-')}`;
}

/**
 * Reads the text form of a SID without throwing.
 *
 * @param text `S-1-AUTHORITY-SUB…`; the authority in decimal or `0x` hex, the rest in decimal
 * @returns the canonical SID, or what is wrong with the text. Source: [MS-DTYP] 2.4.2.1.
 */
export function readSid(text: string): Sid | SidProblem {
  const [letter = '', revision = '', authorityText = '', ...subTexts] = text.split('-');
  // A part that is missing is missed at the end of the text, not behind it.
  const problem = (rule: string, at: number): SidProblem => ({ rule, at: Math.min(at, text.length) });
  let at = 0;
  if (letter !== 'S' && letter !== 's') return problem('a SID begins with S-1-', at);
  at += letter.length + 1;
  if (revision !== '1') return problem('the revision of a SID is 1', at);
  at += revision.length + 1;
  const authority = authorityOf(authorityText);
  if (authority === null) {
    return problem(`the authority of a SID is a number from 0 to ${MAXIMUM_AUTHORITY}, or 0x and up to 12 hex digits`, at);
  }
  at += authorityText.length + 1;
  if (subTexts.length < 1 || subTexts.length > MAXIMUM_SUB_AUTHORITIES) {
    return problem(`a SID has 1 to ${MAXIMUM_SUB_AUTHORITIES} subauthorities, this one has ${subTexts.length}`, at);
  }
  const subAuthorities: number[] = [];
  for (const subText of subTexts) {
    const sub = plainNumber(subText, MAXIMUM_SUB_AUTHORITY);
    if (sub === null) return problem(`a subauthority is a decimal number from 0 to ${MAXIMUM_SUB_AUTHORITY}`, at);
    subAuthorities.push(sub);
    at += subText.length + 1;
  }
  return canonicalText({ authority, subAuthorities });
}

/**
 * Reads the text form of a SID.
 *
 * @param text see {@link readSid}; SDDL aliases such as `BA` are not SIDs and are refused
 * @returns the SID in canonical form
 * @throws SectionError ERR_SECTION_INVALID_SECURITY that says which part is wrong
 */
export function parseSid(text: string): Sid {
  const sid = typeof text === 'string' ? readSid(text) : { rule: 'a SID is a string', at: 0 };
  if (typeof sid === 'string') return sid;
  throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
    operation: 'parseSid',
    object: show(text),
    rule: `${sid.rule} (at character ${sid.at + 1})`,
  });
}

/**
 * Puts a SID together.
 *
 * @returns its canonical text: decimal, the authority in 12 hex digits from 2^32 on
 * @throws SectionError ERR_SECTION_INVALID_SECURITY where a number is outside the limits of {@link SidParts}
 */
export function formatSid(parts: SidParts): Sid {
  return parseSid(canonicalText(parts));
}

/**
 * Takes a SID apart.
 *
 * @throws SectionError ERR_SECTION_INVALID_SECURITY where the text is no SID
 */
export function sidParts(text: string): SidParts {
  const [, , authority = '', ...subAuthorities] = parseSid(text).split('-');
  return { authority: Number(authority), subAuthorities: subAuthorities.map(Number) };
}

/**
 * Whether a text is a SID in its canonical form, the only form that may be compared.
 */
export function isSid(text: unknown): text is Sid {
  return typeof text === 'string' && readSid(text) === text;
}

/** Samba's authority 22, "Unix users and groups": S-1-22-1-UID and S-1-22-2-GID. */
const unixKind = { user: 'S-1-22-1-', group: 'S-1-22-2-' } as const;

/** The largest id that is somebody: -1 as an unsigned number means "no one" in `chown(2)` and SO_PEERCRED. */
const MAXIMUM_UNIX_ID = 2 ** 32 - 2;

/**
 * The SID of a Unix user: S-1-22-1-UID, as Samba maps it.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no user id
 */
export function sidOfUser(uid: number): Sid {
  return `${unixKind.user}${byteCount('sidOfUser', 'uid', uid, { maximum: MAXIMUM_UNIX_ID })}`;
}

/**
 * The SID of a Unix group: S-1-22-2-GID, as Samba maps it.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no group id
 */
export function sidOfGroup(gid: number): Sid {
  return `${unixKind.group}${byteCount('sidOfGroup', 'gid', gid, { maximum: MAXIMUM_UNIX_ID })}`;
}

function unixIdOf(sid: Sid, prefix: string): number | undefined {
  const id = sid.startsWith(prefix) ? plainNumber(sid.slice(prefix.length), MAXIMUM_UNIX_ID) : null;
  return id ?? undefined;
}

/** The user id that a SID stands for; undefined where it stands for no Unix user. */
export function userOfSid(sid: Sid): number | undefined {
  return unixIdOf(sid, unixKind.user);
}

/** The group id that a SID stands for; undefined where it stands for no Unix group. */
export function groupOfSid(sid: Sid): number | undefined {
  return unixIdOf(sid, unixKind.group);
}
