/**
 * NtExtendSection: a section over a file comes to reach further, for all who map it from then on.
 *
 * Source: ntifs.h's declaration of ZwExtendSection; nt-semantics 1.8. Views keep their size, as Microsoft's
 * pages on file mappings have it.
 */
import { MAXIMUM_SECTION_SIZE } from '../base/checks.js';
import { type NTSTATUS, Status } from '../base/status.js';
import { os } from '../os/index.js';
import { SECTION_EXTEND_SIZE } from '../security/index.js';
import { type Handle, type Size, ulong64 } from './arguments.js';
import { statusOf } from './failure.js';
import { isWritable } from './protection.js';
import { firstBroken, type Rule } from './rules.js';
import { sectionSize } from './section-calls.js';
import { type Mode, mayUse, type OpenSection, sectionOf } from './tables.js';

export interface ExtendResult {
  readonly status: NTSTATUS;
  /** Bytes that the section has then; 0 on failure. */
  readonly newSectionSize: number;
}

interface Extension {
  readonly section: OpenSection['body'];
  readonly size: bigint;
  /** The section's bytes so far. */
  readonly reach: number;
  readonly fileLength: number;
}

const isTooShort = ({ size, fileLength }: Extension): boolean => size > BigInt(fileLength);

const extendRules: readonly Rule<Extension>[] = [
  [({ size }) => size > MAXIMUM_SECTION_SIZE, Status.STATUS_SECTION_TOO_BIG],
  [(each) => isTooShort(each) && !isWritable(each.section.facts.pageProtection), Status.STATUS_SECTION_NOT_EXTENDED],
  // The file can be grown by those alone who got it to write to.
  [(each) => isTooShort(each) && !each.section.memory.writable, Status.STATUS_ACCESS_DENIED],
];

/** ZwExtendSection and NtExtendSection. */
export function extendSection(mode: Mode, sectionHandle: Handle, newSectionSize: Size): ExtendResult {
  const fail = (status: NTSTATUS): ExtendResult => ({ status, newSectionSize: 0 });
  const size = ulong64(newSectionSize);
  if (size === undefined) return fail(Status.STATUS_INVALID_PARAMETER);
  const found = sectionOf(mode, sectionHandle);
  if ('status' in found) return fail(found.status);
  if (!mayUse(mode, found, SECTION_EXTEND_SIZE)) return fail(Status.STATUS_ACCESS_DENIED);
  const section = found.body;
  const { memory } = section;
  if (memory.backing !== 'file') return fail(Status.STATUS_SECTION_NOT_EXTENDED);
  try {
    const reach = sectionSize(section);
    // A section never shrinks, and to ask for it is no error.
    if (size <= BigInt(reach)) return { status: Status.STATUS_SUCCESS, newSectionSize: reach };
    const extension = { section, size, reach, fileLength: os.descriptorStat(memory.descriptor).size };
    const broken = firstBroken(extendRules, extension);
    if (broken !== Status.STATUS_SUCCESS) return fail(broken);
    if (isTooShort(extension)) memory.extendFile('ZwExtendSection', Number(size));
    return { status: Status.STATUS_SUCCESS, newSectionSize: section.extend(Number(size)) };
  } catch (error) {
    return fail(statusOf(error));
  }
}
