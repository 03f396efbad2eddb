/*
 * The address space of a process on Linux, as /proc/self/maps lists it.
 */
#include "posix/system.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int sectile_address_ranges(bool (*each)(void *data, uintptr_t start, uintptr_t end, bool is_file), void *data) {
  FILE *maps = fopen("/proc/self/maps", "re");
  if (maps == NULL) return errno;
  char *line = NULL;
  size_t capacity = 0;
  int error = 0;
  while (error == 0 && getline(&line, &capacity, maps) > 0) {
    uint64_t start, end, inode;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %" SCNu64, &start, &end, &inode) != 3) continue;
    if (!each(data, (uintptr_t)start, (uintptr_t)end, inode != 0)) error = ENOMEM;
  }
  free(line);
  fclose(maps);
  return error;
}
