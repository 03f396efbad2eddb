/**
 * Processes and statuses, by the kernel.
 */
import { Status } from '../../base/status.js';
import { fieldsOf, ulong } from '../../nt/arguments.js';
import type * as ours from '../../nt/ntdll.js';
import { words64 } from '../structures.js';
import type { Kernel } from './kernel.js';

/** No status of the system, nor one that stands for a Win32 error by its form. */
const UNKNOWN = 0xcfff_ffff;

export function processCalls(kernel: Kernel): Pick<typeof ours, 'NtOpenProcess' | 'RtlNtStatusToDosError'> {
  return {
    NtOpenProcess(desiredAccess, objectAttributes, clientId) {
      const given = objectAttributes ?? null;
      const attributes = given === null ? ([null, 0, 0, null] as const) : kernel.attributes(given, false);
      if ('status' in attributes) return { status: attributes.status, processHandle: 0 };
      const client = fieldsOf(clientId, 'UniqueProcess', 'UniqueThread');
      const [process_, thread] = [ulong(client?.UniqueProcess), ulong(client?.UniqueThread ?? 0)];
      if (process_ === undefined || thread === undefined) return { status: Status.STATUS_INVALID_CID, processHandle: 0 };
      const id = words64(BigInt(process_), BigInt(thread));
      const { status, handle } = kernel.open('NtOpenProcess', desiredAccess, attributes, id);
      return { status, processHandle: handle };
    },

    // What is no status at all gets the answer for an unknown one.
    RtlNtStatusToDosError: (status) => kernel.call('RtlNtStatusToDosError', ulong(status) ?? UNKNOWN),
  };
}
