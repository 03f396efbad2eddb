/*
 * Locks on byte ranges, owned by an open file description: they exclude other descriptions of the
 * same process too, and the kernel drops them when the last descriptor of the description closes,
 * after SIGKILL as well. That is what Sectile knows a living holder by.
 */
#include "sectile.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

static bool read_range(napi_env env, napi_value *argument, const char *call, int *fd, struct flock *range) {
  uint64_t start, length;
  if (!sectile_descriptor_read(env, argument[0], call, "descriptor", fd) ||
      !sectile_read_size(env, argument[1], call, "start", &start) ||
      !sectile_read_size(env, argument[2], call, "length", &length)) {
    return false;
  }
  *range = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)start, .l_len = (off_t)length};
  return true;
}

/* 1: locked, 0: somebody else has it, -1: errno */
static int try_lock(int fd, const struct flock *range) {
  struct flock copy = *range;
  if (fcntl(fd, F_OFD_SETLK, &copy) == 0) return 1;
  return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

static napi_value lock_with(napi_env env, napi_callback_info info, short type) {
  static const char call[] = "fcntl F_OFD_SETLK";
  napi_value argument[3];
  int fd;
  struct flock range;
  if (!sectile_arguments(env, info, call, 3, argument) || !read_range(env, argument, call, &fd, &range)) return NULL;
  range.l_type = type;
  int got = try_lock(fd, &range);
  return got < 0 ? sectile_fail_errno(env, call, errno) : sectile_boolean(env, got == 1);
}

static napi_value lock_try(napi_env env, napi_callback_info info) { return lock_with(env, info, F_WRLCK); }

static napi_value lock_share(napi_env env, napi_callback_info info) { return lock_with(env, info, F_RDLCK); }

static uint64_t monotonic_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static napi_value lock_wait(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_OFD_SETLK";
  napi_value argument[4];
  int fd;
  struct flock range;
  uint32_t timeout;
  if (!sectile_arguments(env, info, call, 4, argument) || !read_range(env, argument, call, &fd, &range) ||
      !sectile_read_uint32(env, argument[3], call, "timeout", &timeout)) {
    return NULL;
  }
  /* The blocking form knows no time limit, and a stopped holder would hang us: ask again in short,
   * growing pauses. The regions that these locks guard are held for microseconds. */
  uint64_t deadline = monotonic_milliseconds() + timeout;
  long pause = 20000;
  for (;;) {
    int got = try_lock(fd, &range);
    if (got < 0) return sectile_fail_errno(env, call, errno);
    if (got == 1 || monotonic_milliseconds() >= deadline) return sectile_boolean(env, got == 1);
    nanosleep(&(struct timespec){.tv_sec = 0, .tv_nsec = pause}, NULL);
    if (pause < 1000000) pause += pause / 2;
  }
}

static napi_value unlock(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_OFD_SETLK";
  napi_value argument[3];
  int fd;
  struct flock range;
  if (!sectile_arguments(env, info, call, 3, argument) || !read_range(env, argument, call, &fd, &range)) return NULL;
  range.l_type = F_UNLCK;
  return fcntl(fd, F_OFD_SETLK, &range) != 0 ? sectile_fail_errno(env, call, errno) : sectile_undefined(env);
}

/* What stands in the way of a lock of this type: its start, or -1. */
static napi_value lock_against(napi_env env, napi_callback_info info, short type) {
  static const char call[] = "fcntl F_OFD_GETLK";
  napi_value argument[3];
  int fd;
  struct flock range;
  if (!sectile_arguments(env, info, call, 3, argument) || !read_range(env, argument, call, &fd, &range)) return NULL;
  off_t start = range.l_start, found = -1;
  /* The system tells any lock in the range, the oldest as a rule: the first is the one before which there is none. */
  while (found != start) {
    range.l_type = type;
    range.l_whence = SEEK_SET;
    if (fcntl(fd, F_OFD_GETLK, &range) != 0) return sectile_fail_errno(env, call, errno);
    if (range.l_type == F_UNLCK) break;
    found = range.l_start < start ? start : range.l_start;
    range = (struct flock){.l_start = start, .l_len = found - start};
  }
  return sectile_number(env, (double)found);
}

static napi_value lock_holder(napi_env env, napi_callback_info info) { return lock_against(env, info, F_WRLCK); }

static napi_value lock_excluder(napi_env env, napi_callback_info info) { return lock_against(env, info, F_RDLCK); }

const sectile_export sectile_lock_exports[] = {
    {"lockTry", lock_try}, {"lockShare", lock_share},   {"lockWait", lock_wait},
    {"unlock", unlock},    {"lockHolder", lock_holder}, {"lockExcluder", lock_excluder},
    {NULL, NULL},
};
