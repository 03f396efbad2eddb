/*
 * A descriptor opened anew by its path, if that still leads to the same file. Memory without a name has none: beside
 * each number that it is open under in the process that made it, there is a second one that only reads. What neither
 * knows cannot be opened again: ENOSYS.
 */
#include "reopen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
  pthread_mutex_t lock;
  int *numbers; /* by the number of what writes; -1: none */
  size_t count;
} readers = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Puts a reader beside a number, and gives back the one that was there. */
static int exchange(int fd, int reader) {
  int before = -1;
  pthread_mutex_lock(&readers.lock);
  if ((size_t)fd >= readers.count && reader >= 0) {
    size_t count = (size_t)fd + 256;
    int *numbers = realloc(readers.numbers, count * sizeof *numbers);
    if (numbers != NULL) {
      for (size_t i = readers.count; i < count; i++) numbers[i] = -1;
      readers.numbers = numbers;
      readers.count = count;
    }
  }
  if ((size_t)fd < readers.count) {
    before = readers.numbers[fd];
    readers.numbers[fd] = reader;
  } else {
    before = reader; /* no memory to note it in */
  }
  pthread_mutex_unlock(&readers.lock);
  return before;
}

void sectile_reader_beside(int fd, int reader) {
  int before = exchange(fd, reader);
  if (before >= 0) close(before);
}

/* A new descriptor that only reads, of what is open under a number; -1: none is known. */
static int duplicate_reader(int fd) {
  int found = -1;
  pthread_mutex_lock(&readers.lock);
  if (fd >= 0 && (size_t)fd < readers.count && readers.numbers[fd] >= 0) {
    found = fcntl(readers.numbers[fd], F_DUPFD_CLOEXEC, 3);
  }
  pthread_mutex_unlock(&readers.lock);
  return found;
}

int sectile_duplicate(int fd) {
  int fresh = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (fresh < 0) return -1;
  int reader = duplicate_reader(fd);
  if (reader >= 0) sectile_reader_beside(fresh, reader);
  return fresh;
}

void sectile_forget(int fd) { sectile_reader_beside(fd, -1); }

void sectile_close(int fd) {
  sectile_forget(fd); /* before somebody else has the number */
  close(fd);
}

static bool same_file(int one, int other) {
  struct stat first, second;
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int sectile_reopen(int fd, bool writes) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  int known = writes ? -1 : duplicate_reader(fd);
  if (known >= 0) return known;
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
  errno = ENOSYS;
  return -1;
}
