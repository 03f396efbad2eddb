/*
 * Paths and descriptors on Linux: /proc/self/fd leads from one to the other.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int sectile_descriptor_path(int fd, char *path, size_t capacity) {
  char link[sizeof "/proc/self/fd/" + 3 * sizeof fd];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, capacity);
  if (length < 0) return errno;
  if ((size_t)length >= capacity) return ENAMETOOLONG;
  path[length] = '\0';
  return 0;
}

int sectile_path_only_flags(bool link) {
  (void)link; /* O_NOFOLLOW, which the caller sets, means it */
  return O_PATH;
}

bool sectile_is_path_only(int flags) { return (flags & O_PATH) != 0; }

bool sectile_temporary_folder(char *path, size_t capacity) {
  const char *named = getenv("TMPDIR");
  int length = snprintf(path, capacity, "%s", named != NULL && named[0] == '/' ? named : "/tmp");
  return length > 0 && (size_t)length < capacity;
}
