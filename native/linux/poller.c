/*
 * Sockets watched on Linux, by epoll.
 */
#include "posix/system.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

struct sectile_poller {
  int epoll;
  sectile_bell bell;
};

enum { EVENTS_PER_ROUND = 64 };

static int control(const sectile_poller *poller, int operation, int fd, bool reads, void *subject) {
  /* Hang-ups are reported to a mask of 0 as well. */
  struct epoll_event event = {.events = reads ? EPOLLIN : 0, .data.ptr = subject};
  return epoll_ctl(poller->epoll, operation, fd, &event) == 0 ? 0 : errno;
}

sectile_poller *sectile_poller_open(const char **syscall) {
  sectile_poller *poller = malloc(sizeof *poller);
  *syscall = "malloc";
  if (poller == NULL) return NULL;
  *poller = (sectile_poller){.bell = {-1, -1}};
  *syscall = "epoll_create1";
  poller->epoll = epoll_create1(EPOLL_CLOEXEC);
  int error = poller->epoll < 0 ? errno : sectile_bell_open(&poller->bell, syscall);
  if (error == 0) {
    *syscall = "epoll_ctl";
    error = control(poller, EPOLL_CTL_ADD, poller->bell.reader, true, NULL);
  }
  if (error == 0) return poller;
  sectile_poller_close(poller);
  errno = error;
  return NULL;
}

void sectile_poller_close(sectile_poller *poller) {
  if (poller->epoll >= 0) close(poller->epoll);
  sectile_bell_close(&poller->bell);
  free(poller);
}

int sectile_poller_watch(sectile_poller *poller, int fd, bool reads, void *subject) {
  int error = control(poller, EPOLL_CTL_MOD, fd, reads, subject);
  return error == ENOENT ? control(poller, EPOLL_CTL_ADD, fd, reads, subject) : error;
}

void sectile_poller_forget(sectile_poller *poller, int fd) { control(poller, EPOLL_CTL_DEL, fd, false, NULL); }

int sectile_poller_wait(sectile_poller *poller, sectile_ready *ready, int most, int timeout) {
  /* Level-triggered, each subject once per round: the kernel puts the ready ones in a ring. */
  struct epoll_event events[EVENTS_PER_ROUND];
  int count = epoll_wait(poller->epoll, events, most < EVENTS_PER_ROUND ? most : EVENTS_PER_ROUND, timeout);
  for (int i = 0; i < count; i++) {
    ready[i] = (sectile_ready){events[i].data.ptr, (events[i].events & (EPOLLHUP | EPOLLERR)) != 0};
  }
  return count < 0 ? 0 : count;
}

void sectile_poller_wake(sectile_poller *poller) { sectile_bell_ring(&poller->bell); }
