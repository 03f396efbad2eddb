/*
 * Memory objects where the system has none without a name: files that lose theirs at once. Nothing holds
 * their size but that nobody else has them; nothing is sealed.
 */
#include "reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Both descriptors are of one file that has no name any more. */
static int make_file(int *fd, int *reader, const char **syscall) {
  char path[PATH_MAX];
  *syscall = "mkstemp";
  if (!sectile_temporary_folder(path, sizeof path - sizeof "/sectile.XXXXXX")) return ENAMETOOLONG;
  strcat(path, "/sectile.XXXXXX");
  *fd = mkstemp(path);
  if (*fd < 0) return errno;
  *syscall = "open";
  /* mkstemp made it for this user alone, and the folder keeps others from taking its name away. */
  *reader = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  int error = *reader < 0 || fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0 ? errno : 0;
  unlink(path);
  return error;
}

int sectile_memory_make(const sectile_memory_wish *wish, int *fd, const char **syscall) {
  int reader = -1;
  *fd = -1;
  *syscall = "large pages";
  if (wish->large_page_size != 0) return ENOSYS;
  int error = make_file(fd, &reader, syscall);
  if (error == 0) error = sectile_memory_file_fill(*fd, wish, syscall);
  if (error == 0) {
    sectile_reader_beside(*fd, reader);
    return 0;
  }
  if (*fd >= 0) close(*fd);
  if (reader >= 0) close(reader);
  *fd = -1;
  return error;
}

bool sectile_memory_can_seal(void) { return false; }

int sectile_memory_seal(int fd, uint32_t seals) {
  (void)fd;
  (void)seals;
  return ENOSYS;
}

int sectile_memory_seals(int fd) {
  (void)fd;
  return -1;
}
