/*
 * Floor of the ring: one producer, one consumer, messages with a length before each, copied in and copied out. A side that
 * finds nothing to do looks for a while and then sleeps in futex(2), and is woken only when it sleeps. A batch is so many
 * messages. Arguments: SIZE RING BATCH [ahead] [CORE CORE]: bytes of a message and of the ring (a power of two), and how many
 * messages are made known at once. With "ahead" before the cores, it does what Sectile does beyond that: the producer takes the
 * cache lines of free room ahead, the consumer puts off a look that would find little, and neither has a barrier between its
 * position and the look whether the other sleeps, who looks once more after a millisecond instead.
 *
 * Both positions only grow. What does not fit before the ring's end is copied in two parts.
 */
#include "futex.h"
#include "pair.h"

#define LINE 128
#define HEADER 8
#define LOOKS 2000
#define AHEAD 8192
#define FEW 2048
#define STEPS_OFF 100
#define IN_STEP 4

/* One side's position, which only grows and wraps, and whether the other side sleeps until it moves. */
typedef struct {
  _Alignas(LINE) _Atomic uint32_t position;
  _Alignas(LINE) _Atomic uint32_t sleeper;
} end;

typedef struct {
  end written;
  end read;
  _Alignas(LINE) uint8_t bytes[];
} ring;

typedef struct {
  ring *shared;
  size_t ring_size, size, batch;
  uint8_t *message;
  /* Our position, and what we saw of the other's. */
  uint32_t mine, theirs;
  uint32_t number;
  pair *pair;
  bool ahead;
  uint32_t taken; /* up to where the producer has taken lines */
  int in_step;    /* looks of the consumer that found little, less those that did not */
} side;

static void publish(const side *me, end *which, uint32_t position) {
  atomic_store_explicit(&which->position, position, me->ahead ? memory_order_release : memory_order_seq_cst);
  if (atomic_load(&which->sleeper) == 0) return;
  atomic_store(&which->sleeper, 0);
  futex_wake(&which->sleeper);
}

/* Waits until the other side's position is not `seen` any more. */
static uint32_t await(const side *me, end *which, uint32_t seen) {
  for (int looks = 0;; looks++) {
    uint32_t position = atomic_load_explicit(&which->position, memory_order_acquire);
    if (position != seen) return position;
    if (looks < LOOKS) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
      continue;
    }
    atomic_store(&which->sleeper, 1);
    if (atomic_load(&which->position) != seen) continue;
    if (me->ahead)
      futex_wait_for(&which->sleeper, 1, 1);
    else
      futex_wait(&which->sleeper, 1);
  }
}

/* Copies `size` bytes between a message and the ring at a position. */
static void copy_in(side *me, uint32_t position, const void *source, size_t size) {
  size_t at = position & (me->ring_size - 1), first = me->ring_size - at < size ? me->ring_size - at : size;
  memcpy(me->shared->bytes + at, source, first);
  memcpy(me->shared->bytes, (const uint8_t *)source + first, size - first);
}

static void copy_out(side *me, uint32_t position, void *target, size_t size) {
  size_t at = position & (me->ring_size - 1), first = me->ring_size - at < size ? me->ring_size - at : size;
  memcpy(target, me->shared->bytes + at, first);
  memcpy((uint8_t *)target + first, me->shared->bytes, size - first);
}

static uint32_t whole(size_t size) { return HEADER + (((uint32_t)size + 7) & ~7u); }

/* Writes to the room behind the producer's position, which nobody reads. */
static void take_ahead(side *me, uint32_t needed) {
  if (!me->ahead || (int32_t)(me->mine + needed - me->taken) <= 0) return;
  uint32_t at = me->mine & (me->ring_size - 1), free = me->ring_size - (me->mine - me->theirs), length = AHEAD;
  if (length > free) length = free;
  if (length > me->ring_size - at) length = me->ring_size - at;
  if (length > needed) memset(me->shared->bytes + at, 0, length);
  me->taken = me->mine + (length > needed ? length : needed);
}

/* Divisions that wait for each other. */
static void idle(int steps) {
  static volatile double idled = 1;
  double value = idled;
  while (steps-- > 0) value = 1 / (1 + value);
  idled = value;
}

/* What has come, for a consumer that has nothing. */
static uint32_t look(side *me) {
  if (me->ahead && me->in_step >= IN_STEP) idle(STEPS_OFF);
  uint32_t found = await(me, &me->shared->written, me->theirs);
  if (found - me->theirs >= FEW)
    me->in_step -= me->in_step > 0;
  else
    me->in_step += me->in_step < 2 * IN_STEP;
  return found;
}

static uint64_t produce(void *state, uint64_t count) {
  side *me = state;
  ring *shared = me->shared;
  uint32_t needed = whole(me->size);
  pair_begin(me->pair, count);
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < count; i++) {
    for (size_t at = 0; at < me->size; at += FLOOR_PAGE) memcpy(me->message + at, &me->number, sizeof me->number);
    me->number++;
    while (me->mine - me->theirs + needed > me->ring_size) {
      publish(me, &shared->written, me->mine);
      me->theirs = await(me, &shared->read, me->theirs);
    }
    take_ahead(me, needed);
    uint64_t length = me->size;
    copy_in(me, me->mine, &length, sizeof length);
    copy_in(me, me->mine + HEADER, me->message, me->size);
    me->mine += needed;
    if ((i + 1) % me->batch == 0 || i + 1 == count) publish(me, &shared->written, me->mine);
  }
  return pair_end(me->pair) - start;
}

static void consume(void *state, uint64_t count) {
  side *me = state;
  ring *shared = me->shared;
  for (uint64_t i = 0; i < count; i++) {
    if (me->theirs == me->mine) {
      publish(me, &shared->read, me->mine);
      me->theirs = look(me);
    }
    uint64_t length;
    copy_out(me, me->mine, &length, sizeof length);
    if (length != me->size) floor_wrong("a length");
    copy_out(me, me->mine + HEADER, me->message, length);
    for (size_t at = 0; at < me->size; at += FLOOR_PAGE) {
      if (memcmp(me->message + at, &me->number, sizeof me->number) != 0) floor_wrong("a message came in another's place");
    }
    me->number++;
    me->mine += whole(length);
    if ((i + 1) % me->batch == 0 || i + 1 == count) publish(me, &shared->read, me->mine);
  }
}

int main(int argc, char **argv) {
  side me = {.size = floor_bytes(argc, argv, 1), .ring_size = floor_bytes(argc, argv, 2), .batch = floor_bytes(argc, argv, 3)};
  size_t all = sizeof(ring) + me.ring_size;
  me.shared = floor_map(floor_memfd(all, true, 0), all);
  me.message = malloc(me.size);
  if (me.message == NULL) floor_fail("malloc");
  memset(me.message, 0x5a, me.size);
  pair both;
  me.pair = &both;
  me.ahead = argc >= 5 && strcmp(argv[4], "ahead") == 0;
  pair_start(&both, consume, &me, argc, argv, me.ahead ? 5 : 4);
  return floor_serve(produce, &me);
}
