/*
 * What an environment knows of its waits: their numbers, which have ended, and the listener that is told. Knows neither
 * what is waited for nor why.
 */
#include "waits.h"

#include <errno.h>
#include <stdlib.h>

enum { ALIKE = 1024, STACK = 64 * 1024 };

struct sectile_waits {
  SRWLOCK lock;
  CONDITION_VARIABLE changed;
  volatile LONG references; /* the environment, and each thread */
  napi_threadsafe_function listener;
  bool closed;
  bool told; /* a call of the listener is on its way */
  double last_number;
  sectile_wait *alike[ALIKE]; /* by their numbers; those that have ended too, until they were handed over */
  sectile_wait *ended, **ended_end;
  struct sectile_station *stations;
  struct sectile_postman *postman;
};

/* Never set: see sectile_wait_check. Of the process. */
static HANDLE never;

void sectile_waits_lock(sectile_waits *self) { AcquireSRWLockExclusive(&self->lock); }

void sectile_waits_unlock(sectile_waits *self) { ReleaseSRWLockExclusive(&self->lock); }

void sectile_waits_release(sectile_waits *self) {
  if (InterlockedDecrement(&self->references) == 0) free(self);
}

void sectile_waits_retain(sectile_waits *self) { InterlockedIncrement(&self->references); }

bool sectile_waits_closed(const sectile_waits *self) { return self->closed; }

struct sectile_station **sectile_waits_stations(sectile_waits *self) {
  return &self->stations;
}

struct sectile_postman **sectile_waits_postman(sectile_waits *self) {
  return &self->postman;
}

static sectile_wait **place_of(sectile_waits *self, double number) {
  sectile_wait **place = &self->alike[(uint64_t)number % ALIKE];
  while (*place != NULL && (*place)->number != number) place = &(*place)->next_alike;
  return place;
}

void sectile_waits_enter(sectile_waits *self, sectile_wait *wait, sectile_waiter *waiter) {
  wait->number = ++self->last_number;
  wait->waiter = waiter;
  *place_of(self, wait->number) = wait;
}

/* Takes it off the list of all, and frees it. */
static void forget(sectile_waits *self, sectile_wait *wait) {
  *place_of(self, wait->number) = wait->next_alike;
  free(wait);
}

void sectile_waits_end(sectile_waits *self, sectile_wait *wait, NTSTATUS outcome) {
  if (self->closed) {
    forget(self, wait);
    return;
  }
  wait->outcome = outcome;
  wait->ended = wait->left = true;
  *self->ended_end = wait;
  self->ended_end = &wait->next_ended;
  if (wait->cancelled) sectile_waits_tell(self);
  if (!self->told) napi_call_threadsafe_function(self->listener, NULL, napi_tsfn_nonblocking);
  self->told = true;
}

void sectile_waits_leave(sectile_waits *self, sectile_wait *wait) {
  if (self->closed) {
    forget(self, wait);
    return;
  }
  wait->left = true;
  sectile_waits_tell(self);
}

void sectile_waits_sleep(sectile_waits *self) { SleepConditionVariableSRW(&self->changed, &self->lock, INFINITE, 0); }

void sectile_waits_tell(sectile_waits *self) { WakeAllConditionVariable(&self->changed); }

bool sectile_waits_start(sectile_waits *self, sectile_waiter *waiter, LPTHREAD_START_ROUTINE run, void *data) {
  waiter->waits = self;
  sectile_waits_retain(self);
  waiter->handle = CreateThread(NULL, STACK, run, data, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
  if (waiter->handle != NULL) return true;
  sectile_waits_release(self);
  return false;
}

static void WINAPI nothing(ULONG_PTR unused) { (void)unused; }

void sectile_waits_poke(sectile_waiter *waiter) {
  if (!waiter->asleep || waiter->poked) return;
  waiter->poked = true;
  QueueUserAPC(nothing, waiter->handle, 0);
}

/* ------------------------------------------------------------------------------------ handles ---- */

/* Two objects of which the second never comes: the first is looked at, and nothing is taken from it. */
NTSTATUS sectile_wait_check(HANDLE handle) {
  HANDLE both[] = {handle, never};
  LARGE_INTEGER now = {.QuadPart = 0};
  NTSTATUS status = NtWaitForMultipleObjects(2, both, SECTILE_WAIT_ALL, FALSE, &now);
  return status == SECTILE_TIMEOUT ? 0 : status;
}

NTSTATUS sectile_waitable(HANDLE handle, HANDLE *duplicate) {
  HANDLE process = GetCurrentProcess();
  NTSTATUS status = NtDuplicateObject(process, handle, process, duplicate, 0, 0, DUPLICATE_SAME_ACCESS);
  if (!SECTILE_SUCCESS(status)) return status;
  status = sectile_wait_check(*duplicate);
  if (!SECTILE_SUCCESS(status)) CloseHandle(*duplicate);
  return status;
}

/* ------------------------------------------------------------------------------- the listener ---- */

/* Numbers and outcomes, by turns, of all that were not stopped meanwhile; takes the list over. */
static napi_value pairs(napi_env env, sectile_waits *self, sectile_wait *ended) {
  napi_value buffer, result = NULL;
  void *memory = NULL;
  size_t count = 0;
  for (const sectile_wait *each = ended; each != NULL; each = each->next_ended) count += each->cancelled ? 0 : 2;
  if (napi_create_arraybuffer(env, count * sizeof(double), &memory, &buffer) == napi_ok) {
    napi_create_typedarray(env, napi_float64_array, count, buffer, 0, &result);
  }
  double *next = memory;
  sectile_waits_lock(self);
  for (sectile_wait *after; ended != NULL; ended = after) {
    after = ended->next_ended;
    if (result != NULL && !ended->cancelled) {
      *next++ = ended->number;
      *next++ = (uint32_t)ended->outcome;
    }
    forget(self, ended);
  }
  sectile_waits_unlock(self);
  return result;
}

static void hand_over(napi_env env, napi_value listener, void *context, void *data) {
  (void)data;
  sectile_waits *self = context;
  napi_value receiver, argument;
  if (env == NULL) return; /* the environment ends */
  sectile_waits_lock(self);
  sectile_wait *ended = self->ended;
  self->told = false;
  self->ended = NULL;
  self->ended_end = &self->ended;
  sectile_waits_unlock(self);
  if (ended == NULL) return;
  argument = pairs(env, self, ended);
  if (argument != NULL && napi_get_undefined(env, &receiver) == napi_ok) {
    napi_call_function(env, receiver, listener, 1, &argument, NULL); /* the runtime reports what it throws */
  }
}

/* The environment ends: so do its threads, each by itself. */
static void close_waits(void *data) {
  sectile_waits *self = data;
  napi_threadsafe_function listener = self->listener;
  sectile_waits_lock(self);
  self->closed = true;
  while (self->ended != NULL) {
    sectile_wait *each = self->ended;
    self->ended = each->next_ended;
    forget(self, each);
  }
  sectile_stations_close(self->stations);
  sectile_postman_close(self->postman);
  sectile_waits_unlock(self);
  napi_release_threadsafe_function(listener, napi_tsfn_abort);
  sectile_waits_release(self);
}

/* Once in the process. The code of threads must be there as long as they are. */
static bool prepare(void) {
  static SRWLOCK lock = SRWLOCK_INIT;
  AcquireSRWLockExclusive(&lock);
  if (never == NULL) {
    HMODULE code;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN, (const WCHAR *)(void *)&never,
                       &code);
    never = CreateEventW(NULL, TRUE, FALSE, NULL);
  }
  ReleaseSRWLockExclusive(&lock);
  return never != NULL;
}

/* (listener): is given the numbers and outcomes of waits that have ended, by turns. Once in each environment. */
static napi_value waits_listen(napi_env env, napi_callback_info info) {
  static const char call[] = "waitsListen";
  napi_value argument[1], name;
  napi_valuetype type;
  void *before = NULL;
  if (!sectile_arguments(env, info, call, 1, argument)) return NULL;
  if (napi_typeof(env, argument[0], &type) != napi_ok || type != napi_function) {
    return sectile_fail_argument(env, call, "listener must be a function");
  }
  if (napi_get_instance_data(env, &before) != napi_ok || before != NULL) {
    return sectile_fail_argument(env, call, "this thread has a listener already");
  }
  sectile_waits *self = calloc(1, sizeof *self);
  if (self == NULL || !prepare()) {
    free(self);
    return sectile_fail_errno(env, call, ENOMEM);
  }
  self->references = 1;
  self->ended_end = &self->ended;
  InitializeSRWLock(&self->lock);
  InitializeConditionVariable(&self->changed);
  if (napi_create_string_utf8(env, "sectile:waits", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, argument[0], NULL, name, 0, 1, NULL, NULL, self, hand_over, &self->listener) !=
          napi_ok) {
    free(self);
    return sectile_fail_napi(env, call);
  }
  napi_unref_threadsafe_function(env, self->listener);
  napi_set_instance_data(env, self, NULL, NULL);
  napi_add_env_cleanup_hook(env, close_waits, self);
  return sectile_undefined(env);
}

sectile_waits *sectile_waits_of(napi_env env, const char *call) {
  void *found = NULL;
  if (napi_get_instance_data(env, &found) == napi_ok && found != NULL) return found;
  sectile_fail_argument(env, call, "nobody listens for the ends of waits");
  return NULL;
}

/* (keeps): whether the event loop goes on for the sake of waits. */
static napi_value waits_keep(napi_env env, napi_callback_info info) {
  static const char call[] = "waitsKeep";
  napi_value argument[1];
  bool keeps;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_bool(env, argument[0], call, "keeps", &keeps))
    return NULL;
  const sectile_waits *self = sectile_waits_of(env, call);
  if (self == NULL) return NULL;
  if (keeps) {
    napi_ref_threadsafe_function(env, self->listener);
  } else {
    napi_unref_threadsafe_function(env, self->listener);
  }
  return sectile_undefined(env);
}

/*
 * (number): ends a wait of which the listener is not told then. Null: it has taken nothing. Else it had ended already, and this
 * is the outcome.
 */
static napi_value wait_stop(napi_env env, napi_callback_info info) {
  static const char call[] = "waitStop";
  napi_value argument[1], none;
  uint64_t number;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_size(env, argument[0], call, "number", &number)) {
    return NULL;
  }
  sectile_waits *self = sectile_waits_of(env, call);
  if (self == NULL || napi_get_null(env, &none) != napi_ok) return NULL;
  napi_value result = none;
  sectile_waits_lock(self);
  sectile_wait *wait = *place_of(self, (double)number);
  if (wait != NULL && !wait->cancelled) {
    wait->cancelled = true;
    if (!wait->left) sectile_waits_poke(wait->waiter);
    while (!wait->left) sectile_waits_sleep(self);
    if (wait->ended) {
      result = sectile_number(env, (uint32_t)wait->outcome); /* it is freed when the others are handed over */
    } else {
      forget(self, wait);
    }
  }
  sectile_waits_unlock(self);
  return result;
}

const sectile_export sectile_waits_exports[] = {
    {"waitsListen", waits_listen},
    {"waitsKeep", waits_keep},
    {"waitStop", wait_stop},
    {NULL, NULL},
};
