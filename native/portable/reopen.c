/*
 * A descriptor opened anew by its path, if that still leads to the same file; of memory without a name, the
 * reader that was made with it. What neither knows cannot be opened again: ENOTSUP.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static bool same_file(int one, int other) {
  struct stat first, second;
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int sectile_reopen(int fd, int reader, bool writes) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  if (!writes && reader >= 0) return fcntl(reader, F_DUPFD_CLOEXEC, 3);
  /* As able as it shall be: a duplicate does, for the position that it shares is used by nobody. */
  if ((flags & O_ACCMODE) == (writes ? O_RDWR : O_RDONLY)) return fcntl(fd, F_DUPFD_CLOEXEC, 3);
  char path[PATH_MAX];
  if (sectile_descriptor_path(fd, path, sizeof path) == 0) {
    int fresh = open(path, O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | (writes ? O_RDWR : O_RDONLY));
    if (fresh >= 0 && same_file(fd, fresh)) return fresh;
    int error = errno;
    if (fresh >= 0) {
      close(fresh);
    } else if (error != ENOENT && error != ELOOP && error != ENOTDIR) {
      errno = error;
      return -1;
    }
  }
  errno = ENOTSUP;
  return -1;
}
