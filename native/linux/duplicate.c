/*
 * A mapping of a mapping on Linux: mremap with an old size of 0 duplicates a shared mapping, and does not
 * ask the object's seals again.
 */
#include "posix/system.h"

#include <sys/mman.h>

void *sectile_duplicate_mapping(void *old, size_t length, void *place, int fd, int64_t offset) {
  (void)fd;
  (void)offset;
  return place != NULL ? mremap(old, 0, length, MREMAP_MAYMOVE | MREMAP_FIXED, place) : mremap(old, 0, length, MREMAP_MAYMOVE);
}
