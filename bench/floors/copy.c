/*
 * Floor of the copies: memcpy between the very section that JavaScript copies to, inherited as
 * descriptor 3, and a buffer from calloc, which is where Node's buffers come from too. Both are
 * touched before. Arguments: in|out SIZE ALIGNMENT HUGE
 *
 * Nothing is written to the section before it is asked to: JavaScript is at work on it too.
 * ALIGNMENT and HUGE (0 or 1: ask for transparent huge pages) repeat how our view is mapped, so that
 * neither side wins by its page size.
 */
#include "floor.h"

#define SECTION_FD 3

typedef struct {
  void *target;
  const void *source;
  size_t size;
  bool checked;
} copy;

static uint64_t copy_batch(void *state, uint64_t batch) {
  copy *job = state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    memcpy(job->target, job->source, job->size);
    FLOOR_BARRIER(job->target);
  }
  uint64_t elapsed = floor_now() - start;
  if (!job->checked && memcmp(job->target, job->source, job->size) != 0) floor_wrong("the copy differs");
  job->checked = true;
  return elapsed;
}

/* Maps the section at a multiple of `alignment`: reserves more, then maps over the aligned part. */
static void *map_aligned(size_t size, size_t alignment) {
  uint8_t *room = mmap(NULL, size + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) floor_fail("mmap");
  uint8_t *base = room + (alignment - (uintptr_t)room % alignment) % alignment;
  void *view = mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, SECTION_FD, 0);
  if (view == MAP_FAILED) floor_fail("mmap of descriptor 3");
  return view;
}

int main(int argc, char **argv) {
  size_t size = floor_bytes(argc, argv, 2);
  void *section = map_aligned(size, floor_bytes(argc, argv, 3));
  if (floor_bytes(argc, argv, 4) == 1) madvise(section, size, MADV_HUGEPAGE);
  uint8_t *heap = calloc(1, size);
  if (heap == NULL) floor_fail("calloc");
  for (size_t i = 0; i < size; i++) heap[i] = (uint8_t)(i * 7 + i / FLOOR_PAGE);
  bool in = strcmp(argv[1], "in") == 0;
  copy job = {.target = in ? section : heap, .source = in ? heap : section, .size = size};
  return floor_serve(copy_batch, &job);
}
