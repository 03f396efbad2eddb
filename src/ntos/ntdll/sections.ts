/**
 * NtCreateSection and its like, by the kernel.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { ulong, ulong64, ulong64OrNull } from '../../nt/arguments.js';
import type * as ours from '../../nt/ntdll.js';
import { createRules, firstBroken } from '../../nt/rules.js';
import type { SystemArgument } from '../../os/index.js';
import { sectionExtendedOf } from '../extended.js';
import { Structure, wordAt, words64 } from '../structures.js';
import type { Kernel, Opened } from './kernel.js';

type Calls = Pick<
  typeof ours,
  'NtCreateSection' | 'NtCreateSectionEx' | 'NtOpenSection' | 'NtQuerySection' | 'NtExtendSection' | 'NtClose'
>;

const SECTION_BASIC_INFORMATION = new Structure(24, {
  BaseAddress: [0, 'address'],
  AllocationAttributes: [8, 'u32'],
  MaximumSize: [16, 'size'],
});
/** The longest that a class has: SectionImageInformation. */
const MOST_BYTES = 64;

const resultOf = ({ status, handle }: Opened): ours.SectionResult => ({ status, sectionHandle: handle });

export function sectionCalls(kernel: Kernel): Calls {
  const create = (
    call: string,
    desiredAccess: number,
    objectAttributes: ours.ObjectAttributes | null,
    maximumSize: ours.Size | null,
    pageProtection: number,
    allocationAttributes: number,
    fileHandle: ours.Handle | null,
    ...extended: readonly SystemArgument[]
  ): ours.SectionResult => {
    const attributes = ulong(allocationAttributes);
    const protection = ulong(pageProtection);
    const size = ulong64OrNull(maximumSize);
    const file = kernel.handleOrNone(fileHandle);
    if (attributes === undefined || protection === undefined || size === undefined) {
      return resultOf({ status: firstBroken(createRules, { attributes, protection, size, hasFile: file !== 0 }), handle: 0 });
    }
    const bytes = size === 0n ? null : words64(size);
    return resultOf(kernel.createNamed(call, desiredAccess, objectAttributes, bytes, protection, attributes, file, ...extended));
  };

  return {
    NtCreateSection: (access, attributes, size, protection, allocation, file = null) =>
      create('NtCreateSection', access, attributes, size, protection, allocation, file),

    NtCreateSectionEx(access, attributes, size, protection, allocation, file, parameters, count) {
      const extended = sectionExtendedOf(parameters, count);
      if (extended === undefined) return resultOf({ status: Status.STATUS_INVALID_PARAMETER, handle: 0 });
      return create('NtCreateSectionEx', access, attributes, size, protection, allocation, file, extended, extended.length);
    },

    NtOpenSection: (access, attributes) => resultOf(kernel.openNamed('NtOpenSection', access, attributes)),

    NtQuerySection(handle, informationClass, length) {
      const fail = (status: NTSTATUS): ours.QueryResult => ({ status, sectionInformation: null, returnLength: 0 });
      const wanted = ulong(informationClass);
      if (wanted === undefined) return fail(Status.STATUS_INVALID_INFO_CLASS);
      const given = length === undefined ? BigInt(SECTION_BASIC_INFORMATION.bytes) : (ulong64(length) ?? 0n);
      if (given > 0xffff_ffffn) return fail(Status.STATUS_ACCESS_VIOLATION); // no buffer is that long
      const bytes = new Uint8Array(Math.min(Number(given), MOST_BYTES));
      const returned = words64(0n);
      const status = kernel.call('NtQuerySection', kernel.handle(handle), wanted, bytes, bytes.length, returned);
      if (!isSuccess(status)) return fail(status);
      // Of what is shorter there is no form here.
      if (bytes.length < SECTION_BASIC_INFORMATION.bytes) return fail(Status.STATUS_INVALID_INFO_CLASS);
      const { BaseAddress, ...facts } = SECTION_BASIC_INFORMATION.read(bytes);
      const sectionInformation = { BaseAddress: BaseAddress === 0n ? null : BaseAddress, ...facts };
      return { status, sectionInformation, returnLength: Number(wordAt(returned)) };
    },

    NtExtendSection(handle, newSectionSize) {
      const size = ulong64(newSectionSize);
      if (size === undefined) return { status: Status.STATUS_INVALID_PARAMETER, newSectionSize: 0 };
      const bytes = words64(size);
      const status = kernel.call('NtExtendSection', kernel.handle(handle), bytes);
      return { status, newSectionSize: isSuccess(status) ? Number(wordAt(bytes)) : 0 };
    },

    NtClose(value) {
      const handle = kernel.handle(value);
      const status = kernel.call('NtClose', handle);
      if (isSuccess(status)) kernel.forget(handle);
      return status;
    },
  };
}
