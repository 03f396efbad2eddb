/*
 * Tells JavaScript of faults: one thread for the process, which the handler wakes, and a list of listeners, one for
 * each environment.
 */
#include "guard.h"
#include "sectile.h"

#include <stdatomic.h>
#include <stdlib.h>

/* One report for a burst: filling a read-only view faults once per page. */
enum { BURST_MILLISECONDS = 2 };

static HANDLE wake;
/* Somebody watches who may not have been told of what was before. */
static atomic_bool asked;

typedef struct watcher {
  napi_threadsafe_function call;
  struct watcher *next;
} watcher;
static watcher *watchers;
static SRWLOCK watchers_lock = SRWLOCK_INIT;

void sectile_guard_announce(void) { SetEvent(wake); }

static DWORD WINAPI report_faults(void *unused) {
  (void)unused;
  while (WaitForSingleObject(wake, INFINITE) == WAIT_OBJECT_0) {
    Sleep(BURST_MILLISECONDS);
    bool is_new = sectile_guard_settle();
    if (!atomic_exchange(&asked, false) && !is_new) continue;
    AcquireSRWLockExclusive(&watchers_lock);
    for (watcher *each = watchers; each != NULL; each = each->next) {
      napi_call_threadsafe_function(each->call, NULL, napi_tsfn_nonblocking);
    }
    ReleaseSRWLockExclusive(&watchers_lock);
  }
  return 0;
}

bool sectile_guard_start_reports(void) {
  wake = CreateEventW(NULL, FALSE, FALSE, NULL);
  if (wake == NULL) return false;
  HANDLE thread = CreateThread(NULL, 128 * 1024, report_faults, NULL, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (thread == NULL) {
    CloseHandle(wake);
    return false;
  }
  CloseHandle(thread);
  return true;
}

static void forget_watcher(void *data) {
  watcher *self = data;
  AcquireSRWLockExclusive(&watchers_lock);
  for (watcher **link = &watchers; *link != NULL; link = &(*link)->next) {
    if (*link == self) {
      *link = self->next;
      break;
    }
  }
  ReleaseSRWLockExclusive(&watchers_lock);
  napi_release_threadsafe_function(self->call, napi_tsfn_abort);
  free(self);
}

static napi_value watch_faults(napi_env env, napi_callback_info info) {
  static const char call[] = "watchFaults";
  napi_value argument[1], name;
  napi_valuetype type;
  if (!sectile_arguments(env, info, call, 1, argument)) return NULL;
  if (napi_typeof(env, argument[0], &type) != napi_ok || type != napi_function) {
    return sectile_fail_argument(env, call, "listener must be a function");
  }
  watcher *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_napi(env, call);
  if (napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, argument[0], NULL, name, 0, 1, NULL, NULL, NULL, NULL, &self->call) != napi_ok) {
    free(self);
    return sectile_fail_napi(env, call);
  }
  napi_unref_threadsafe_function(env, self->call);
  AcquireSRWLockExclusive(&watchers_lock);
  self->next = watchers;
  watchers = self;
  ReleaseSRWLockExclusive(&watchers_lock);
  napi_add_env_cleanup_hook(env, forget_watcher, self);
  return sectile_undefined(env);
}

/* Tells all who watch once more, when what was before is settled. */
static napi_value report_again(napi_env env, napi_callback_info info) {
  if (!sectile_arguments(env, info, "reportFaults", 0, NULL)) return NULL;
  atomic_store(&asked, true);
  if (wake != NULL) sectile_guard_announce();
  return sectile_undefined(env);
}

const sectile_export sectile_guard_exports[] = {
    {"watchFaults", watch_faults},
    {"reportFaults", report_again},
    {NULL, NULL},
};
