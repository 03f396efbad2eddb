/*
 * Floor of moving bytes at all: memcpy between two buffers of this process. Argument: SIZE.
 */
#include "floor.h"

typedef struct {
  void *target;
  const void *source;
  size_t size;
} copy;

static uint64_t copy_batch(void *state, uint64_t batch) {
  const copy *job = state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    memcpy(job->target, job->source, job->size);
    FLOOR_BARRIER(job->target);
  }
  return floor_now() - start;
}

static void *touched(size_t size) {
  void *buffer = malloc(size);
  if (buffer == NULL) floor_fail("malloc");
  return memset(buffer, 1, size);
}

int main(int argc, char **argv) {
  size_t size = floor_bytes(argc, argv, 1);
  copy job = {.target = touched(size), .source = touched(size), .size = size};
  return floor_serve(copy_batch, &job);
}
