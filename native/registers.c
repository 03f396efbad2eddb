/*
 * The memory for arguments and answers of one instance, and the keys by which mappings are named in it.
 */
#include "registers.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT = sizeof(sectile_registers) / sizeof(double) };

/* It runs after those of all others, who came later: nobody looks into it any more. */
static void on_environment_ends(void *data) { free(data); }

sectile_instance *sectile_instance_make(napi_env env, napi_value exports) {
  sectile_instance *self = calloc(1, sizeof *self);
  if (self == NULL) {
    sectile_fail_argument(env, "module", "there is no memory");
    return NULL;
  }
  void *memory = NULL;
  napi_value buffer, array;
  napi_ref reference;
  /* Kept for good: it must not move, or go, while there is a function that looks into it. */
  if (napi_create_arraybuffer(env, sizeof(sectile_registers), &memory, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_float64_array, COUNT, buffer, 0, &array) != napi_ok ||
      napi_create_reference(env, array, 1, &reference) != napi_ok ||
      napi_add_env_cleanup_hook(env, on_environment_ends, self) != napi_ok) {
    free(self);
    sectile_fail_napi(env, "module");
    return NULL;
  }
  self->registers = memory;
  return sectile_set(env, exports, "registers", array) ? self : NULL;
}

sectile_instance *sectile_instance_of(napi_env env, napi_callback_info info, const char *call) {
  void *data = NULL;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) == napi_ok && data != NULL) return data;
  sectile_fail_napi(env, call);
  return NULL;
}

void *sectile_registers_mapping(sectile_registers *self) {
  double key = self->mapping;
  /* A number of any kind may stand there. */
  if (key >= 1 && key <= (double)SECTILE_MAX_KEY) {
    void *pointer = (void *)(uintptr_t)(uint64_t)key;
    if (sectile_is_known(pointer, &sectile_tag_mapping)) return pointer;
  }
  self->answer = NAN;
  return NULL;
}

napi_value sectile_answer(sectile_registers *self, double answer) {
  self->answer = answer;
  return NULL;
}

/* (mapping): the key that means it in the registers, from now on, until another one's takes its place or it is collected. */
static napi_value mapping_key(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingKey";
  napi_value argument[1];
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "mapping", &sectile_tag_mapping, &pointer)) {
    return NULL;
  }
  if ((uintptr_t)pointer > SECTILE_MAX_KEY) return sectile_fail_argument(env, call, "its record is beyond 2^53");
  return sectile_number(env, (double)(uintptr_t)pointer);
}

const sectile_export sectile_registers_exports[] = {{"mappingKey", mapping_key}, {NULL, NULL}};
