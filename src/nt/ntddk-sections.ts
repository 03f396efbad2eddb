/**
 * The part of `sectile/ntddk` on sections that grow and on creating them with extended parameters. In kernel mode: rights
 * count with OBJ_FORCE_ACCESS_CHECK only.
 */
import { extendSection } from './extend-section.js';
import type { NtCreateSectionEx, NtExtendSection } from './ntdll-sections.js';
import { createSectionEx } from './section-calls.js';

export type { ExtendResult } from './extend-section.js';
export type { MEM_SECTION_EXTENDED_PARAMETER } from './section-calls.js';

/**
 * Has a section over a file reach further; the file is grown where it is too short. Whoever maps the section
 * from then on can map all of it, in every process, if the section has a name; views that are there keep their
 * size. Parameters and statuses: {@link NtExtendSection}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/}
 */
export const ZwExtendSection: typeof NtExtendSection = (...given) => extendSection('kernel', ...given);

/**
 * As ZwCreateSection, with extended parameters. Parameters and statuses: {@link NtCreateSectionEx}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntcreatesectionex}
 */
export const ZwCreateSectionEx: typeof NtCreateSectionEx = (...given) => createSectionEx('kernel', ...given);
