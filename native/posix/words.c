/*
 * Words of a mapping, each looked at and changed in one step for all processes that share it: for runtimes that allow no
 * buffer over a mapping, on which `Atomics` could do the same.
 */
#include "mapping.h"

#include <errno.h>
#include <sys/mman.h>

/* The word at a byte offset; NULL: an exception is pending. */
static int32_t *word_at(napi_env env, const napi_value *mapping_and_offset, const char *call, int access) {
  sectile_mapping *self;
  uint64_t offset;
  if (!sectile_mapping_read(env, mapping_and_offset[0], call, &self) ||
      !sectile_read_size(env, mapping_and_offset[1], call, "offset", &offset)) {
    return NULL;
  }
  uintptr_t address = self->base + self->before + offset;
  if (offset > self->length || self->length - offset < sizeof(int32_t) || address % sizeof(int32_t) != 0) {
    sectile_fail_argument(env, call, "there is no word at that offset");
    return NULL;
  }
  if (self->runs == NULL && (self->protection & access) != access) {
    sectile_fail_errno(env, call, EACCES);
    return NULL;
  }
  return (int32_t *)address;
}

static napi_value word_load(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordLoad";
  napi_value argument[2];
  if (!sectile_arguments(env, info, call, 2, argument)) return NULL;
  const int32_t *word = word_at(env, argument, call, PROT_READ);
  return word == NULL ? NULL : sectile_number(env, __atomic_load_n(word, __ATOMIC_SEQ_CST));
}

static napi_value word_exchange(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordExchange";
  napi_value argument[3];
  int32_t value;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_int32(env, argument[2], call, "value", &value))
    return NULL;
  int32_t *word = word_at(env, argument, call, PROT_READ | PROT_WRITE);
  return word == NULL ? NULL : sectile_number(env, __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST));
}

static napi_value word_compare_exchange(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordCompareExchange";
  napi_value argument[4];
  int32_t expected, value;
  if (!sectile_arguments(env, info, call, 4, argument) || !sectile_read_int32(env, argument[2], call, "expected", &expected) ||
      !sectile_read_int32(env, argument[3], call, "value", &value)) {
    return NULL;
  }
  int32_t *word = word_at(env, argument, call, PROT_READ | PROT_WRITE);
  if (word == NULL) return NULL;
  __atomic_compare_exchange_n(word, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return sectile_number(env, expected);
}

const sectile_export sectile_words_exports[] = {
    {"mappingWordLoad", word_load},
    {"mappingWordExchange", word_exchange},
    {"mappingWordCompareExchange", word_compare_exchange},
    {NULL, NULL},
};
