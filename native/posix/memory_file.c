/*
 * Memory objects that are files: for a name that others find, where they are not taken from a holder.
 */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int sectile_memory_file_fill(int fd, const sectile_memory_wish *wish, const char **syscall) {
  bool sparse = wish->commit == SECTILE_COMMIT_NONE;
  uint64_t size = sparse ? sectile_commit_map_total(wish->size) : wish->size;
  *syscall = sparse ? "ftruncate" : "allocate";
  if (!sectile_file_size_allowed(size)) return EFBIG;
  if (!sparse) return sectile_allocate(fd, 0, (int64_t)size);
  return ftruncate(fd, (off_t)size) == 0 ? 0 : errno;
}

int sectile_memory_file_make(const char *path, const sectile_memory_wish *wish, int *fd, const char **syscall) {
  *syscall = "open";
  *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (*fd < 0) return errno;
  int error = sectile_memory_file_fill(*fd, wish, syscall);
  if (error == 0) return 0;
  unlink(path);
  close(*fd);
  *fd = -1;
  return error;
}
