/*
 * The address space of a process on Linux.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

int64_t sectile_most_mappings(void) {
  static _Atomic int64_t known;
  int64_t most = atomic_load(&known);
  if (most != 0) return most;
  char text[24] = "";
  int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  most = length > 0 ? strtoll(text, NULL, 10) : 65530;
  atomic_store(&known, most);
  return most;
}

int sectile_reserve_at(uintptr_t address, size_t length) {
  void *got = mmap((void *)address, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == MAP_FAILED) return errno;
  if (got == (void *)address) return 0;
  munmap(got, length); /* a kernel before 4.17 takes the address for a hint */
  return EEXIST;
}
