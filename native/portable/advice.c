/*
 * Pages where nothing can be said of them beforehand: they are touched to be present, and mapped anew to be
 * zeros.
 */
#include "posix/system.h"

#include <errno.h>
#include <sys/mman.h>

void sectile_advise_huge(void *start, size_t length, bool wanted) {
  (void)start;
  (void)length;
  (void)wanted;
}

int sectile_populate(void *start, size_t length, bool for_writing) {
  (void)start;
  (void)length;
  (void)for_writing;
  return EINVAL;
}

int sectile_discard(void *start, size_t length, int protection) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  return mmap(start, length, protection, flags, -1, 0) == MAP_FAILED ? errno : 0;
}
