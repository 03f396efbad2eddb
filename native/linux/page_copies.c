/*
 * Which pages of a private mapping are copies, on Linux: /proc/self/pagemap says it of each page.
 */
#include "posix/system.h"

#include <fcntl.h>
#include <unistd.h>

static int pagemap(void) {
  static _Atomic int known = -1;
  int fd = atomic_load(&known);
  if (fd >= 0) return fd;
  fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  int none = -1;
  if (fd >= 0 && !atomic_compare_exchange_strong(&known, &none, fd)) {
    close(fd);
    fd = none;
  }
  return fd;
}

bool sectile_is_copy(uintptr_t start, uintptr_t end, size_t page_size, uintptr_t *until) {
  enum { MOST = 512 };
  const uint64_t present = (uint64_t)1 << 63, swapped = (uint64_t)1 << 62, of_file = (uint64_t)1 << 61;
  uint64_t host_page = (uint64_t)sysconf(_SC_PAGESIZE), entries[MOST];
  bool first = true, copy = false;
  for (uintptr_t page = start; page < end;) {
    size_t count = (end - page) / host_page < MOST ? (end - page) / host_page : MOST;
    ssize_t got = pread(pagemap(), entries, count * sizeof *entries, (off_t)(page / host_page * sizeof *entries));
    if (got < (ssize_t)sizeof *entries) break; /* the host does not tell: nothing is a copy */
    for (size_t i = 0; i < (size_t)got / sizeof *entries; i++, page += host_page) {
      bool this_one = (entries[i] & (present | swapped)) != 0 && (entries[i] & of_file) == 0;
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
