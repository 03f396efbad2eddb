/*
 * Storage set aside on macOS: F_PREALLOCATE gives it behind the end of a file. For the holes of a sparse file
 * there is no such call: whether the volume has room is all that can be asked.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

static int grow(int fd, int64_t from, int64_t to) {
  fstore_t request = {.fst_flags = F_ALLOCATEALL, .fst_posmode = F_PEOFPOSMODE, .fst_length = (off_t)(to - from)};
  /* A file system without preallocation (a network's) gives storage when it is written. */
  if (fcntl(fd, F_PREALLOCATE, &request) != 0 && errno != ENOTSUP && errno != EINVAL) return errno;
  return ftruncate(fd, (off_t)to) == 0 ? 0 : errno;
}

static int ask_for_room(int fd, int64_t length) {
  struct statfs volume;
  if (fstatfs(fd, &volume) != 0) return errno;
  return (uint64_t)length / volume.f_bsize < volume.f_bavail ? 0 : ENOSPC;
}

int sectile_allocate(int fd, int64_t offset, int64_t length) {
  struct stat file;
  if (fstat(fd, &file) != 0) return errno;
  int64_t end = offset + length;
  if (offset < file.st_size) {
    int error = ask_for_room(fd, (end < file.st_size ? end : file.st_size) - offset);
    if (error != 0) return error;
  }
  return end > file.st_size ? grow(fd, file.st_size, end) : 0;
}
