/*
 * Anonymous memory objects that only descriptors name: created, committed and sealed.
 */
#include "system.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

typedef struct {
  sectile_memory_wish wish;
  int fd; /* the result */
  int error;
  const char *syscall;
  napi_async_work work;
  napi_deferred deferred;
} creation;

/* Fills in the result. Runs on any thread: touches no Node-API. */
static void create(creation *self) { self->error = sectile_memory_make(&self->wish, &self->fd, &self->syscall); }

static bool read_creation(napi_env env, napi_callback_info info, creation *self) {
  static const char call[] = "memfd_create";
  napi_value argument[4];
  *self = (creation){.fd = -1};
  sectile_memory_wish *wish = &self->wish;
  if (!sectile_arguments(env, info, call, 4, argument) ||
      !sectile_read_string(env, argument[0], call, "label", wish->label, sizeof wish->label) ||
      !sectile_read_size(env, argument[1], call, "size", &wish->size) ||
      !sectile_read_uint32(env, argument[2], call, "commit", &wish->commit) ||
      !sectile_read_size(env, argument[3], call, "largePageSize", &wish->large_page_size)) {
    return false;
  }
  if (wish->size == 0 || wish->commit > SECTILE_COMMIT_NOW_HUGE || (wish->large_page_size & (wish->large_page_size - 1)) != 0 ||
      (wish->large_page_size != 0 && wish->size % wish->large_page_size != 0)) {
    sectile_fail_argument(env, call, "size, commit and large page size do not fit together");
    return false;
  }
  return true;
}

static napi_value memory_create(napi_env env, napi_callback_info info) {
  creation self;
  if (!read_creation(env, info, &self)) return NULL;
  create(&self);
  return self.error != 0 ? sectile_fail_errno(env, self.syscall, self.error) : sectile_descriptor_wrap(env, self.fd);
}

/* An object that is a file: where its name is, others find it. */
static napi_value memory_create_file(napi_env env, napi_callback_info info) {
  static const char call[] = "memoryCreateFile";
  napi_value argument[3];
  char path[PATH_MAX];
  sectile_memory_wish wish = {.size = 0};
  if (!sectile_arguments(env, info, call, 3, argument) ||
      !sectile_read_string(env, argument[0], call, "path", path, sizeof path) ||
      !sectile_read_size(env, argument[1], call, "size", &wish.size) ||
      !sectile_read_uint32(env, argument[2], call, "commit", &wish.commit)) {
    return NULL;
  }
  if (wish.size == 0 || wish.commit > SECTILE_COMMIT_NOW_HUGE) {
    return sectile_fail_argument(env, call, "size or commit is out of range");
  }
  int fd;
  const char *syscall;
  int error = sectile_memory_file_make(path, &wish, &fd, &syscall);
  return error != 0 ? sectile_fail_errno(env, syscall, error) : sectile_descriptor_wrap(env, fd);
}

static napi_value memory_can_seal(napi_env env, napi_callback_info info) {
  (void)info;
  return sectile_boolean(env, sectile_memory_can_seal());
}

static void create_execute(napi_env env, void *data) {
  (void)env;
  create(data);
}

static void create_complete(napi_env env, napi_status status, void *data) {
  creation *self = data;
  napi_value value = NULL;
  if (status != napi_ok) { /* the environment is going down */
    if (self->fd >= 0) sectile_close(self->fd);
  } else if (self->error == 0) {
    value = sectile_descriptor_wrap(env, self->fd);
    if (value != NULL) napi_resolve_deferred(env, self->deferred, value);
  } else {
    value = sectile_error_errno(env, self->syscall, self->error);
    if (value != NULL) napi_reject_deferred(env, self->deferred, value);
  }
  napi_delete_async_work(env, self->work);
  free(self);
}

static napi_value memory_create_async(napi_env env, napi_callback_info info) {
  static const char call[] = "memoryCreateAsync";
  creation request;
  if (!read_creation(env, info, &request)) return NULL;
  creation *self = malloc(sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, "malloc", ENOMEM);
  *self = request;
  napi_value name, promise;
  if (napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, create_execute, create_complete, self, &self->work) != napi_ok) {
    free(self);
    return sectile_fail_napi(env, call);
  }
  if (napi_create_promise(env, &self->deferred, &promise) != napi_ok || napi_queue_async_work(env, self->work) != napi_ok) {
    napi_delete_async_work(env, self->work);
    free(self);
    return sectile_fail_napi(env, call);
  }
  return promise;
}

static napi_value memory_seal(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_ADD_SEALS";
  napi_value argument[2];
  int fd;
  uint32_t seals;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !sectile_read_uint32(env, argument[1], call, "seals", &seals)) {
    return NULL;
  }
  int error = sectile_memory_seal(fd, seals);
  return error != 0 ? sectile_fail_errno(env, call, error) : sectile_undefined(env);
}

static napi_value memory_seals(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_GET_SEALS";
  napi_value argument[1];
  int fd;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd)) {
    return NULL;
  }
  return sectile_number(env, sectile_memory_seals(fd));
}

const sectile_export sectile_memory_exports[] = {
    {"memoryCreate", memory_create},
    {"memoryCreateAsync", memory_create_async},
    {"memoryCreateFile", memory_create_file},
    {"memoryCanSeal", memory_can_seal},
    {"memorySeal", memory_seal},
    {"memorySeals", memory_seals},
    {NULL, NULL},
};
