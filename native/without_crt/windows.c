/*
 * What a C library does for a library of Windows before its code runs: thread-local storage and the stack's guard; and a snprintf
 * that always ends its text. With these, prebuilt addons need the system's msvcrt.dll alone. The cross compiler would else
 * compile a C library of some five hundred files for each processor, for three thread-local variables. MinGW's own compiler has
 * that library ready, and takes it in place of this.
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- thread-local storage: the directory is found by its name; sections of one name are sorted by what follows $ ---- */

extern ULONG _tls_index;
ULONG _tls_index;
__attribute__((section(".tls"))) static char first_byte;
__attribute__((section(".tls$ZZZ"))) static char last_byte;
__attribute__((section(".CRT$XLZ"))) static const PIMAGE_TLS_CALLBACK no_callbacks;

extern const IMAGE_TLS_DIRECTORY _tls_used;
__attribute__((used)) const IMAGE_TLS_DIRECTORY _tls_used = {
    .StartAddressOfRawData = (ULONG_PTR)&first_byte,
    .EndAddressOfRawData = (ULONG_PTR)&last_byte,
    .AddressOfIndex = (ULONG_PTR)&_tls_index,
    .AddressOfCallBacks = (ULONG_PTR)&no_callbacks,
};

/* ---- the stack's guard, which compiled code reads and compares ---- */

extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard = 0x5ec7118f1d2c3b4a;

__attribute__((noreturn)) void __stack_chk_fail(void);
void __stack_chk_fail(void) {
  RaiseFailFastException(NULL, NULL, 0);
  __builtin_trap();
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved);
BOOL WINAPI sectile_start(HINSTANCE self, DWORD reason, LPVOID reserved);

/* The guard becomes another in each process, from what nobody outside knows: a loader's lock allows no better source. */
__attribute__((no_stack_protector)) BOOL WINAPI sectile_start(HINSTANCE self, DWORD reason, LPVOID reserved) {
  if (reason == DLL_PROCESS_ATTACH) {
    LARGE_INTEGER ticks;
    FILETIME time;
    QueryPerformanceCounter(&ticks);
    GetSystemTimeAsFileTime(&time);
    uint64_t mixed = (uint64_t)ticks.QuadPart ^ ((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) << 16;
    mixed ^= (uintptr_t)&ticks ^ (uintptr_t)self << 20 ^ (uint64_t)GetCurrentProcessId() << 40 ^ GetCurrentThreadId();
    mixed *= 0x9e3779b97f4a7c15;
    /* Its lowest byte, the first in memory, ends a text that runs over. */
    __stack_chk_guard ^= (mixed ^ mixed >> 29) << 8;
    __stack_chk_guard &= ~(uintptr_t)0xff;
  }
  return DllMain(self, reason, reserved);
}

/* ---- text ---- */

/* The name that MinGW's headers give to the standard's vsnprintf. The system's own may leave a text without an end. */
int __mingw_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int __mingw_vsnprintf(char *buffer, size_t size, const char *format, va_list arguments) {
  if (size == 0) return -1;
  int written = _vsnprintf(buffer, size - 1, format, arguments);
  buffer[size - 1] = '\0';
  return written;
}
