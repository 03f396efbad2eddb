/*
 * Tells JavaScript of faults: one thread for the process, which handlers wake, and a list of listeners,
 * one for each environment. It never runs inside a handler, but for the waking.
 */
#include "system.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* One report for a burst: filling a read-only view faults once per page. */
static const struct timespec burst = {.tv_sec = 0, .tv_nsec = 2000000};

static sectile_bell bell = {-1, -1};
/* Somebody watches who may not have been told of what was before. */
static atomic_bool asked;

typedef struct watcher {
  napi_threadsafe_function call;
  struct watcher *next;
} watcher;
static watcher *watchers;
static pthread_mutex_t watchers_lock = PTHREAD_MUTEX_INITIALIZER;

/* In a handler. */
void sectile_guard_announce(void) { sectile_bell_ring(&bell); }

static void *report_faults(void *unused) {
  (void)unused;
  for (;;) {
    struct pollfd rings = {.fd = bell.reader, .events = POLLIN};
    if (poll(&rings, 1, -1) < 0) {
      if (errno == EINTR) continue;
      return NULL;
    }
    sectile_bell_hush(&bell);
    nanosleep(&burst, NULL);
    bool is_new = sectile_guard_settle();
    if (!atomic_exchange(&asked, false) && !is_new) continue;
    pthread_mutex_lock(&watchers_lock);
    for (watcher *each = watchers; each != NULL; each = each->next) {
      napi_call_threadsafe_function(each->call, NULL, napi_tsfn_nonblocking);
    }
    pthread_mutex_unlock(&watchers_lock);
  }
}

int sectile_guard_start_reports(void) {
  const char *syscall;
  int opened = sectile_bell_open(&bell, &syscall);
  if (opened != 0) return opened;
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals belong to the program's own threads */
  int error = pthread_create(&thread, &attributes, report_faults, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

static void forget_watcher(void *data) {
  watcher *self = data;
  pthread_mutex_lock(&watchers_lock);
  for (watcher **link = &watchers; *link != NULL; link = &(*link)->next) {
    if (*link == self) {
      *link = self->next;
      break;
    }
  }
  pthread_mutex_unlock(&watchers_lock);
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
  if (self == NULL) return sectile_fail_errno(env, "malloc", ENOMEM);
  if (napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, argument[0], NULL, name, 0, 1, NULL, NULL, NULL, NULL, &self->call) != napi_ok) {
    free(self);
    return sectile_fail_napi(env, call);
  }
  napi_unref_threadsafe_function(env, self->call);
  pthread_mutex_lock(&watchers_lock);
  self->next = watchers;
  watchers = self;
  pthread_mutex_unlock(&watchers_lock);
  napi_add_env_cleanup_hook(env, forget_watcher, self);
  return sectile_undefined(env);
}

/* Tells all who watch once more, when what was before is settled. */
static napi_value report_again(napi_env env, napi_callback_info info) {
  if (!sectile_arguments(env, info, "reportFaults", 0, NULL)) return NULL;
  atomic_store(&asked, true);
  if (bell.reader >= 0) sectile_guard_announce();
  return sectile_undefined(env);
}

const sectile_export sectile_guard_exports[] = {
    {"watchFaults", watch_faults},
    {"reportFaults", report_again},
    {NULL, NULL},
};
