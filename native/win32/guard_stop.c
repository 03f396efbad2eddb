/*
 * Holds all other threads of the process still, for as long as a view is exchanged for another at its addresses:
 * between the two the addresses are free, and a thread that runs could be given them. What stands between stop and
 * resume calls nothing but the kernel: a thread that is held may have any lock of user mode.
 */
#include "guard.h"

/* More threads than this are not held; the exchange is then no worse than without. */
enum { MOST_THREADS = 1024 };

NTSTATUS NTAPI NtGetNextThread(HANDLE process, HANDLE thread, ACCESS_MASK access, ULONG attributes, ULONG flags, HANDLE *next);
NTSTATUS NTAPI NtSuspendThread(HANDLE thread, PULONG count);
NTSTATUS NTAPI NtResumeThread(HANDLE thread, PULONG count);
NTSTATUS NTAPI NtGetContextThread(HANDLE thread, PCONTEXT context);

/* Under the guard's lock, like everything here. */
static struct {
  HANDLE handle;
  DWORD id;
} held[MOST_THREADS];
static uint32_t held_count;

static bool is_held(DWORD id) {
  if (id == GetCurrentThreadId()) return true;
  for (uint32_t i = 0; i < held_count; i++) {
    if (held[i].id == id) return true;
  }
  return false;
}

/* Returns when the thread really stands: the kernel gives a running thread's context when it has stopped it. */
static bool stop(HANDLE thread) {
  CONTEXT context = {.ContextFlags = CONTEXT_CONTROL};
  if (!SECTILE_SUCCESS(NtSuspendThread(thread, NULL))) return false; /* it has ended */
  NtGetContextThread(thread, &context);
  return true;
}

/* Stops those threads that run; whether there were any. */
static bool hold_more(void) {
  static const ACCESS_MASK access = THREAD_SUSPEND_RESUME | THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION;
  bool any = false;
  HANDLE thread = NULL, next = NULL;
  bool kept = false; /* `thread` is in the list */
  while (SECTILE_SUCCESS(NtGetNextThread(GetCurrentProcess(), thread, access, 0, 0, &next))) {
    if (thread != NULL && !kept) NtClose(thread);
    thread = next;
    DWORD id = GetThreadId(thread);
    kept = held_count < MOST_THREADS && !is_held(id) && stop(thread);
    if (!kept) continue;
    held[held_count].handle = thread;
    held[held_count++].id = id;
    any = true;
  }
  if (thread != NULL && !kept) NtClose(thread);
  return any;
}

void sectile_guard_stop_others(void) {
  held_count = 0;
  while (hold_more()) { /* a thread may have begun another before it was stopped */
  }
}

void sectile_guard_resume_others(void) {
  for (uint32_t i = 0; i < held_count; i++) {
    NtResumeThread(held[i].handle, NULL);
    NtClose(held[i].handle);
  }
  held_count = 0;
}
