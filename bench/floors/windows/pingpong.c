/*
 * Floor of the ping-pong: two processes and two words of a section, sequentially consistent C11 atomics, both sides
 * spinning. A batch is so many round trips. The program starts itself as the other side: pingpong NAME answer.
 * Arguments: NAME
 */
#include "floor.h"

#include <stdatomic.h>

/* The same places as in bench/groups/pingpong.ts: 128 bytes apart; and one that tells the other side to spin. */
enum { PING = 0, PONG = 32, WAKE = 64 };

typedef struct {
  _Atomic int32_t *words;
  int32_t last;
  HANDLE wake;
} game;

static uint64_t play(void *state, uint64_t batch) {
  game *me = state;
  int32_t count = (int32_t)batch, first = me->last + 1;
  atomic_store(&me->words[WAKE], count);
  SetEvent(me->wake);
  while (atomic_load(&me->words[PONG]) != -first) {
  }
  uint64_t start = floor_now();
  for (int32_t turn = first; turn < first + count; turn++) {
    atomic_store(&me->words[PING], turn);
    while (atomic_load(&me->words[PONG]) != turn) {
    }
  }
  me->last += count;
  return floor_now() - start;
}

static int answer(_Atomic int32_t *words, HANDLE wake, HANDLE parent) {
  int32_t last = 0;
  HANDLE either[] = {wake, parent};
  while (WaitForMultipleObjects(2, either, FALSE, INFINITE) == WAIT_OBJECT_0) {
    int32_t count = atomic_load(&words[WAKE]);
    atomic_store(&words[PONG], -(last + 1));
    for (int32_t end = last + count; last < end;) {
      last++;
      while (atomic_load(&words[PING]) != last) {
      }
      atomic_store(&words[PONG], last);
    }
  }
  return 0;
}

int wmain(int argc, wchar_t **argv) {
  if (argc < 2) return 2;
  _Atomic int32_t *words = floor_map(floor_open(argv[1]), 4096);
  wchar_t wake_name[300], command[1024], self[MAX_PATH];
  swprintf(wake_name, 300, L"%ls-wake", argv[1]);
  HANDLE wake = CreateEventW(NULL, FALSE, FALSE, wake_name);
  if (wake == NULL) floor_fail("CreateEvent");
  if (argc == 4) {
    HANDLE parent = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)wcstoul(argv[3], NULL, 10));
    return parent == NULL ? 1 : answer(words, wake, parent);
  }
  GetModuleFileNameW(NULL, self, MAX_PATH);
  swprintf(command, 1024, L"\"%ls\" %ls answer %lu", self, argv[1], GetCurrentProcessId());
  STARTUPINFOW startup = {.cb = sizeof startup};
  PROCESS_INFORMATION other;
  if (!CreateProcessW(NULL, command, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &other)) floor_fail("CreateProcess");
  game me = {.words = words, .last = 0, .wake = wake};
  return floor_serve(play, &me);
}
