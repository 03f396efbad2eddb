/*
 * Handles of the kernel that somebody in JavaScript holds: closed by him, else when he is collected, else with the
 * environment that he lived in (a Worker that is terminated).
 */
#include "nt.h"
#include "sectile.h"

#include <errno.h>
#include <stdlib.h>

static const napi_type_tag tag = {0x6b2d0c5a9f3e4471, 0x8c1f7a2be05d9634};

typedef struct {
  HANDLE handle; /* NULL: closed */
} held;

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  held *self = data;
  if (self->handle != NULL) CloseHandle(self->handle);
  free(self);
}

/* (handle): takes it over. */
static napi_value handle_hold(napi_env env, napi_callback_info info) {
  static const char call[] = "handleHold";
  napi_value argument[1];
  int32_t handle;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_int32(env, argument[0], call, "handle", &handle)) {
    return NULL;
  }
  held *self = malloc(sizeof *self);
  if (self == NULL) {
    CloseHandle((HANDLE)(intptr_t)handle);
    return sectile_fail_errno(env, call, ENOMEM);
  }
  self->handle = (HANDLE)(intptr_t)handle;
  return sectile_wrap(env, self, &tag, finalize);
}

/* Safe to call twice. */
static napi_value handle_close(napi_env env, napi_callback_info info) {
  static const char call[] = "handleClose";
  napi_value argument[1];
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_unwrap(env, argument[0], call, "handle", &tag, &pointer)) {
    return NULL;
  }
  held *self = pointer;
  if (self->handle != NULL) CloseHandle(self->handle);
  self->handle = NULL;
  return sectile_undefined(env);
}

const sectile_export sectile_handle_exports[] = {{"handleHold", handle_hold}, {"handleClose", handle_close}, {NULL, NULL}};
