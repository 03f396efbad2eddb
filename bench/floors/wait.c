/*
 * Floors of waiting: two processes that sleep in futex(2) on words of a memfd.
 *
 *   trip [CORE CORE]      round trips: each side stores, wakes, and sleeps until the other has
 *   look [CORE CORE]      the same, but a side looks for 50 microseconds before it sleeps
 *   wake GAP              one batch is a wake-up: from before the store until the sleeper has read the clock. GAP is the
 *                         nanoseconds between two, in which the other side falls asleep.
 */
#include "futex.h"
#include "pair.h"

/* On lines of their own. */
typedef struct {
  _Alignas(128) _Atomic uint32_t ping;
  _Alignas(128) _Atomic uint32_t pong;
  _Alignas(128) uint64_t time;
} words;

typedef struct {
  words *shared;
  uint32_t last;
  pair *pair;
  struct timespec gap; /* none: nobody asks when the other side is awake */
  uint64_t patience;   /* nanoseconds */
} game;

static bool is_there_soon(_Atomic uint32_t *word, uint32_t value, uint64_t patience) {
  uint64_t start = floor_now();
  do {
    for (int looks = 0; looks < 16; looks++) {
      if (atomic_load(word) == value) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  } while (floor_now() - start < patience);
  return false;
}

static void sleep_until(const game *me, _Atomic uint32_t *word, uint32_t value) {
  if (me->patience > 0 && is_there_soon(word, value, me->patience)) return;
  for (;;) {
    uint32_t seen = atomic_load(word);
    if (seen == value) return;
    futex_wait(word, seen);
  }
}

static void tell(_Atomic uint32_t *word, uint32_t value) {
  atomic_store(word, value);
  futex_wake(word);
}

static uint64_t play(void *state, uint64_t batch) {
  game *me = state;
  pair_begin(me->pair, batch);
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    tell(&me->shared->ping, ++me->last);
    sleep_until(me, &me->shared->pong, me->last);
  }
  return floor_now() - start;
}

static void answer(void *state, uint64_t count) {
  game *me = state;
  for (uint64_t i = 0; i < count; i++) {
    sleep_until(me, &me->shared->ping, ++me->last);
    if (me->gap.tv_nsec > 0) me->shared->time = floor_now();
    tell(&me->shared->pong, me->last);
  }
}

static uint64_t wake(void *state, uint64_t batch) {
  game *me = state;
  uint64_t sum = 0;
  pair_begin(me->pair, batch);
  for (uint64_t i = 0; i < batch; i++) {
    nanosleep(&me->gap, NULL);
    uint64_t start = floor_now();
    tell(&me->shared->ping, ++me->last);
    sleep_until(me, &me->shared->pong, me->last);
    sum += me->shared->time - start;
  }
  return sum;
}

int main(int argc, char **argv) {
  pair both;
  game me = {.shared = floor_map(floor_memfd(FLOOR_PAGE, true, 0), FLOOR_PAGE), .pair = &both};
  if (argc >= 2 && (strcmp(argv[1], "trip") == 0 || strcmp(argv[1], "look") == 0)) {
    me.patience = argv[1][0] == 'l' ? 50000 : 0;
    pair_start(&both, answer, &me, argc, argv, 2);
    return floor_serve(play, &me);
  }
  if (argc >= 3 && strcmp(argv[1], "wake") == 0) {
    me.gap.tv_nsec = (long)floor_bytes(argc, argv, 2);
    pair_start(&both, answer, &me, argc, argv, 3);
    return floor_serve(wake, &me);
  }
  fprintf(stderr, "usage: wait trip|look [CORE CORE] | wait wake GAP [CORE CORE]\n");
  return 2;
}
