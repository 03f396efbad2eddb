/*
 * Processes on Linux: pidfds.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Not in the headers of every C library that has the system calls. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Linux 6.15, ioctl_pidfd(2): what is known of a process, also when it has been reaped. */
#define INFO_EXIT (UINT64_C(1) << 3)
struct process_info {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t numbers[11]; /* its own, its parent's, its users' and groups' */
  int32_t exit_status;  /* as wait(2) has it */
};
#define GET_INFO _IOWR(0xff, 11, struct process_info)

/* Always closed on exec. */
int sectile_process_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

/* Reads the beginning of a file of /proc as text: its length, or -1. */
static ssize_t read_text(const char *path, char *text, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, capacity - 1);
  close(fd);
  if (length >= 0) text[length] = '\0';
  return length;
}

pid_t sectile_process_id(int process) {
  char path[sizeof "/proc/self/fdinfo/" + 3 * sizeof process], text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", process);
  const char *line = read_text(path, text, sizeof text) < 0 ? NULL : strstr(text, "\nPid:");
  long pid = line == NULL ? 0 : strtol(line + 5, NULL, 10);
  errno = pid < 0 ? ESRCH : EINVAL; /* reaped; none, or not in this namespace */
  return pid > 0 ? (pid_t)pid : -1;
}

/* Clock ticks from the machine's start. */
int sectile_process_start(pid_t pid, uint64_t *start) {
  enum { FIELDS_BETWEEN = 19 };
  char path[sizeof "/proc//stat" + 3 * sizeof pid], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_text(path, text, sizeof text) < 0) return kill(pid, 0) != 0 && errno == ESRCH ? ESRCH : EPERM;
  /* After the command's name, which may hold anything: the state, then the fields up to the start. */
  const char *field = strrchr(text, ')');
  if (field == NULL || field[1] == '\0' || strchr("ZX", field[2]) != NULL) return ESRCH;
  field += 2;
  for (int i = 0; i < FIELDS_BETWEEN && field != NULL; i++) {
    field = strchr(field + (i == 0 ? 0 : 1), ' ');
  }
  if (field == NULL) return EPERM;
  *start = strtoull(field + 1, NULL, 10);
  return 0;
}

int sectile_process_command(pid_t pid, char *command, size_t capacity, size_t *length) {
  char path[sizeof "/proc//cmdline" + 3 * sizeof pid];
  snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
  ssize_t got = read_text(path, command, capacity);
  if (got < 0) return errno;
  *length = (size_t)got;
  return 0;
}

int sectile_process_namespace(uint64_t *number) {
  char link[64];
  ssize_t length = readlink("/proc/self/ns/pid", link, sizeof link - 1);
  if (length < 0) return errno;
  link[length] = '\0';
  const char *digits = strpbrk(link, "0123456789");
  *number = digits == NULL ? 0 : strtoull(digits, NULL, 10);
  return 0;
}

/* Of a process that somebody has reaped. False where it has not been, and where Linux is older. */
static bool reaped_ending(int process, siginfo_t *end) {
  struct process_info info = {.mask = INFO_EXIT};
  if (ioctl(process, GET_INFO, &info) != 0 || (info.mask & INFO_EXIT) == 0) return false;
  bool exited = WIFEXITED(info.exit_status);
  end->si_signo = SIGCHLD;
  end->si_code = exited ? CLD_EXITED : CLD_KILLED;
  end->si_status = exited ? WEXITSTATUS(info.exit_status) : WTERMSIG(info.exit_status);
  return true;
}

int sectile_process_ending(int process, siginfo_t *end) {
  int status;
  do {
    status = waitid((idtype_t)P_PIDFD, (id_t)process, end, WEXITED | WNOHANG | WNOWAIT);
  } while (status != 0 && errno == EINTR);
  if (status == 0) return 0;
  int error = errno;
  return reaped_ending(process, end) ? 0 : error;
}

int sectile_process_kill(int process) { return syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0) == 0 ? 0 : errno; }
