/*
 * Other processes, by descriptors that mean one process for good: its number may be used again, the
 * descriptor never means the later one.
 */
#include "system.h"
#include "words.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

sectile_self sectile_this_process(void) {
  uint64_t start = 0, home = 0;
  pid_t pid = getpid();
  if (sectile_process_start(pid, &start) != 0) start = 0;
  if (sectile_process_namespace(&home) != 0) home = 0;
  return (sectile_self){(uint32_t)pid, (uint16_t)start, (int32_t)home};
}

bool sectile_process_has_ended(uint32_t pid, uint16_t start) {
  uint64_t found;
  int error = sectile_process_start((pid_t)pid, &found);
  return error == ESRCH || (error == 0 && start != 0 && (uint16_t)found != start);
}

static napi_value process_open(napi_env env, napi_callback_info info) {
  static const char call[] = "processOpen";
  napi_value argument;
  int32_t pid;
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_read_int32(env, argument, call, "pid", &pid)) return NULL;
  int fd = sectile_process_open(pid);
  return fd < 0 ? sectile_fail_errno(env, call, errno) : sectile_descriptor_wrap(env, fd);
}

static napi_value process_id(napi_env env, napi_callback_info info) {
  static const char call[] = "processId";
  napi_value argument;
  int fd;
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_descriptor_read(env, argument, call, "process", &fd)) {
    return NULL;
  }
  pid_t pid = sectile_process_id(fd);
  return pid < 0 ? sectile_fail_errno(env, call, errno) : sectile_number(env, pid);
}

/* A number that no other process of this number has; null when it has ended, undefined where that cannot be told. */
static napi_value process_start(napi_env env, napi_callback_info info) {
  static const char call[] = "processStart";
  napi_value argument, result;
  int32_t pid;
  uint64_t start;
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_read_int32(env, argument, call, "pid", &pid)) return NULL;
  int error = sectile_process_start(pid, &start);
  if (error == EPERM) return sectile_undefined(env);
  napi_status status = error != 0 ? napi_get_null(env, &result) : napi_create_bigint_uint64(env, start, &result);
  return status == napi_ok ? result : sectile_fail_napi(env, call);
}

/* The arguments with NULs between them; null when it has gone, or hides. */
static napi_value process_command(napi_env env, napi_callback_info info) {
  static const char call[] = "processCommand";
  napi_value argument, result;
  int32_t pid;
  char command[16384];
  size_t length = 0;
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_read_int32(env, argument, call, "pid", &pid)) return NULL;
  int error = sectile_process_command(pid, command, sizeof command, &length);
  napi_status status = error != 0 ? napi_get_null(env, &result) : napi_create_string_utf8(env, command, length, &result);
  return status == napi_ok ? result : sectile_fail_napi(env, call);
}

static napi_value process_namespace(napi_env env, napi_callback_info info) {
  static const char call[] = "processNamespace";
  napi_value result;
  uint64_t number;
  (void)info;
  int error = sectile_process_namespace(&number);
  if (error != 0) return sectile_fail_errno(env, call, error);
  return napi_create_bigint_uint64(env, number, &result) == napi_ok ? result : sectile_fail_napi(env, call);
}

static napi_value process_has_ended(napi_env env, napi_callback_info info) {
  static const char call[] = "poll";
  napi_value argument;
  struct pollfd entry = {.events = POLLIN};
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_descriptor_read(env, argument, call, "process", &entry.fd)) {
    return NULL;
  }
  int ready;
  do {
    ready = poll(&entry, 1, 0);
  } while (ready < 0 && errno == EINTR);
  return ready < 0 ? sectile_fail_errno(env, call, errno) : sectile_boolean(env, ready > 0);
}

/* Looks without reaping: the runtime shall learn of its child's end as well. */
static napi_value process_ending(napi_env env, napi_callback_info info) {
  static const char call[] = "waitid";
  napi_value argument, result;
  int fd;
  siginfo_t end = {0};
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_descriptor_read(env, argument, call, "process", &fd)) {
    return NULL;
  }
  int error = sectile_process_ending(fd, &end);
  if (error != 0) return sectile_fail_errno(env, call, error);
  if (end.si_signo == 0) return napi_get_null(env, &result) == napi_ok ? result : sectile_fail_napi(env, call);
  if (napi_create_object(env, &result) != napi_ok) return sectile_fail_napi(env, call);
  bool exited = end.si_code == CLD_EXITED;
  if (!sectile_set(env, result, "code", sectile_number(env, exited ? end.si_status : 0)) ||
      !sectile_set(env, result, "signal", sectile_number(env, exited ? 0 : end.si_status))) {
    return NULL;
  }
  return result;
}

static napi_value process_kill(napi_env env, napi_callback_info info) {
  static const char call[] = "kill";
  napi_value argument;
  int fd;
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_descriptor_read(env, argument, call, "process", &fd)) {
    return NULL;
  }
  int error = sectile_process_kill(fd);
  return error == 0 ? sectile_undefined(env) : sectile_fail_errno(env, call, error);
}

const sectile_export sectile_process_exports[] = {
    {"processOpen", process_open},
    {"processId", process_id},
    {"processStart", process_start},
    {"processCommand", process_command},
    {"processNamespace", process_namespace},
    {"processHasEnded", process_has_ended},
    {"processEnding", process_ending},
    {"processKill", process_kill},
    {NULL, NULL},
};
