/*
 * Which process a number means: when it started, which no other process with that number did.
 */
#include "process.h"

#include "words.h"

DWORD sectile_process_start(DWORD pid, uint64_t *start) {
  FILETIME created, exited, kernel, user;
  *start = 0;
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid);
  if (process == NULL) return GetLastError() == ERROR_INVALID_PARAMETER ? ERROR_SUCCESS : GetLastError();
  DWORD error = ERROR_SUCCESS;
  /* One that has ended is there as long as somebody has a handle on it. */
  if (WaitForSingleObject(process, 0) != WAIT_OBJECT_0) {
    if (GetProcessTimes(process, &created, &exited, &kernel, &user)) {
      *start = (uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
    } else {
      error = GetLastError();
    }
  }
  CloseHandle(process);
  return error;
}

sectile_self sectile_this_process(void) {
  uint64_t start = 0;
  DWORD pid = GetCurrentProcessId();
  if (sectile_process_start(pid, &start) != ERROR_SUCCESS) start = 0;
  /* There is one space of numbers. */
  return (sectile_self){pid, (uint16_t)start, 0};
}

bool sectile_process_has_ended(uint32_t pid, uint16_t start) {
  uint64_t found;
  if (sectile_process_start(pid, &found) != ERROR_SUCCESS) return false;
  return found == 0 || (start != 0 && (uint16_t)found != start);
}

/* (pid): when it started, as a bigint; null: it has ended; undefined: it cannot be told. */
static napi_value process_start(napi_env env, napi_callback_info info) {
  static const char call[] = "processStart";
  napi_value argument[1], result;
  uint32_t pid;
  uint64_t start;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_uint32(env, argument[0], call, "pid", &pid)) return NULL;
  if (sectile_process_start(pid, &start) != ERROR_SUCCESS) return sectile_undefined(env);
  napi_status status = start == 0 ? napi_get_null(env, &result) : napi_create_bigint_uint64(env, start, &result);
  return status == napi_ok ? result : sectile_fail_napi(env, call);
}

const sectile_export sectile_process_exports[] = {{"processStart", process_start}, {NULL, NULL}};
