/*
 * A hostile program: tries on a named section what its security descriptor does not grant, and says of each attempt
 * whether it SUCCEEDED or was refused, with the error.
 *
 *   attacker NAME SIZE
 */
#include <aclapi.h>
#include <sddl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

NTSTATUS NTAPI NtExtendSection(HANDLE section, PLARGE_INTEGER size);
NTSTATUS NTAPI NtQuerySection(HANDLE section, int class, PVOID facts, SIZE_T length, PSIZE_T used);

typedef struct {
  PVOID base;
  ULONG attributes;
  LARGE_INTEGER size;
} section_facts;

static void say(const char *attempt, bool succeeded) {
  DWORD error = GetLastError();
  if (succeeded)
    printf("%s SUCCEEDED\n", attempt);
  else
    printf("%s refused %lu\n", attempt, error);
}

static void try_open(const char *attempt, const wchar_t *name, DWORD access) {
  HANDLE handle = OpenFileMappingW(access, FALSE, name);
  say(attempt, handle != NULL);
  if (handle != NULL) CloseHandle(handle);
}

static bool status_is_good(NTSTATUS status) {
  SetLastError((DWORD)status);
  return status >= 0;
}

/* Whether all that may be had is enough to write by. */
static bool maximum_writes(const wchar_t *name) {
  HANDLE handle = OpenFileMappingW(MAXIMUM_ALLOWED, FALSE, name);
  if (handle == NULL) return false;
  PUBLIC_OBJECT_BASIC_INFORMATION facts = {0};
  NtQueryObject(handle, ObjectBasicInformation, &facts, sizeof facts, NULL);
  CloseHandle(handle);
  SetLastError(facts.GrantedAccess);
  return (facts.GrantedAccess & (SECTION_MAP_WRITE | SECTION_EXTEND_SIZE)) != 0;
}

static bool change_security(HANDLE handle) {
  PSECURITY_DESCRIPTOR everything = NULL;
  if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:(A;;GA;;;WD)", SDDL_REVISION_1, &everything, NULL)) return false;
  BOOL set = SetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION, everything);
  LocalFree(everything);
  return set;
}

/* Where the system has no such call, Wine raises an exception in its place. */
static void *no_call[5];
static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception) {
  const DWORD wine_stub = 0x80000100;
  if (exception->ExceptionRecord->ExceptionCode == wine_stub) __builtin_longjmp(no_call, 1);
  return EXCEPTION_CONTINUE_SEARCH;
}

static NTSTATUS extend(HANDLE section, LARGE_INTEGER *size) {
  const NTSTATUS not_implemented = (NTSTATUS)0xC0000002;
  if (__builtin_setjmp(no_call) != 0) return not_implemented;
  return NtExtendSection(section, size);
}

static void attack(const wchar_t *name, LONGLONG size) {
  try_open("open-write", name, SECTION_MAP_WRITE);
  try_open("open-all", name, SECTION_ALL_ACCESS);
  try_open("open-generic-write", name, GENERIC_WRITE);
  try_open("open-write-dac", name, WRITE_DAC);
  try_open("open-write-owner", name, WRITE_OWNER);
  try_open("open-extend", name, SECTION_EXTEND_SIZE);
  say("open-maximum-writes", maximum_writes(name));
  HANDLE over = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 0x1000, name);
  say("create-over", over != NULL);
  if (over != NULL) CloseHandle(over);

  HANDLE section = OpenFileMappingW(SECTION_MAP_WRITE | SECTION_MAP_READ | SECTION_QUERY | SECTION_EXTEND_SIZE, FALSE, name);
  if (section == NULL) section = OpenFileMappingW(SECTION_MAP_READ | SECTION_QUERY, FALSE, name);
  unsigned char *read = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
  say("map-read", read != NULL);
  void *write = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  say("map-write", write != NULL);
  if (write != NULL) UnmapViewOfFile(write);
  DWORD before;
  say("protect-write", VirtualProtect(read, 4096, PAGE_READWRITE, &before));
  say("write-process-memory", WriteProcessMemory(GetCurrentProcess(), read, "evil", 4, NULL));
  HANDLE more = NULL;
  say("duplicate-write", DuplicateHandle(GetCurrentProcess(), section, GetCurrentProcess(), &more, SECTION_MAP_WRITE, FALSE, 0));
  if (more != NULL) CloseHandle(more);
  say("set-security", change_security(section));
  LARGE_INTEGER grown = {.QuadPart = size * 2}, shrunk = {.QuadPart = 4096};
  say("extend-grow", status_is_good(extend(section, &grown)));
  LARGE_INTEGER wanted = shrunk;
  bool answered = status_is_good(extend(section, &wanted));
  /* An answer that only tells the size has changed nothing. */
  say("extend-shrink", answered && wanted.QuadPart == shrunk.QuadPart);
  section_facts facts = {0};
  NtQuerySection(section, 0, &facts, sizeof facts, NULL);
  say("size-kept", facts.size.QuadPart == size);
  say("content-kept", read != NULL && memcmp(read, "kept", 4) == 0);
  if (read != NULL) UnmapViewOfFile(read);
  CloseHandle(section);
}

int wmain(int count, wchar_t **argument) {
  if (count != 3) {
    fprintf(stderr, "usage: attacker NAME SIZE\n");
    return 2;
  }
  AddVectoredExceptionHandler(1, on_exception);
  attack(argument[1], _wtoi64(argument[2]));
  return 0;
}
