/*
 * The guard of ranges that map no file, but a device or an eBPF map. Only a file promises that each of its
 * pages can be mapped by its offset, and privately too. Elsewhere an offset may choose what is mapped (UIO,
 * V4L2), and there may be no private mappings at all: the range is mapped whole, as at first, or not.
 */
#include "guard_slot.h"

#include <sys/mman.h>
#include <sys/stat.h>

bool sectile_maps_by_page(int fd) {
  struct stat facts;
  return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

bool sectile_page_copy_over(uintptr_t page, size_t size) {
  void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED) return false;
  sectile_copy_if_there(copy, (const void *)page, size);
  if (sectile_page_put_back(copy, page, size)) return true;
  munmap(copy, size);
  return false;
}

void sectile_range_map_anew(const sectile_guard_range *range) {
  /* Elsewhere first: a driver that refuses only when it is asked would leave a hole at the address. */
  void *trial = mmap(NULL, range->length, range->protection, MAP_SHARED, range->fd, range->offset);
  if (trial == MAP_FAILED) return;
  mmap((void *)range->base, range->length, range->protection, MAP_SHARED | MAP_FIXED, range->fd, range->offset);
  munmap(trial, range->length);
}
