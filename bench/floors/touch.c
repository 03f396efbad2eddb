/*
 * Floor of the first touch: one byte written to every page of a fresh shared mapping. A sample makes
 * a new memory object each time; only the part that MODE names is timed. Arguments: MODE SIZE
 *
 *   sparse     the touch, of memory that nobody set aside
 *   committed  the touch, after fallocate
 *   populate   madvise(MADV_POPULATE_WRITE)
 *   populated  the touch, after that
 *   large      everything, from memfd_create(MFD_HUGETLB) on
 */
#include "floor.h"

#include <linux/memfd.h>

/* Linux 5.14; older C libraries do not name it. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

typedef struct {
  const char *mode;
  size_t size;
} job;

static bool is(const job *what, const char *mode) { return strcmp(what->mode, mode) == 0; }

static void touch(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i += FLOOR_PAGE) ((volatile uint8_t *)bytes)[i] = 1;
}

static uint64_t sample(void *state, uint64_t batch) {
  const job *what = state;
  uint64_t total = 0;
  for (uint64_t i = 0; i < batch; i++) {
    uint64_t begin = floor_now();
    bool large = is(what, "large");
    int fd = floor_memfd(what->size, large || is(what, "committed"), large ? MFD_HUGETLB : 0);
    uint8_t *bytes = floor_map(fd, what->size);
    uint64_t mapped = floor_now();
    if (is(what, "populate") || is(what, "populated")) {
      if (madvise(bytes, what->size, MADV_POPULATE_WRITE) != 0) floor_fail("madvise(MADV_POPULATE_WRITE)");
    }
    uint64_t populated = floor_now();
    touch(bytes, what->size);
    uint64_t end = floor_now();
    total += is(what, "populate") ? populated - mapped : end - (large ? begin : populated);
    for (size_t page = 0; page < what->size; page += FLOOR_PAGE) {
      if (bytes[page] != 1) floor_wrong("a page was not written");
    }
    munmap(bytes, what->size);
    close(fd);
  }
  return total;
}

int main(int argc, char **argv) {
  job what = {.mode = argc > 1 ? argv[1] : "", .size = floor_bytes(argc, argv, 2)};
  return floor_serve(sample, &what);
}
