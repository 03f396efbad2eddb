/*
 * Reads JavaScript arguments into C values and turns failures into exceptions. Knows no system call.
 */
#include "sectile.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

const napi_type_tag sectile_tag_descriptor = {0x5ec711e0de5c0001, 0x8f1d2c3b4a596877};
const napi_type_tag sectile_tag_mapping = {0x5ec711e03a990002, 0x8f1d2c3b4a596877};
const napi_type_tag sectile_tag_server = {0x5ec711e05e4e0003, 0x8f1d2c3b4a596877};

napi_value sectile_error_errno(napi_env env, const char *syscall, int error) {
  char text[160];
  napi_value message, symbol, result;
  snprintf(text, sizeof text, "%s: %s (%s)", syscall, strerror(error), sectile_errno_symbol(error));
  if (napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_string_utf8(env, sectile_errno_symbol(error), NAPI_AUTO_LENGTH, &symbol) != napi_ok ||
      napi_create_error(env, symbol, message, &result) != napi_ok) {
    return sectile_fail_napi(env, syscall);
  }
  napi_value name;
  if (napi_create_string_utf8(env, syscall, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      !sectile_set(env, result, "errno", sectile_number(env, error)) || !sectile_set(env, result, "syscall", name)) {
    return NULL;
  }
  return result;
}

napi_value sectile_fail_errno(napi_env env, const char *syscall, int error) {
  napi_value result = sectile_error_errno(env, syscall, error);
  if (result != NULL) napi_throw(env, result);
  return NULL;
}

napi_value sectile_fail_argument(napi_env env, const char *call, const char *what) {
  char text[160];
  snprintf(text, sizeof text, "%s: %s", call, what);
  napi_throw_type_error(env, "ERR_INVALID_ARG_VALUE", text);
  return NULL;
}

napi_value sectile_fail_napi(napi_env env, const char *call) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return NULL;
  const napi_extended_error_info *info = NULL;
  const char *reason = "Node-API refused the call";
  if (napi_get_last_error_info(env, &info) == napi_ok && info->error_message != NULL) reason = info->error_message;
  char text[160];
  snprintf(text, sizeof text, "%s: %s", call, reason);
  napi_throw_error(env, "ERR_NAPI", text);
  return NULL;
}

bool sectile_arguments(napi_env env, napi_callback_info info, const char *call, size_t count, napi_value *values) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  if (given != count) {
    sectile_fail_argument(env, call, "wrong number of arguments");
    return false;
  }
  return true;
}

static bool wrong(napi_env env, const char *call, const char *name, const char *rule) {
  char text[96];
  snprintf(text, sizeof text, "%s %s", name, rule);
  sectile_fail_argument(env, call, text);
  return false;
}

bool sectile_is_whole(napi_env env, double value, const char *call, const char *name, double minimum, double maximum) {
  if (value >= minimum && value <= maximum && (double)(int64_t)value == value) return true;
  return wrong(env, call, name, "is no whole number in its range");
}

static bool read_whole(napi_env env, napi_value value, const char *call, const char *name, double minimum, double maximum,
                       double *result) {
  if (napi_get_value_double(env, value, result) != napi_ok) return wrong(env, call, name, "must be a number");
  return sectile_is_whole(env, *result, call, name, minimum, maximum);
}

bool sectile_read_uint32(napi_env env, napi_value value, const char *call, const char *name, uint32_t *result) {
  double number;
  if (!read_whole(env, value, call, name, 0, UINT32_MAX, &number)) return false;
  *result = (uint32_t)number;
  return true;
}

bool sectile_read_int32(napi_env env, napi_value value, const char *call, const char *name, int32_t *result) {
  double number;
  if (!read_whole(env, value, call, name, INT32_MIN, INT32_MAX, &number)) return false;
  *result = (int32_t)number;
  return true;
}

bool sectile_read_size(napi_env env, napi_value value, const char *call, const char *name, uint64_t *result) {
  double number;
  if (!read_whole(env, value, call, name, 0, (double)SECTILE_MAX_SIZE, &number)) return false;
  *result = (uint64_t)number;
  return true;
}

bool sectile_read_address(napi_env env, napi_value value, const char *call, const char *name, uint64_t *result) {
  bool lossless = false;
  if (napi_get_value_bigint_uint64(env, value, result, &lossless) != napi_ok || !lossless) {
    return wrong(env, call, name, "must be a bigint of 64 bits");
  }
  return true;
}

bool sectile_timeout_is_sound(napi_env env, const char *call, double milliseconds) {
  return milliseconds >= 0 || wrong(env, call, "timeout", "must be milliseconds, 0 or more");
}

bool sectile_read_timeout(napi_env env, napi_value value, const char *call, double *milliseconds) {
  if (napi_get_value_double(env, value, milliseconds) != napi_ok) return wrong(env, call, "timeout", "must be a number");
  return sectile_timeout_is_sound(env, call, *milliseconds);
}

bool sectile_read_bool(napi_env env, napi_value value, const char *call, const char *name, bool *result) {
  if (napi_get_value_bool(env, value, result) != napi_ok) return wrong(env, call, name, "must be true or false");
  return true;
}

bool sectile_read_string(napi_env env, napi_value value, const char *call, const char *name, char *buffer, size_t capacity) {
  size_t length = 0, copied = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    return wrong(env, call, name, "must be a string");
  }
  if (length + 1 > capacity) return wrong(env, call, name, "is too long");
  if (napi_get_value_string_utf8(env, value, buffer, capacity, &copied) != napi_ok || strlen(buffer) != length) {
    return wrong(env, call, name, "must not contain a NUL");
  }
  return true;
}

bool sectile_read_bytes(napi_env env, napi_value value, const char *call, const char *name, uint8_t **bytes, size_t *length) {
  bool is_typed_array = false;
  napi_typedarray_type type = napi_int8_array;
  void *data = NULL;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array ||
      napi_get_typedarray_info(env, value, &type, length, &data, NULL, NULL) != napi_ok || type != napi_uint8_array) {
    return wrong(env, call, name, "must be a Uint8Array");
  }
  *bytes = data;
  if (data == NULL) *length = 0;
  return true;
}

napi_value sectile_undefined(napi_env env) {
  napi_value result = NULL;
  napi_get_undefined(env, &result);
  return result;
}

napi_value sectile_number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

napi_value sectile_boolean(napi_env env, bool value) {
  napi_value result = NULL;
  napi_get_boolean(env, value, &result);
  return result;
}

bool sectile_set(napi_env env, napi_value object, const char *name, napi_value value) {
  if (value != NULL && napi_set_named_property(env, object, name, value) == napi_ok) return true;
  sectile_fail_napi(env, name);
  return false;
}

napi_status sectile_external_buffer(napi_env env, void *memory, size_t length, napi_finalize finalize, void *hint,
                                    napi_value *result) {
#ifdef NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED
  (void)env, (void)memory, (void)length, (void)finalize, (void)hint, (void)result;
  return napi_no_external_buffers_allowed;
#else
  return napi_create_external_arraybuffer(env, memory, length, finalize, hint, result);
#endif
}

/*
 * Pointers that have been found to be of a kind, for Node-API takes longer to tell than most calls to do their work: the
 * pointer, whose low bits are free, with the kind's number in them. Another place's pointer may have taken a place; a pointer
 * whose object was collected has none.
 */
enum { KNOWN = 1024, KIND_BITS = 15 };
static _Atomic uintptr_t known[KNOWN];

static _Atomic uintptr_t *known_place(const void *pointer) {
  uintptr_t number = (uintptr_t)pointer;
  return &known[(number >> 5 ^ number >> 15) % KNOWN];
}

static uintptr_t known_entry(const void *pointer, const napi_type_tag *tag) {
  return (uintptr_t)pointer | (uintptr_t)(tag->lower & KIND_BITS);
}

/* On any thread. The finalizer of the pointer is the hint. */
static void forget_and_finalize(napi_env env, void *pointer, void *finalize) {
  _Atomic uintptr_t *place = known_place(pointer);
  uintptr_t found = atomic_load(place);
  if ((found & ~(uintptr_t)KIND_BITS) == (uintptr_t)pointer) atomic_compare_exchange_strong(place, &found, 0);
  ((napi_finalize)finalize)(env, pointer, NULL);
}

napi_value sectile_wrap(napi_env env, void *pointer, const napi_type_tag *tag, napi_finalize finalize) {
  napi_value result;
  if (napi_create_external(env, pointer, forget_and_finalize, (void *)finalize, &result) != napi_ok) {
    finalize(env, pointer, NULL);
    return sectile_fail_napi(env, "napi_create_external");
  }
  /* From here the finalizer owns the pointer, also when tagging fails. */
  if (napi_type_tag_object(env, result, tag) != napi_ok) return sectile_fail_napi(env, "napi_type_tag_object");
  return result;
}

bool sectile_is_known(const void *pointer, const napi_type_tag *tag) {
  /* With other low bits it would be another kind's, or another pointer's. */
  if (((uintptr_t)pointer & KIND_BITS) != 0) return false;
  return atomic_load_explicit(known_place(pointer), memory_order_relaxed) == known_entry(pointer, tag);
}

bool sectile_is(napi_env env, napi_value value, const napi_type_tag *tag, void **pointer) {
  bool tagged = false;
  if (napi_get_value_external(env, value, pointer) != napi_ok || *pointer == NULL) return false;
  if (sectile_is_known(*pointer, tag)) return true;
  if (napi_check_object_type_tag(env, value, tag, &tagged) != napi_ok || !tagged) return false;
  atomic_store_explicit(known_place(*pointer), known_entry(*pointer, tag), memory_order_relaxed);
  return true;
}

bool sectile_unwrap(napi_env env, napi_value value, const char *call, const char *name, const napi_type_tag *tag,
                    void **pointer) {
  return sectile_is(env, value, tag, pointer) || wrong(env, call, name, "is of another kind");
}
