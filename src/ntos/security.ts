/**
 * Security descriptors for the kernel: from SDDL, and without the rights that would make a second writer.
 */
import { SectionError } from '../base/error.js';
import type { NtSystem } from '../os/index.js';
import {
  GENERIC_ALL,
  GENERIC_READ,
  GENERIC_WRITE,
  READ_CONTROL,
  SECTION_EXTEND_SIZE,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
  WRITE_DAC,
  WRITE_OWNER,
} from '../security/index.js';

/** A self-relative descriptor. @throws SectionError ERR_SECTION_INVALID_SECURITY */
export function securityFromText(nt: NtSystem, operation: string, sddl: string): Uint8Array {
  const bytes = nt.securityFromText(sddl);
  if (typeof bytes !== 'number') return bytes;
  throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
    operation,
    object: `security ${JSON.stringify(sddl)}`,
    rule: `the system does not take it for SDDL (Win32 error ${bytes})`,
    wayOut: 'Give SDDL, such as D:(A;;GR;;;WD)',
    errno: bytes,
  });
}

const READERS = READ_CONTROL | SECTION_QUERY | SECTION_MAP_READ;
const hex = (mask: number): string => `0x${mask.toString(16)}`;
/** OW is what the owner has instead of the right to change the descriptor. */
const readersOnly = `D:P(A;;${hex(READERS)};;;OW)(A;;${hex(READERS)};;;SY)(A;;${hex(READERS)};;;BA)`;
const ownerLimited = `(A;;${hex(READ_CONTROL)};;;OW)`;

const WRITES = SECTION_MAP_WRITE | SECTION_EXTEND_SIZE | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE;

/** Where the parts of a self-relative descriptor stand ([MS-DTYP] 2.4.6, 2.4.5, 2.4.4). */
const layout = { dacl: 16, aclCount: 4, firstAce: 8, aceSize: 2, aceMask: 4 } as const;

/**
 * The descriptor of a section that nobody but its creator writes to: the creator's handle has its rights from the
 * creation, and nobody gets another that could write, or change the descriptor.
 *
 * @param sddl Who may read it; undefined: its owner, the system and administrators.
 */
export function soleWriterSecurity(nt: NtSystem, operation: string, sddl: string | undefined): Uint8Array {
  if (sddl === undefined) return securityFromText(nt, operation, readersOnly);
  securityFromText(nt, operation, sddl); // the user's own words are judged first
  const limited = /D:[^(]*\(/.test(sddl) ? sddl.replace(/(D:[^(]*)\(/, `$1${ownerLimited}(`) : `${sddl}${readersOnly}`;
  const bytes = securityFromText(nt, operation, limited);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dacl = view.getUint32(layout.dacl, true);
  if (dacl === 0) return securityFromText(nt, operation, readersOnly);
  let ace = dacl + layout.firstAce;
  for (let left = view.getUint16(dacl + layout.aclCount, true); left > 0; left--) {
    const mask = view.getUint32(ace + layout.aceMask, true);
    const reads = (mask & GENERIC_ALL) === 0 ? mask : mask | GENERIC_READ;
    view.setUint32(ace + layout.aceMask, reads & ~(WRITES | GENERIC_ALL), true);
    ace += view.getUint16(ace + layout.aceSize, true);
  }
  return bytes;
}
