/*
 * The other side of an object that is waited for, in C: creates or opens one by name and does what it is told, line by line.
 *
 *   signals create event|auto-event|semaphore|mutex|timer NAME
 *   signals open event|semaphore|mutex|timer NAME
 *
 * prints "ready 0". Then each line of stdin is answered by one line of stdout:
 *
 *   signal           sets the event, adds 1 to the semaphore, gives the mutex back, has the timer come at once; "done"
 *   reset            "done": the event is not signalled
 *   wait MILLISECONDS  what WaitForSingleObject returns
 *   give PID         the value of a handle on the object that this process has now
 *
 * What it is not able to do is answered by "error" and the system's error number. Ends with its input, and leaves what it
 * owns as it is. Exit code 0, 1 (a call at the start failed: one line on stderr) or 2 (bad usage).
 */
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

static HANDLE create(const wchar_t *kind, const wchar_t *name) {
  if (wcscmp(kind, L"event") == 0) return CreateEventW(NULL, TRUE, FALSE, name);
  if (wcscmp(kind, L"auto-event") == 0) return CreateEventW(NULL, FALSE, FALSE, name);
  if (wcscmp(kind, L"semaphore") == 0) return CreateSemaphoreW(NULL, 0, 1000, name);
  if (wcscmp(kind, L"mutex") == 0) return CreateMutexW(NULL, FALSE, name);
  return CreateWaitableTimerW(NULL, FALSE, name);
}

static HANDLE open_object(const wchar_t *kind, const wchar_t *name) {
  if (wcscmp(kind, L"event") == 0) return OpenEventW(EVENT_ALL_ACCESS, FALSE, name);
  if (wcscmp(kind, L"semaphore") == 0) return OpenSemaphoreW(SEMAPHORE_ALL_ACCESS, FALSE, name);
  if (wcscmp(kind, L"mutex") == 0) return OpenMutexW(MUTEX_ALL_ACCESS, FALSE, name);
  return OpenWaitableTimerW(TIMER_ALL_ACCESS, FALSE, name);
}

static BOOL signal_object(const wchar_t *kind, HANDLE object) {
  LARGE_INTEGER now = {.QuadPart = 0};
  if (wcsstr(kind, L"event") != NULL) return SetEvent(object);
  if (wcscmp(kind, L"semaphore") == 0) return ReleaseSemaphore(object, 1, NULL);
  if (wcscmp(kind, L"mutex") == 0) return ReleaseMutex(object);
  return SetWaitableTimer(object, &now, 0, NULL, NULL, FALSE);
}

static int give(HANDLE object, DWORD pid) {
  HANDLE given = NULL, process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
  const BOOL done =
      process != NULL && DuplicateHandle(GetCurrentProcess(), object, process, &given, 0, TRUE, DUPLICATE_SAME_ACCESS);
  if (!done) return printf("error %lu\n", GetLastError());
  CloseHandle(process);
  return printf("%d\n", (int)(INT_PTR)given);
}

static int tell(BOOL success) { return success ? printf("done\n") : printf("error %lu\n", GetLastError()); }

int wmain(int argc, wchar_t **argv) {
  if (argc != 4 || (wcscmp(argv[1], L"create") != 0 && wcscmp(argv[1], L"open") != 0)) {
    fprintf(stderr, "use: signals create|open event|auto-event|semaphore|mutex|timer NAME\n");
    return 2;
  }
  HANDLE object = wcscmp(argv[1], L"create") == 0 ? create(argv[2], argv[3]) : open_object(argv[2], argv[3]);
  if (object == NULL) {
    fprintf(stderr, "%ls %ls: error %lu\n", argv[1], argv[2], GetLastError());
    return 1;
  }
  printf("ready 0\n");
  fflush(stdout);
  char line[80];
  unsigned long milliseconds, pid;
  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (strncmp(line, "signal", 6) == 0) {
      tell(signal_object(argv[2], object));
    } else if (strncmp(line, "reset", 5) == 0) {
      tell(ResetEvent(object));
    } else if (sscanf(line, "wait %lu", &milliseconds) == 1) {
      printf("%lu\n", WaitForSingleObject(object, milliseconds));
    } else if (sscanf(line, "give %lu", &pid) == 1) {
      give(object, pid);
    } else {
      printf("error %ld\n", (long)ERROR_INVALID_PARAMETER);
    }
    fflush(stdout);
  }
  return 0;
}
