/*
 * What Linux can be told of pages: huge ones, present ones, unneeded ones.
 */
#include "posix/system.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void sectile_advise_huge(void *start, size_t length, bool wanted) {
  madvise(start, length, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

/* Kernels before 5.14 answer EINVAL. */
int sectile_populate(void *start, size_t length, bool for_writing) {
  return madvise(start, length, for_writing ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0 ? 0 : errno;
}

int sectile_discard(void *start, size_t length, int protection) {
  (void)protection;
  return madvise(start, length, MADV_DONTNEED) == 0 ? 0 : errno;
}
