/**
 * Security descriptors as texts, cut to the parts that SECURITY_INFORMATION asks for, and measured as the
 * self-relative structures that NT would have.
 */
import { formatSddl, parseSddl, type Sid, sidParts } from '../security/index.js';

export interface Parts {
  readonly owner: boolean;
  readonly group: boolean;
  readonly dacl: boolean;
}

/**
 * Those parts of a descriptor that are asked for and that it has.
 *
 * @throws SectionError ERR_SECTION_INVALID_SECURITY
 */
export function partsOf(sddl: string, parts: Parts): string {
  const descriptor = parseSddl(sddl, 'read a security descriptor');
  return formatSddl({
    ...descriptor,
    owner: parts.owner ? descriptor.owner : null,
    group: parts.group ? descriptor.group : null,
    isDaclPresent: parts.dacl && descriptor.isDaclPresent,
  });
}

/** sizeof(SECURITY_DESCRIPTOR_RELATIVE), and the headers of a SID, an ACL and an ACE. */
const DESCRIPTOR_HEADER = 20;
const SID_HEADER = 8;
const ACL_HEADER = 8;
const ACE_HEADER = 8;

const sidBytes = (sid: Sid | null): number => (sid === null ? 0 : SID_HEADER + 4 * sidParts(sid).subAuthorities.length);

/** Bytes of a descriptor in its self-relative form. */
export function bytesOf(sddl: string): number {
  const { owner, group, dacl } = parseSddl(sddl, 'read a security descriptor');
  const entries = dacl === null ? 0 : dacl.reduce((sum, { sid }) => sum + ACE_HEADER + sidBytes(sid), ACL_HEADER);
  return DESCRIPTOR_HEADER + sidBytes(owner) + sidBytes(group) + entries;
}
