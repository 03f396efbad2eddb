/*
 * Floor of the ping-pong: two processes and two words of a memfd, each on a cache line of its own,
 * sequentially consistent C11 atomics, both sides spinning. A batch is so many round trips.
 * Arguments: the processors of the two sides, or none.
 */
#include "floor.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

/* The same places as in bench/groups/pingpong.ts: 128 bytes apart. */
#define PONG 32

typedef struct {
  _Atomic int32_t *words;
  int32_t last;
  int wake;
} game;

/* Sends `batch` pings; the other process is told the number first and is awake before the clock runs. */
static uint64_t play(void *state, uint64_t batch) {
  game *me = state;
  int32_t count = (int32_t)batch;
  if (write(me->wake, &count, sizeof count) != sizeof count) floor_fail("write");
  int32_t first = me->last + 1;
  while (atomic_load(&me->words[PONG]) != -first) {
  }
  uint64_t start = floor_now();
  for (int32_t turn = first; turn < first + count; turn++) {
    atomic_store(&me->words[0], turn);
    while (atomic_load(&me->words[PONG]) != turn) {
    }
  }
  me->last += count;
  return floor_now() - start;
}

static void answer(_Atomic int32_t *words, int sleep) {
  int32_t last = 0, count;
  while (read(sleep, &count, sizeof count) == sizeof count) {
    atomic_store(&words[PONG], -(last + 1));
    for (int32_t end = last + count; last < end;) {
      last++;
      while (atomic_load(&words[0]) != last) {
      }
      atomic_store(&words[PONG], last);
    }
  }
}

/* Keeps this process on the processor that the argument at `index` names, if there is one. */
static void pin(int argc, char **argv, int index) {
  if (index >= argc) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(floor_bytes(argc, argv, index), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) floor_fail("sched_setaffinity");
}

int main(int argc, char **argv) {
  _Atomic int32_t *words = floor_map(floor_memfd(FLOOR_PAGE, true, 0), FLOOR_PAGE);
  int channel[2];
  if (pipe(channel) != 0) floor_fail("pipe");
  pid_t other = fork();
  if (other < 0) floor_fail("fork");
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(channel[1]);
    pin(argc, argv, 2);
    answer(words, channel[0]);
    _exit(0);
  }
  pin(argc, argv, 1);
  game me = {.words = words, .last = 0, .wake = channel[1]};
  return floor_serve(play, &me);
}
