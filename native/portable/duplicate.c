/*
 * A mapping of a mapping, where no object has seals that could forbid the second one: the object is mapped
 * again.
 */
#include "posix/system.h"

#include <sys/mman.h>

void *sectile_duplicate_mapping(void *old, size_t length, void *place, int fd, int64_t offset) {
  (void)old;
  return mmap(place, length, PROT_READ | PROT_WRITE, MAP_SHARED | (place != NULL ? MAP_FIXED : 0), fd, (off_t)offset);
}
