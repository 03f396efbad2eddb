/*
 * Floor of the telemetry sample: a sequence lock over SIZE bytes that another process rewrites 50
 * times a second; the reader copies them out until it has one consistent sample. Argument: SIZE.
 */
#include "floor.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>

#define RATE 50

/* The sequence has a cache line of its own before the values, as in bench/sample.ts. */
typedef struct {
  _Alignas(64) _Atomic uint32_t sequence;
  _Alignas(64) double values[];
} sample;

typedef struct {
  sample *shared;
  double *copy;
  size_t size;
} reader;

static void publish(sample *shared, size_t count) {
  const struct timespec pause = {.tv_nsec = 1000000000 / RATE};
  for (double tick = 1;; tick++) {
    uint32_t sequence = atomic_load_explicit(&shared->sequence, memory_order_relaxed);
    atomic_store_explicit(&shared->sequence, sequence + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    for (size_t i = 0; i < count; i++) shared->values[i] = tick + (double)i;
    atomic_store_explicit(&shared->sequence, sequence + 2, memory_order_release);
    nanosleep(&pause, NULL);
  }
}

static uint64_t read_samples(void *state, uint64_t batch) {
  reader *me = state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    uint32_t before, after;
    do {
      before = atomic_load_explicit(&me->shared->sequence, memory_order_acquire);
      memcpy(me->copy, me->shared->values, me->size);
      FLOOR_BARRIER(me->copy);
      atomic_thread_fence(memory_order_acquire);
      after = atomic_load_explicit(&me->shared->sequence, memory_order_relaxed);
    } while (before % 2 != 0 || before != after);
  }
  uint64_t elapsed = floor_now() - start;
  for (size_t i = 0; i < me->size / sizeof(double); i++) {
    if (me->copy[i] != me->copy[0] + (double)i) floor_wrong("a sample is torn");
  }
  return elapsed;
}

int main(int argc, char **argv) {
  size_t size = floor_bytes(argc, argv, 1);
  size_t whole = sizeof(sample) + size;
  reader me = {.shared = floor_map(floor_memfd(whole, true, 0), whole), .copy = calloc(1, size), .size = size};
  if (me.copy == NULL) floor_fail("calloc");
  pid_t writer = fork();
  if (writer < 0) floor_fail("fork");
  if (writer == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    publish(me.shared, size / sizeof(double));
  }
  while (atomic_load(&me.shared->sequence) < 2) {
  }
  return floor_serve(read_samples, &me);
}
