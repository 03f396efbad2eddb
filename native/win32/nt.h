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
/* Looks at nothing beyond `length`. */
BOOLEAN NTAPI RtlValidRelativeSecurityDescriptor(PVOID descriptor, ULONG length, ULONG required_parts);
/* Of this thread's last call of Win32 that failed. */
NTSTATUS NTAPI RtlGetLastNtStatus(void);

/* What a version of the system that lacks a call would answer. */
#define SECTILE_NOT_IMPLEMENTED ((NTSTATUS)0xC0000002)

#define SECTILE_INVALID_PARAMETER_3 ((NTSTATUS)0xC00000F1)
#define SECTILE_SHARING_VIOLATION ((NTSTATUS)0xC0000043)

#define SECTILE_SUCCESS(status) ((NTSTATUS)(status) >= 0)

#endif
