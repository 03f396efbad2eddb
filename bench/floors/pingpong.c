/*
 * Floor of the ping-pong: two processes and two words of a memfd, each on a cache line of its own,
 * sequentially consistent C11 atomics, both sides spinning. A batch is so many round trips.
 * Arguments: the processors of the two sides, or none.
 */
#include "pair.h"

/* The same places as in bench/groups/pingpong.ts: 128 bytes apart. */
#define PONG 32

typedef struct {
  _Atomic int32_t *words;
  int32_t last;
  pair *pair;
} game;

/* Sends `batch` pings; the other process is awake before the clock runs. */
static uint64_t play(void *state, uint64_t batch) {
  game *me = state;
  pair_begin(me->pair, batch);
  int32_t first = me->last + 1;
  uint64_t start = floor_now();
  for (int32_t turn = first; turn < first + (int32_t)batch; turn++) {
    atomic_store(&me->words[0], turn);
    while (atomic_load(&me->words[PONG]) != turn) {
    }
  }
  me->last += (int32_t)batch;
  return floor_now() - start;
}

static void answer(void *state, uint64_t count) {
  game *me = state;
  for (int32_t end = me->last + (int32_t)count; me->last < end;) {
    me->last++;
    while (atomic_load(&me->words[0]) != me->last) {
    }
    atomic_store(&me->words[PONG], me->last);
  }
}

int main(int argc, char **argv) {
  pair both;
  game me = {.words = floor_map(floor_memfd(FLOOR_PAGE, true, 0), FLOOR_PAGE), .last = 0, .pair = &both};
  pair_start(&both, answer, &me, argc, argv, 1);
  return floor_serve(play, &me);
}
