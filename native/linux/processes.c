/*
 * Processes on Linux: pidfds.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not in the headers of every C library that has the system calls. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Always closed on exec. */
int sectile_process_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

pid_t sectile_process_id(int process) {
  char path[sizeof "/proc/self/fdinfo/" + 3 * sizeof process], text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", process);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  text[length < 0 ? 0 : length] = '\0';
  const char *line = strstr(text, "\nPid:");
  long pid = line == NULL ? 0 : strtol(line + 5, NULL, 10);
  errno = ESRCH; /* -1: it has been reaped, 0: not in this namespace */
  return pid > 0 ? (pid_t)pid : -1;
}

int sectile_process_ending(int process, siginfo_t *end) {
  int status;
  do {
    status = waitid((idtype_t)P_PIDFD, (id_t)process, end, WEXITED | WNOHANG | WNOWAIT);
  } while (status != 0 && errno == EINTR);
  return status == 0 ? 0 : errno;
}

int sectile_process_kill(int process) { return syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0 ? 0 : errno; }
