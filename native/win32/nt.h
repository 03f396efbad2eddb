/*
 * The Windows headers as this folder uses them, and the calls of ntdll.dll that they leave out.
 */
#ifndef SECTILE_NT_H
#define SECTILE_NT_H

#define WIN32_LEAN_AND_MEAN
#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#include <windows.h>
#include <winternl.h>

/* What GetCurrentProcess() returns, without a call. */
#define SECTILE_THIS_PROCESS ((HANDLE)(LONG_PTR)-1)

/* The documented form of inheritance of views (wdm.h). */
enum { SECTILE_VIEW_SHARE = 1, SECTILE_VIEW_UNMAP = 2 };
/* MEM_PRESERVE_PLACEHOLDER */
enum { SECTILE_PRESERVE_PLACEHOLDER = 2 };
/* MEM_REPLACE_PLACEHOLDER */
enum { SECTILE_REPLACE_PLACEHOLDER = 0x4000 };

NTSTATUS NTAPI NtMapViewOfSection(HANDLE section, HANDLE process, PVOID *base, ULONG_PTR zero_bits, SIZE_T commit_size,
                                  PLARGE_INTEGER offset, PSIZE_T view_size, DWORD inherit, ULONG allocation_type, ULONG protect);
NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE process, PVOID base);
NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *base, ULONG_PTR zero_bits, PSIZE_T size, ULONG type, ULONG protect);
NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG count, const HANDLE *handles, ULONG wait_type, BOOLEAN alertable,
                                        PLARGE_INTEGER timeout);
NTSTATUS NTAPI NtReleaseMutant(HANDLE mutant, PLONG previous_count);
NTSTATUS NTAPI NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process, PHANDLE target, ACCESS_MASK access,
                                 ULONG attributes, ULONG options);
/* Looks at nothing beyond `length`. */
BOOLEAN NTAPI RtlValidRelativeSecurityDescriptor(PVOID descriptor, ULONG length, ULONG required_parts);
/* Of this thread's last call of Win32 that failed. */
NTSTATUS NTAPI RtlGetLastNtStatus(void);

/* WAIT_TYPE */
enum { SECTILE_WAIT_ALL = 0, SECTILE_WAIT_ANY = 1 };
/* What a wait ends with, beside errors; the first two plus the index of what came. */
#define SECTILE_WAIT_0 ((NTSTATUS)0)
#define SECTILE_ABANDONED_WAIT_0 ((NTSTATUS)0x80)
#define SECTILE_USER_APC ((NTSTATUS)0xC0)
#define SECTILE_TIMEOUT ((NTSTATUS)0x102)
#define SECTILE_NO_MEMORY ((NTSTATUS)0xC0000017)
#define SECTILE_INVALID_HANDLE ((NTSTATUS)0xC0000008)

/* What a version of the system that lacks a call would answer. */
#define SECTILE_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)

#define SECTILE_NO_MEMORY ((NTSTATUS)0xC0000017)
#define SECTILE_INVALID_PARAMETER_3 ((NTSTATUS)0xC00000F1)
#define SECTILE_SHARING_VIOLATION ((NTSTATUS)0xC0000043)

#define SECTILE_SUCCESS(status) ((NTSTATUS)(status) >= 0)

#endif
