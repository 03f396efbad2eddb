/*
 * A descriptor opened anew on Linux: /proc/self/fd leads to what it is open on, whatever its name is by now.
 */
#include "posix/system.h"

#include <fcntl.h>
#include <stdio.h>

int sectile_reopen(int fd, int reader, bool writes) {
  (void)reader;
  char path[sizeof "/proc/self/fd/" + 3 * sizeof fd];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, O_CLOEXEC | O_NOCTTY | (writes ? O_RDWR : O_RDONLY));
}
