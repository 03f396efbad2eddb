/*
 * Floor of the copies: memcpy between a view of the very section that JavaScript copies to, and a buffer of the heap.
 * Arguments: NAME SIZE in|out
 */
#include "floor.h"

typedef struct {
  void *target;
  const void *source;
  size_t size;
} copy;

static uint64_t copy_batch(void *state, uint64_t batch) {
  const copy *self = state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    memcpy(self->target, self->source, self->size);
    FLOOR_BARRIER(self->target);
  }
  return floor_now() - start;
}

int wmain(int argc, wchar_t **argv) {
  if (argc != 4) return 2;
  size_t size = wcstoull(argv[2], NULL, 10);
  void *section = floor_map(floor_open(argv[1]), size);
  void *heap = VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  if (heap == NULL) floor_fail("VirtualAlloc");
  memset(heap, 1, size); /* touched before, as ours is */
  bool in = wcscmp(argv[3], L"in") == 0;
  copy self = {.target = in ? section : heap, .source = in ? heap : section, .size = size};
  return floor_serve(copy_batch, &self);
}
