/*
 * Waits of one thread of JavaScript that leave it free: for words of mappings, and for the ends of processes. Each has a
 * number, which the listener gets once. The kernel's ring stands in the event loop itself where the runtime has libuv's;
 * elsewhere threads wait (parking.c) and call the listener. Knows neither what words mean nor who waits why.
 */
#include "waits.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Numbers that are handed over at a time. */
enum { MOST_AT_ONCE = 1024 };

/* What is used of libuv, whose binary interface has been the same since 1.0: looked up, for not all runtimes have it. */
static struct {
  size_t (*handle_size)(int type);
  int (*poll_init)(void *loop, void *handle, int fd);
  int (*poll_start)(void *handle, int events, void (*ready)(void *handle, int status, int events));
  void (*close)(void *handle, void (*closed)(void *handle));
  void (*ref)(void *handle);
  void (*unref)(void *handle);
  void *(*get_data)(const void *handle);
  void (*set_data)(void *handle, void *data);
  int (*event_loop)(napi_env env, void **loop);
} uv;
enum { UV_POLL = 8, UV_READABLE = 1 };

static bool find_libuv(void) {
  static const struct {
    const char *name;
    void **place;
  } wanted[] = {
      {"uv_handle_size", (void **)&uv.handle_size},
      {"uv_poll_init", (void **)&uv.poll_init},
      {"uv_poll_start", (void **)&uv.poll_start},
      {"uv_close", (void **)&uv.close},
      {"uv_ref", (void **)&uv.ref},
      {"uv_unref", (void **)&uv.unref},
      {"uv_handle_get_data", (void **)&uv.get_data},
      {"uv_handle_set_data", (void **)&uv.set_data},
      {"napi_get_uv_event_loop", (void **)&uv.event_loop},
  };
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].place = dlsym(RTLD_DEFAULT, wanted[i].name);
    if (*wanted[i].place == NULL) return false;
  }
  return true;
}

typedef struct {
  napi_env env;
  uint64_t last_number;
  /* In the event loop: */
  sectile_ring *ring; /* NULL: threads wait */
  void *handle;       /* uv_poll_t */
  napi_ref listener;
  napi_async_context context;
  napi_async_cleanup_hook_handle hook;
  /* By threads: */
  sectile_parking *parking;
  napi_threadsafe_function notify;
  pthread_mutex_t lock;
  bool told; /* a call of the listener is on its way */
  uint64_t *ended;
  size_t ended_count, ended_capacity;
} waits;

/* One for each thread of JavaScript that waits. */
static waits *waits_of(napi_env env, const char *call) {
  void *found = NULL;
  if (napi_get_instance_data(env, &found) == napi_ok && found != NULL) return found;
  sectile_fail_errno(env, call, ENOTCONN);
  return NULL;
}

static napi_value numbers_value(napi_env env, const uint64_t *numbers, size_t count) {
  napi_value buffer, result;
  void *memory;
  if (napi_create_arraybuffer(env, count * sizeof(double), &memory, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, count, buffer, 0, &result) != napi_ok) {
    return NULL;
  }
  for (size_t i = 0; i < count; i++) ((double *)memory)[i] = (double)numbers[i];
  return result;
}

/* -------------------------------------------------------------------------- in the event loop ---- */

static void hand_over(waits *self, const uint64_t *numbers, size_t count) {
  napi_env env = self->env;
  napi_handle_scope scope;
  napi_value listener, receiver, argument;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  argument = numbers_value(env, numbers, count);
  if (argument != NULL && napi_get_reference_value(env, self->listener, &listener) == napi_ok &&
      napi_get_global(env, &receiver) == napi_ok &&
      napi_make_callback(env, self->context, receiver, listener, 1, &argument, NULL) == napi_pending_exception) {
    napi_value exception;
    if (napi_get_and_clear_last_exception(env, &exception) == napi_ok) napi_fatal_exception(env, exception);
  }
  napi_close_handle_scope(env, scope);
}

static void on_ring_ready(void *handle, int status, int events) {
  (void)status, (void)events;
  waits *self = uv.get_data(handle);
  uint64_t numbers[MOST_AT_ONCE];
  size_t count;
  /* What does not fit, and what ends meanwhile, the loop tells of again. */
  count = sectile_ring_take(self->ring, numbers, MOST_AT_ONCE);
  if (count > 0) hand_over(self, numbers, count);
}

static void on_handle_closed(void *handle) {
  waits *self = uv.get_data(handle);
  napi_async_cleanup_hook_handle hook = self->hook;
  sectile_ring_close(self->ring);
  free(handle);
  free(self);
  napi_remove_async_cleanup_hook(hook);
}

static void on_loop_ends(napi_async_cleanup_hook_handle hook, void *data) {
  waits *self = data;
  self->hook = hook;
  uv.close(self->handle, on_handle_closed);
}

/* False: the kernel or the runtime does not allow it, and threads have to do. */
static bool start_in_loop(napi_env env, waits *self, napi_value listener) {
  void *loop = NULL;
  napi_value name;
  if (!find_libuv() || uv.event_loop(env, &loop) != 0 || loop == NULL) return false;
  self->ring = sectile_ring_open();
  if (self->ring == NULL) return false;
  self->handle = calloc(1, uv.handle_size(UV_POLL));
  if (self->handle == NULL || napi_create_string_utf8(env, "sectile:waits", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_reference(env, listener, 1, &self->listener) != napi_ok ||
      napi_async_init(env, NULL, name, &self->context) != napi_ok ||
      uv.poll_init(loop, self->handle, sectile_ring_descriptor(self->ring)) != 0) {
    if (self->context != NULL) napi_async_destroy(env, self->context);
    if (self->listener != NULL) napi_delete_reference(env, self->listener);
    self->context = NULL;
    self->listener = NULL;
    free(self->handle);
    self->handle = NULL;
    sectile_ring_close(self->ring);
    self->ring = NULL;
    return false;
  }
  uv.set_data(self->handle, self);
  uv.poll_start(self->handle, UV_READABLE, on_ring_ready);
  uv.unref(self->handle);
  napi_add_async_cleanup_hook(env, on_loop_ends, self, &self->hook);
  return true;
}

/* --------------------------------------------------------------------------------- by threads ---- */

/* In a thread of the parking. */
static void on_parked_ended(void *data, uint64_t number) {
  waits *self = data;
  pthread_mutex_lock(&self->lock);
  if (self->ended_count == self->ended_capacity) {
    size_t capacity = self->ended_capacity * 2 + 64;
    uint64_t *larger = realloc(self->ended, capacity * sizeof *larger);
    if (larger != NULL) {
      self->ended = larger;
      self->ended_capacity = capacity;
    }
  }
  if (self->ended_count < self->ended_capacity) self->ended[self->ended_count++] = number;
  bool tell = !self->told;
  self->told = true;
  pthread_mutex_unlock(&self->lock);
  if (tell) napi_call_threadsafe_function(self->notify, NULL, napi_tsfn_nonblocking);
}

static void on_notified(napi_env env, napi_value listener, void *context, void *data) {
  (void)data;
  waits *self = context;
  if (env == NULL) return; /* the environment ends */
  pthread_mutex_lock(&self->lock);
  self->told = false;
  napi_value receiver, argument = numbers_value(env, self->ended, self->ended_count);
  self->ended_count = 0;
  pthread_mutex_unlock(&self->lock);
  if (argument != NULL && napi_get_undefined(env, &receiver) == napi_ok) {
    napi_call_function(env, receiver, listener, 1, &argument, NULL); /* the runtime reports what it throws */
  }
}

static void on_notify_released(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  waits *self = data;
  pthread_mutex_destroy(&self->lock);
  free(self->ended);
  free(self);
}

static void on_environment_ends(void *data) {
  waits *self = data;
  sectile_parking_close(self->parking);
  self->parking = NULL;
  napi_release_threadsafe_function(self->notify, napi_tsfn_abort);
}

static bool start_by_threads(napi_env env, waits *self, napi_value listener) {
  napi_value name;
  self->parking = sectile_parking_open(on_parked_ended, self);
  if (self->parking == NULL) {
    sectile_fail_errno(env, "malloc", ENOMEM);
    return false;
  }
  pthread_mutex_init(&self->lock, NULL);
  if (napi_create_string_utf8(env, "sectile:waits", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, listener, NULL, name, 0, 1, self, on_notify_released, self, on_notified,
                                      &self->notify) != napi_ok) {
    sectile_parking_close(self->parking);
    pthread_mutex_destroy(&self->lock);
    sectile_fail_napi(env, "waitsListen");
    return false;
  }
  napi_unref_threadsafe_function(env, self->notify);
  napi_add_env_cleanup_hook(env, on_environment_ends, self);
  return true;
}

/* ------------------------------------------------------------------------------- entry points ---- */

static napi_value waits_listen(napi_env env, napi_callback_info info) {
  static const char call[] = "waitsListen";
  napi_value argument[2];
  napi_valuetype type;
  bool in_loop;
  void *before = NULL;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_read_bool(env, argument[1], call, "inLoop", &in_loop)) {
    return NULL;
  }
  if (napi_typeof(env, argument[0], &type) != napi_ok || type != napi_function) {
    return sectile_fail_argument(env, call, "listener must be a function");
  }
  if (napi_get_instance_data(env, &before) != napi_ok || before != NULL) {
    return sectile_fail_argument(env, call, "this thread has a listener already");
  }
  waits *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, "malloc", ENOMEM);
  self->env = env;
  if (!(in_loop && start_in_loop(env, self, argument[0])) && !start_by_threads(env, self, argument[0])) {
    free(self);
    return NULL;
  }
  napi_set_instance_data(env, self, NULL, NULL);
  return sectile_boolean(env, self->ring != NULL);
}

static napi_value started(napi_env env, const char *call, waits *self, int error) {
  return error == 0 ? sectile_number(env, (double)self->last_number) : sectile_fail_errno(env, call, error);
}

static napi_value word_wait(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordWait";
  napi_value argument[3];
  int32_t expected;
  sectile_word word;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_int32(env, argument[2], call, "expected", &expected) ||
      !sectile_word_of_arguments(env, argument, call, &word)) {
    return NULL;
  }
  waits *self = waits_of(env, call);
  if (self == NULL) return NULL;
  uint64_t number = ++self->last_number;
  return started(env, call, self,
                 self->ring != NULL ? sectile_ring_wait_word(self->ring, word.address, expected, number)
                                    : sectile_parking_wait_word(self->parking, word.address, expected, word.mapping, number));
}

static napi_value process_wait(napi_env env, napi_callback_info info) {
  static const char call[] = "processWait";
  napi_value argument[1];
  int fd;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_descriptor_read(env, argument[0], call, "process", &fd)) {
    return NULL;
  }
  waits *self = waits_of(env, call);
  if (self == NULL) return NULL;
  uint64_t number = ++self->last_number;
  return started(env, call, self,
                 self->ring != NULL ? sectile_ring_wait_readable(self->ring, fd, number)
                                    : sectile_parking_wait_readable(self->parking, fd, number));
}

static napi_value wait_cancel(napi_env env, napi_callback_info info) {
  static const char call[] = "waitCancel";
  napi_value argument[1];
  uint64_t number;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_size(env, argument[0], call, "wait", &number))
    return NULL;
  waits *self = waits_of(env, call);
  if (self == NULL) return NULL;
  if (self->ring == NULL) sectile_parking_cancel(self->parking, number);
  int error = self->ring == NULL ? 0 : sectile_ring_cancel(self->ring, number);
  return error == 0 ? sectile_undefined(env) : sectile_fail_errno(env, call, error);
}

static napi_value waits_keep(napi_env env, napi_callback_info info) {
  static const char call[] = "waitsKeep";
  napi_value argument[1];
  bool keeps;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_bool(env, argument[0], call, "keeps", &keeps))
    return NULL;
  waits *self = waits_of(env, call);
  if (self == NULL) return NULL;
  if (self->ring != NULL) {
    (keeps ? uv.ref : uv.unref)(self->handle);
  } else if ((keeps ? napi_ref_threadsafe_function : napi_unref_threadsafe_function)(env, self->notify) != napi_ok) {
    return sectile_fail_napi(env, call);
  }
  return sectile_undefined(env);
}

const sectile_export sectile_waits_exports[] = {
    {"waitsListen", waits_listen}, {"mappingWordWait", word_wait}, {"processWait", process_wait},
    {"waitCancel", wait_cancel},   {"waitsKeep", waits_keep},      {NULL, NULL},
};
