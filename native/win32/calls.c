/*
 * The calls of the system that the faces pass on: a table, and nothing else. What a call that has more than these
 * words can say (a structure that holds pointers) has a file of its own.
 */
#include "call.h"

#include <stddef.h>

#define NTDLL "ntdll.dll"
#define KERNEL32 "kernel32.dll"
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
    /* ---- files ---- */
    {"CreateFileW", KERNEL32, 'h', "w u u s? u u h"},
    {"GetFileSizeEx", KERNEL32, 'u', "h b8"},
    {"GetFileType", KERNEL32, 'u', "h"},
    {"FlushFileBuffers", KERNEL32, 'u', "h"},
    {"uv_get_osfhandle", HOST, 'h', "u"},
    /* ---- memory ---- */
    {"NtQueryVirtualMemory", NTDLL, 'u', "h a u b0 z b8?"},
    {"GetLargePageMinimum", KERNEL32, 'p', ""},
    {NULL, NULL, 0, NULL},
};
