/*
 * Storage set aside on Linux: by fallocate, in steps, so that a signal undoes one step and not all.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>

#define STEP ((int64_t)64 << 20)

int sectile_allocate(int fd, int64_t offset, int64_t length) {
  while (length > 0) {
    int64_t step = length < STEP ? length : STEP;
    int error = fallocate(fd, 0, (off_t)offset, (off_t)step) == 0 ? 0 : errno;
    /* A file system without the call: the C library writes to each block instead. */
    if (error == EOPNOTSUPP || error == ENOSYS) error = posix_fallocate(fd, (off_t)offset, (off_t)step);
    if (error == EINTR) continue;
    if (error != 0) return error;
    offset += step;
    length -= step;
  }
  return 0;
}
