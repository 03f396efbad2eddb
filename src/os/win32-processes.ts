/**
 * Processes on Windows as {@link Os} has them: a descriptor is a handle on one of them.
 */

import type { Descriptor } from './handles.js';
import type { HeldHandle, NtSystem } from './nt.js';
import type { Os, OsError } from './os.js';

const SYNCHRONIZE = 0x10_0000;
const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const ERROR_INVALID_PARAMETER = 87;

interface ProcessHandle {
  readonly value: number;
  readonly held: HeldHandle;
}

function failed(syscall: string, code: string, errno: number, why: string): OsError {
  return Object.assign(new Error(`${syscall}: ${why} (${code})`), { code, errno, syscall });
}

type Processes = Pick<Os, 'processOpen' | 'processHasEnded' | 'processNamespace' | 'processWait' | 'descriptorClose'>;

/** @param startWait Starts a wait for a handle: its number, or minus an NTSTATUS. */
export function win32Processes(nt: NtSystem, startWait: (handle: number) => number): Processes {
  const call = (name: string, ...given: readonly (number | null)[]): number => nt.calls[name]?.(...given) ?? 0;
  const handleOf = (process: Descriptor): ProcessHandle => process as unknown as ProcessHandle;
  return {
    processOpen(pid) {
      const value = call('OpenProcess', SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
      if (value !== 0) return { value, held: nt.handleHold(value) } as unknown as Descriptor;
      const error = nt.lastError();
      throw error === ERROR_INVALID_PARAMETER
        ? failed('OpenProcess', 'ESRCH', 3, 'there is no such process')
        : failed('OpenProcess', 'EACCES', 13, `Win32 error ${error}`);
    },
    processHasEnded: (process) => call('WaitForSingleObjectEx', handleOf(process).value, 0, 0) === 0,
    processNamespace: () => 0n,
    descriptorClose: (process) => nt.handleClose(handleOf(process).held),
    processWait(process) {
      const wait = startWait(handleOf(process).value);
      if (wait > 0) return wait;
      throw failed('NtWaitForMultipleObjects', 'EIO', 5, `status 0x${(-wait).toString(16)}`);
    },
  };
}
