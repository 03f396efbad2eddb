/*
 * The calls of the system that the faces pass on: a table, and nothing else. What a call that has more than these
 * words can say (a structure that holds pointers) has a file of its own.
 */
#include "call.h"

#include <stddef.h>

#define NTDLL "ntdll.dll"
#define KERNEL32 "kernel32.dll"
/* Newer calls are here alone. */
#define KERNELBASE "kernelbase.dll"
/* The program that loads the addon: it exports libuv's functions beside Node-API's. */
#define HOST NULL

const sectile_call sectile_calls[] = {
    /* ---- sections ---- */
    {"NtCreateSection", NTDLL, 'u', "b8 u o? b8? u u h"},
    {"NtOpenSection", NTDLL, 'u', "b8 u o"},
    {"NtQuerySection", NTDLL, 'u', "h u b0? z b8?"},
    {"NtExtendSection", NTDLL, 'u', "h b8"},
    {"NtClose", NTDLL, 'u', "h"},
    {"CreateFileMappingW", KERNEL32, 'h', "h s? u u u w?"},
    {"OpenFileMappingW", KERNEL32, 'h', "u u w"},
    {"FlushViewOfFile", KERNEL32, 'u', "a z"},
    {"CloseHandle", KERNEL32, 'u', "h"},
    /* ---- objects ---- */
    {"NtDuplicateObject", NTDLL, 'u', "h h h b8? u u u"},
    {"NtQueryObject", NTDLL, 'u', "h u b0? u b4?"},
    {"NtQuerySecurityObject", NTDLL, 'u', "h u b0? u b4"},
    {"NtSetSecurityObject", NTDLL, 'u', "h u b20"},
    {"NtOpenDirectoryObject", NTDLL, 'u', "b8 u o"},
    {"NtQueryDirectoryObject", NTDLL, 'u', "h b0 u u u b4 b4?"},
    {"NtOpenSymbolicLinkObject", NTDLL, 'u', "b8 u o"},
    {"NtQuerySymbolicLinkObject", NTDLL, 'u', "h b16 b4?"},
    {"DuplicateHandle", KERNEL32, 'u', "h h h b8? u u u"},
    {"GetHandleInformation", KERNEL32, 'u', "h b4"},
    {"SetHandleInformation", KERNEL32, 'u', "h u u"},
    {"CompareObjectHandles", KERNELBASE, 'u', "h h"},
    {"GetKernelObjectSecurity", KERNELBASE, 'u', "h u b0? u b4"},
    {"SetKernelObjectSecurity", KERNELBASE, 'u', "h u b20"},
    {"RtlNtStatusToDosError", NTDLL, 'u', "u"},
    /* ---- events, mutexes, semaphores ---- */
    {"CreateEventExW", KERNEL32, 'h', "s? w? u u"},
    {"OpenEventW", KERNEL32, 'h', "u u w"},
    {"SetEvent", KERNEL32, 'u', "h"},
    {"ResetEvent", KERNEL32, 'u', "h"},
    {"CreateMutexExW", KERNEL32, 'h', "s? w? u u"},
    {"OpenMutexW", KERNEL32, 'h', "u u w"},
    {"ReleaseMutex", KERNEL32, 'u', "h"},
    {"CreateSemaphoreExW", KERNEL32, 'h', "s? u u w? u u"},
    {"OpenSemaphoreW", KERNEL32, 'h', "u u w"},
    {"ReleaseSemaphore", KERNEL32, 'u', "h u b4?"},
    /* ---- processes ---- */
    {"OpenProcess", KERNEL32, 'h', "u u u"},
    {"TerminateProcess", KERNEL32, 'u', "h u"},
    {"GetExitCodeProcess", KERNEL32, 'u', "h b4"},
    {"GetProcessId", KERNEL32, 'u', "h"},
    {"GetThreadId", KERNEL32, 'u', "h"},
    {"NtGetNextThread", NTDLL, 'u', "h h u u u b8"},
    {"GetSystemInfo", KERNEL32, 'u', "b48"},
    /* ---- files ---- */
    {"CreateFileW", KERNEL32, 'h', "w u u s? u u h"},
    {"GetFileSizeEx", KERNEL32, 'u', "h b8"},
    {"GetFileSize", KERNEL32, 'u', "h b4?"},
    {"SetFilePointer", KERNEL32, 'u', "h u b4? u"},
    {"SetFilePointerEx", KERNEL32, 'u', "h z b8? u"},
    {"SetEndOfFile", KERNEL32, 'u', "h"},
    {"LockFile", KERNEL32, 'u', "h u u u u"},
    {"UnlockFile", KERNEL32, 'u', "h u u u u"},
    {"CopyFileW", KERNEL32, 'u', "w w u"},
    {"MoveFileW", KERNEL32, 'u', "w w"},
    {"DeleteFileW", KERNEL32, 'u', "w"},
    {"GetFileType", KERNEL32, 'u', "h"},
    {"FlushFileBuffers", KERNEL32, 'u', "h"},
    {"uv_get_osfhandle", HOST, 'h', "u"},
    /* ---- memory ---- */
    {"NtQueryVirtualMemory", NTDLL, 'u', "h a u b0 z b8?"},
    {"VirtualAllocEx", KERNEL32, 'p', "h a z u u"},
    {"VirtualFreeEx", KERNEL32, 'u', "h a z u"},
    {"VirtualProtectEx", KERNEL32, 'u', "h a z u b4"},
    {"VirtualQueryEx", KERNEL32, 'u', "h a b48 z"},
    {"K32GetMappedFileNameW", KERNEL32, 'u', "h a b2 u"},
    {"GetLargePageMinimum", KERNEL32, 'p', ""},
    {NULL, NULL, 0, NULL},
};
