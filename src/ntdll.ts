/**
 * `sectile/ntdll` as it is imported: the NT calls, which are the system's own where its kernel is NT, and ours elsewhere.
 * What they take and give is documented, once for both, in nt/ntdll.ts.
 */

import * as ours from './nt/ntdll.js';
import { kernelNtdll, type NtdllCalls } from './ntos/ntdll/index.js';
import { nt } from './os/index.js';

const calls: NtdllCalls = nt === null ? ours : kernelNtdll(nt);

// Constants, types, and what asks nothing of a system. The names below take the place of those that are theirs as well.
export * from './nt/ntdll.js';
export const {
  NtAllocateVirtualMemory,
  NtAllocateVirtualMemoryEx,
  NtAreMappedFilesTheSame,
  NtClearEvent,
  NtClose,
  NtCreateDirectoryObject,
  NtCreateEvent,
  NtCreateFile,
  NtCreateMutant,
  NtCreateSection,
  NtCreateSectionEx,
  NtCreateSemaphore,
  NtCreateSymbolicLinkObject,
  NtDeviceIoControlFile,
  NtDuplicateObject,
  NtExtendSection,
  NtFlushBuffersFile,
  NtFlushVirtualMemory,
  NtFreeVirtualMemory,
  NtLockFile,
  NtMakePermanentObject,
  NtMakeTemporaryObject,
  NtMapViewOfSection,
  NtMapViewOfSectionEx,
  NtOpenDirectoryObject,
  NtOpenEvent,
  NtOpenFile,
  NtOpenMutant,
  NtOpenProcess,
  NtOpenSection,
  NtOpenSemaphore,
  NtOpenSymbolicLinkObject,
  NtProtectVirtualMemory,
  NtQueryDirectoryObject,
  NtQueryEvent,
  NtQueryInformationFile,
  NtQueryMutant,
  NtQueryObject,
  NtQuerySection,
  NtQuerySecurityObject,
  NtQuerySemaphore,
  NtQuerySymbolicLinkObject,
  NtQueryVirtualMemory,
  NtReadFile,
  NtReleaseMutant,
  NtReleaseSemaphore,
  NtResetEvent,
  NtSetEvent,
  NtSetInformationFile,
  NtSetInformationObject,
  NtSetSecurityObject,
  NtSignalAndWaitForSingleObject,
  NtUnlockFile,
  NtUnmapViewOfSection,
  NtUnmapViewOfSectionEx,
  NtWaitForMultipleObjects,
  NtWaitForMultipleObjectsAsync,
  NtWaitForSingleObject,
  NtWaitForSingleObjectAsync,
  NtWriteFile,
  RtlNtStatusToDosError,
} = calls;
