/*
 * Sockets and pipes where only streams are there, and a descriptor can be marked only after it was made.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Room for the longest message, so that a peer that reads has it in one piece. */
static const int buffer_size = (int)SECTILE_MAX_MESSAGE + (64 << 10);

/* Closes it where that fails. */
static int mark(int fd, bool non_blocking) {
  int flags = fcntl(fd, F_GETFL);
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && flags >= 0 &&
      fcntl(fd, F_SETFL, non_blocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0) {
    return fd;
  }
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static int prepare(int fd, bool non_blocking) {
  if (fd < 0) return -1;
  /* Wishes: a system that gives less has messages go through in pieces. */
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_size, sizeof buffer_size);
#ifdef SO_NOSIGPIPE
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
  return mark(fd, non_blocking);
}

int sectile_socket(bool non_blocking) { return prepare(socket(AF_UNIX, SOCK_STREAM, 0), non_blocking); }

int sectile_accept(int listener) { return prepare(accept(listener, NULL, NULL), true); }

int sectile_pipe(int ends[2]) {
  if (pipe(ends) != 0) return -1;
  int reader = mark(ends[0], true), writer = mark(ends[1], true);
  if (reader >= 0 && writer >= 0) return 0;
  int error = errno;
  if (reader >= 0) close(reader);
  if (writer >= 0) close(writer);
  errno = error;
  return -1;
}
