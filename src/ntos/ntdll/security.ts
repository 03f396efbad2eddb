/**
 * Security descriptors of objects, by the kernel: in and out as SDDL.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { ulong, ulong64 } from '../../nt/arguments.js';
import type * as ours from '../../nt/ntdll.js';
import { longIn } from '../structures.js';
import type { Kernel } from './kernel.js';

/** No descriptor is longer: an ACL has 16 bits of length, and there are two. */
const MOST_BYTES = 0x2_0200;

export function securityCalls(kernel: Kernel): Pick<typeof ours, 'NtQuerySecurityObject' | 'NtSetSecurityObject'> {
  return {
    NtQuerySecurityObject(handle, securityInformation, length) {
      const fail = (status: NTSTATUS, lengthNeeded = 0): ours.SecurityQueryResult => ({
        status,
        securityDescriptor: null,
        lengthNeeded,
      });
      const parts = ulong(securityInformation);
      if (parts === undefined) return fail(Status.STATUS_INVALID_PARAMETER);
      const given = length === undefined ? BigInt(MOST_BYTES) : (ulong64(length) ?? 0n);
      const bytes = new Uint8Array(Math.min(Number(given), MOST_BYTES));
      const needed = new Uint8Array(4);
      const status = kernel.call('NtQuerySecurityObject', kernel.handle(handle), parts, bytes, bytes.length, needed);
      const lengthNeeded = longIn(needed);
      if (!isSuccess(status)) return fail(status, lengthNeeded);
      const text = kernel.nt.securityToText(bytes.subarray(0, lengthNeeded), parts);
      return typeof text === 'string'
        ? { status, securityDescriptor: text, lengthNeeded }
        : fail(Status.STATUS_INVALID_SECURITY_DESCR, lengthNeeded);
    },

    NtSetSecurityObject(handle, securityInformation, securityDescriptor) {
      const parts = ulong(securityInformation);
      if (parts === undefined) return Status.STATUS_INVALID_PARAMETER;
      if (securityDescriptor === null || securityDescriptor === undefined) return Status.STATUS_ACCESS_VIOLATION;
      const bytes = typeof securityDescriptor === 'string' ? kernel.nt.securityFromText(securityDescriptor) : 0;
      if (typeof bytes === 'number') return Status.STATUS_INVALID_SECURITY_DESCR;
      return kernel.call('NtSetSecurityObject', kernel.handle(handle), parts, bytes);
    },
  };
}
