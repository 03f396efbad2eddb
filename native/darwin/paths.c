/*
 * Paths and descriptors on macOS.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

int sectile_descriptor_path(int fd, char *path, size_t capacity) {
  char found[PATH_MAX];
  if (fcntl(fd, F_GETPATH, found) != 0) return errno;
  size_t length = strlen(found);
  if (length >= capacity) return ENAMETOOLONG;
  memcpy(path, found, length + 1);
  return 0;
}

int sectile_path_only_flags(bool link) { return O_EVTONLY | (link ? O_SYMLINK : 0); }

bool sectile_is_path_only(int flags) { return (flags & O_EVTONLY) != 0; }

bool sectile_temporary_folder(char *path, size_t capacity) {
  size_t length = confstr(_CS_DARWIN_USER_TEMP_DIR, path, capacity);
  if (length == 0 || length > capacity) return false;
  if (length > 2 && path[length - 2] == '/') path[length - 2] = '\0';
  return true;
}
