/*
 * Processes on macOS: a kqueue that hears of the end of one process, and so can be polled for it. The number
 * that it was opened for is noted beside: a kqueue does not tell.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
  pthread_mutex_t lock;
  pid_t *pids; /* by descriptor number; 0: none */
  size_t count;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool remember(int fd, pid_t pid) {
  pthread_mutex_lock(&known.lock);
  bool room = (size_t)fd < known.count;
  if (!room) {
    size_t count = (size_t)fd + 64;
    pid_t *pids = realloc(known.pids, count * sizeof *pids);
    if (pids != NULL) {
      for (size_t i = known.count; i < count; i++) pids[i] = 0;
      known.pids = pids;
      known.count = count;
      room = true;
    }
  }
  if (room) known.pids[fd] = pid;
  pthread_mutex_unlock(&known.lock);
  return room;
}

int sectile_process_open(pid_t pid) {
  int queue = kqueue();
  if (queue < 0) return -1;
  struct kevent end;
  EV_SET(&end, pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
  int error = ENOMEM;
  if (fcntl(queue, F_SETFD, FD_CLOEXEC) != 0 || kevent(queue, &end, 1, NULL, 0, NULL) != 0) {
    error = errno;
  } else if (remember(queue, pid)) {
    return queue;
  }
  close(queue);
  errno = error;
  return -1;
}

pid_t sectile_process_id(int process) {
  pthread_mutex_lock(&known.lock);
  pid_t pid = (size_t)process < known.count ? known.pids[process] : 0;
  pthread_mutex_unlock(&known.lock);
  errno = EINVAL;
  return pid > 0 ? pid : -1;
}

int sectile_process_ending(int process, siginfo_t *end) {
  pid_t pid = sectile_process_id(process);
  if (pid < 0) return errno;
  int status;
  do {
    status = waitid(P_PID, (id_t)pid, end, WEXITED | WNOHANG | WNOWAIT);
  } while (status != 0 && errno == EINTR);
  return status == 0 ? 0 : errno;
}

/* Looked at first, so that the number is not a later process's; between look and signal it could become that. */
int sectile_process_kill(int process) {
  struct pollfd ended = {.fd = process, .events = POLLIN};
  pid_t pid = sectile_process_id(process);
  if (pid < 0) return errno;
  if (poll(&ended, 1, 0) != 0) return ESRCH;
  return kill(pid, SIGKILL) == 0 ? 0 : errno;
}

/* Microseconds since 1970. */
int sectile_process_start(pid_t pid, uint64_t *start) {
  struct proc_bsdinfo facts;
  int got = proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &facts, sizeof facts);
  if (got != (int)sizeof facts) return kill(pid, 0) != 0 && errno == ESRCH ? ESRCH : EPERM;
  if (facts.pbi_status == SZOMB) return ESRCH;
  *start = facts.pbi_start_tvsec * 1000000 + facts.pbi_start_tvusec;
  return 0;
}

int sectile_process_command(pid_t pid, char *command, size_t capacity, size_t *length) {
  char path[PROC_PIDPATHINFO_MAXSIZE];
  int got = proc_pidpath(pid, path, sizeof path);
  if (got <= 0) return errno;
  if ((size_t)got >= capacity) return ENAMETOOLONG;
  memcpy(command, path, (size_t)got);
  *length = (size_t)got;
  return 0;
}

int sectile_process_namespace(uint64_t *number) {
  *number = 0;
  return 0;
}
