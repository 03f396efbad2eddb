/*
 * POSIX shared memory objects on Linux: files of the tmpfs at /dev/shm.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

int sectile_posix_object_open(const char *name, bool writes) {
  char path[sizeof "/dev/shm/" + NAME_MAX + 1];
  if (snprintf(path, sizeof path, "/dev/shm/%s", name) >= (int)sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  /* Not blocking: a pipe in its place must be refused, not waited for. */
  return open(path, O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | (writes ? O_RDWR : O_RDONLY));
}
