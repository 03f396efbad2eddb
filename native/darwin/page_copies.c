/*
 * Which pages of a private mapping are copies, on macOS: those in memory, or swapped out, whose page belongs
 * to no file any more (mincore(2)).
 */
#include "posix/system.h"

#include <sys/mman.h>
#include <unistd.h>

bool sectile_is_copy(uintptr_t start, uintptr_t end, size_t page_size, uintptr_t *until) {
  enum { MOST = 512 };
  size_t host_page = (size_t)sysconf(_SC_PAGESIZE);
  char entries[MOST];
  bool first = true, copy = false;
  for (uintptr_t page = start; page < end;) {
    size_t count = (end - page) / host_page < MOST ? (end - page) / host_page : MOST;
    if (mincore((const void *)page, count * host_page, entries) != 0) break; /* the host does not tell: nothing is a copy */
    for (size_t i = 0; i < count; i++, page += host_page) {
      bool this_one =
          (entries[i] & (MINCORE_INCORE | MINCORE_PAGED_OUT)) != 0 && ((unsigned char)entries[i] & MINCORE_ANONYMOUS) != 0;
      if (!first && this_one != copy) {
        *until = page & ~(uintptr_t)(page_size - 1);
        return copy;
      }
      copy = this_one;
      first = false;
    }
  }
  *until = end;
  return copy;
}
