/*
 * POSIX shared memory objects on macOS: a space of names of their own, of at most 31 characters.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int sectile_posix_object_open(const char *name, bool writes) {
  char path[NAME_MAX];
  if (snprintf(path, sizeof path, "/%s", name) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return shm_open(path, writes ? O_RDWR : O_RDONLY, 0); /* always closed on exec */
}
