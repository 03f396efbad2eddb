/*
 * Keepers: threads that own mutexes for a thread of JavaScript. The kernel gives a mutex to the thread that waited for it,
 * and takes it back from that one alone; so each wait by a promise that may get one has a thread that lives on. It waits, for
 * one object or several, releases what it got, and leaves the rest abandoned when it ends.
 */
#include "waits.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = MAXIMUM_WAIT_OBJECTS };

static const napi_type_tag tag = {0x1f7c04d9e5b84a23, 0xa6d3905b7e41c8f2};

typedef struct {
  sectile_waiter waiter;
  volatile LONG references; /* the handle's, and the thread's */
  bool ending;
  /* What it waits for. */
  bool waiting;
  HANDLE handles[MOST];
  DWORD count;
  bool all;
  int64_t timeout;    /* as the kernel takes it; INT64_MIN for none */
  sectile_wait *wait; /* NULL: the thread of JavaScript stands still for it */
  NTSTATUS outcome;
  /* What it shall release, or NULL. */
  HANDLE release;
  NTSTATUS released;
} keeper;

static void forget(keeper *self) {
  if (InterlockedDecrement(&self->references) != 0) return;
  if (self->waiter.handle != NULL) CloseHandle(self->waiter.handle);
  free(self);
}

/* ----------------------------------------------------------------- the thread, under the lock ---- */

static void close_handles(keeper *self) {
  for (DWORD i = 0; i < self->count; i++) CloseHandle(self->handles[i]);
  self->count = 0;
  self->waiting = false;
}

static void finish(keeper *self, NTSTATUS outcome) {
  sectile_wait *wait = self->wait;
  close_handles(self);
  self->wait = NULL;
  self->outcome = outcome;
  if (wait != NULL) {
    sectile_waits_end(self->waiter.waits, wait, outcome);
  } else {
    sectile_waits_tell(self->waiter.waits);
  }
}

static void leave(keeper *self) {
  sectile_wait *wait = self->wait;
  close_handles(self);
  self->wait = NULL;
  if (wait != NULL) sectile_waits_leave(self->waiter.waits, wait);
}

static void release(keeper *self) {
  self->released = NtReleaseMutant(self->release, NULL);
  self->release = NULL;
  sectile_waits_tell(self->waiter.waits);
}

static DWORD WINAPI keep(void *data) {
  keeper *self = data;
  sectile_waits *waits = self->waiter.waits;
  sectile_waits_lock(waits);
  while (!self->ending && !sectile_waits_closed(waits)) {
    if (self->release != NULL) release(self);
    if (self->wait != NULL && self->wait->cancelled) leave(self);
    bool waiting = self->waiting;
    LARGE_INTEGER timeout = {.QuadPart = self->timeout};
    self->waiter.asleep = true;
    self->waiter.poked = false;
    sectile_waits_unlock(waits);
    NTSTATUS status = SECTILE_USER_APC;
    if (waiting) {
      status = NtWaitForMultipleObjects(self->count, self->handles, self->all ? SECTILE_WAIT_ALL : SECTILE_WAIT_ANY, TRUE,
                                        self->timeout == INT64_MIN ? NULL : &timeout);
    } else {
      SleepEx(INFINITE, TRUE);
    }
    sectile_waits_lock(waits);
    self->waiter.asleep = false;
    if (waiting && status != SECTILE_USER_APC) finish(self, status);
  }
  leave(self);
  sectile_waits_unlock(waits);
  forget(self);
  sectile_waits_release(waits);
  return 0;
}

/* ------------------------------------------------------------------------------- entry points ---- */

static void end(keeper *self) {
  sectile_waits *waits = self->waiter.waits;
  sectile_waits_lock(waits);
  self->ending = true;
  sectile_waits_poke(&self->waiter);
  sectile_waits_unlock(waits);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  keeper *self = data;
  sectile_waits *waits = self->waiter.waits;
  end(self);
  forget(self);
  sectile_waits_release(waits);
}

/* (): a keeper, whose thread waits for nothing yet. */
static napi_value keeper_start(napi_env env, napi_callback_info info) {
  static const char call[] = "keeperStart";
  if (!sectile_arguments(env, info, call, 0, NULL)) return NULL;
  sectile_waits *waits = sectile_waits_of(env, call);
  if (waits == NULL) return NULL;
  keeper *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, call, ENOMEM);
  self->references = 2;
  self->waiter.waits = waits;
  sectile_waits_retain(waits);
  sectile_waits_lock(waits);
  bool started = sectile_waits_start(waits, &self->waiter, keep, self);
  sectile_waits_unlock(waits);
  if (started) return sectile_wrap(env, self, &tag, finalize);
  sectile_waits_release(waits);
  free(self);
  return sectile_fail_errno(env, call, ENOMEM);
}

static bool read_keeper(napi_env env, napi_value value, const char *call, keeper **result) {
  void *pointer;
  if (!sectile_unwrap(env, value, call, "keeper", &tag, &pointer)) return false;
  *result = pointer;
  if (!(*result)->ending) return true;
  sectile_fail_argument(env, call, "the keeper has ended");
  return false;
}

/* Duplicates of 1 to 64 handles. False: an exception is pending, or the status says why they cannot be waited for. */
static bool read_handles(napi_env env, napi_value array, const char *call, HANDLE *handles, DWORD *count, NTSTATUS *status) {
  bool is_array = false;
  uint32_t length = 0;
  *count = 0;
  *status = 0;
  if (napi_is_array(env, array, &is_array) != napi_ok || !is_array || napi_get_array_length(env, array, &length) != napi_ok ||
      length < 1 || length > MOST) {
    sectile_fail_argument(env, call, "handles must be 1 to 64");
    return false;
  }
  for (; *count < length; ++*count) {
    napi_value element;
    int32_t handle;
    bool read =
        napi_get_element(env, array, *count, &element) == napi_ok && sectile_read_int32(env, element, call, "handle", &handle);
    if (read) *status = sectile_waitable((HANDLE)(intptr_t)handle, &handles[*count]);
    if (read && SECTILE_SUCCESS(*status)) continue;
    while (*count > 0) CloseHandle(handles[--*count]);
    return false;
  }
  return true;
}

/* (keeper, handles, all): as the other form, at the same time as JavaScript. A number, or minus an NTSTATUS. */
static napi_value keeper_wait(napi_env env, napi_callback_info info) {
  static const char call[] = "keeperWait";
  napi_value argument[3];
  keeper *self;
  bool all;
  HANDLE handles[MOST];
  DWORD count;
  NTSTATUS status;
  if (!sectile_arguments(env, info, call, 3, argument) || !read_keeper(env, argument[0], call, &self) ||
      !sectile_read_bool(env, argument[2], call, "all", &all)) {
    return NULL;
  }
  if (self->waiting) return sectile_fail_argument(env, call, "the keeper waits already");
  if (!read_handles(env, argument[1], call, handles, &count, &status)) {
    return SECTILE_SUCCESS(status) ? NULL : sectile_number(env, -(double)(uint32_t)status);
  }
  sectile_wait *wait = calloc(1, sizeof *wait);
  if (wait == NULL) {
    while (count > 0) CloseHandle(handles[--count]);
    return sectile_number(env, -(double)(uint32_t)SECTILE_NO_MEMORY);
  }
  sectile_waits *waits = self->waiter.waits;
  sectile_waits_lock(waits);
  memcpy(self->handles, handles, count * sizeof *handles);
  self->count = count;
  self->all = all;
  self->timeout = INT64_MIN;
  self->wait = wait;
  self->waiting = true;
  sectile_waits_enter(waits, wait, &self->waiter);
  double number = wait->number;
  sectile_waits_poke(&self->waiter);
  sectile_waits_unlock(waits);
  return sectile_number(env, number);
}

/* Milliseconds, a fraction too, as the kernel takes them; for ever, which anything beyond a hundred years is. */
static bool read_timeout(napi_env env, napi_value value, const char *call, int64_t *timeout) {
  double milliseconds;
  if (napi_get_value_double(env, value, &milliseconds) != napi_ok || isnan(milliseconds) || milliseconds < 0) {
    sectile_fail_argument(env, call, "timeout must be milliseconds, 0 or more");
    return false;
  }
  *timeout = milliseconds > 3e12 ? INT64_MIN : -(int64_t)(milliseconds * 1e4);
  return true;
}

/* (keeper, handles, all, milliseconds): returns when the wait has ended. An NTSTATUS. */
static napi_value keeper_wait_sync(napi_env env, napi_callback_info info) {
  static const char call[] = "keeperWaitSync";
  napi_value argument[4];
  keeper *self;
  bool all;
  int64_t timeout;
  HANDLE handles[MOST];
  DWORD count;
  NTSTATUS status;
  if (!sectile_arguments(env, info, call, 4, argument) || !read_keeper(env, argument[0], call, &self) ||
      !sectile_read_bool(env, argument[2], call, "all", &all) || !read_timeout(env, argument[3], call, &timeout)) {
    return NULL;
  }
  if (self->waiting) return sectile_fail_argument(env, call, "the keeper waits already");
  if (!read_handles(env, argument[1], call, handles, &count, &status)) {
    return SECTILE_SUCCESS(status) ? NULL : sectile_number(env, (double)(uint32_t)status);
  }
  sectile_waits *waits = self->waiter.waits;
  sectile_waits_lock(waits);
  memcpy(self->handles, handles, count * sizeof *handles);
  self->count = count;
  self->all = all;
  self->timeout = timeout;
  self->waiting = true;
  sectile_waits_poke(&self->waiter);
  while (self->waiting) sectile_waits_sleep(waits);
  status = self->outcome;
  sectile_waits_unlock(waits);
  return sectile_number(env, (double)(uint32_t)status);
}

/* (keeper, mutex): has the keeper release it once. An NTSTATUS. */
static napi_value keeper_release(napi_env env, napi_callback_info info) {
  static const char call[] = "keeperRelease";
  napi_value argument[2];
  keeper *self;
  int32_t mutex;
  if (!sectile_arguments(env, info, call, 2, argument) || !read_keeper(env, argument[0], call, &self) ||
      !sectile_read_int32(env, argument[1], call, "mutex", &mutex)) {
    return NULL;
  }
  if (mutex == 0) return sectile_number(env, (double)(uint32_t)SECTILE_INVALID_HANDLE);
  sectile_waits *waits = self->waiter.waits;
  sectile_waits_lock(waits);
  self->release = (HANDLE)(intptr_t)mutex;
  sectile_waits_poke(&self->waiter);
  while (self->release != NULL) sectile_waits_sleep(waits);
  NTSTATUS status = self->released;
  sectile_waits_unlock(waits);
  return sectile_number(env, (double)(uint32_t)status);
}

/* (keeper): ends its thread: what it owns is abandoned, and a wait is forgotten. Safe to call twice. */
static napi_value keeper_end(napi_env env, napi_callback_info info) {
  static const char call[] = "keeperEnd";
  napi_value argument[1];
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_unwrap(env, argument[0], call, "keeper", &tag, &pointer)) {
    return NULL;
  }
  end(pointer);
  return sectile_undefined(env);
}

const sectile_export sectile_keepers_exports[] = {
    {"keeperStart", keeper_start},     {"keeperWait", keeper_wait}, {"keeperWaitSync", keeper_wait_sync},
    {"keeperRelease", keeper_release}, {"keeperEnd", keeper_end},   {NULL, NULL},
};
