/*
 * Words of a mapping, each looked at and changed in one step for all processes that share it: for runtimes that allow no
 * buffer over a mapping, on which `Atomics` could do the same. And what Atomics cannot do on shared memory: sleep until
 * another process wakes, and wake. Arguments and answers stand in the registers.
 */
#include "words.h"

sectile_instance *sectile_word_of_call(napi_env env, napi_callback_info info, const char *call, size_t size, bool writes,
                                       sectile_word *word) {
  sectile_instance *self = sectile_instance_of(env, info, call);
  sectile_mapping *mapping = self == NULL ? NULL : sectile_registers_mapping(self->registers);
  if (mapping == NULL || !sectile_mapping_must_be_open(env, call, mapping)) return NULL;
  double offset = self->registers->offset;
  bool is_there = sectile_is_whole(env, offset, call, "offset", 0, (double)SECTILE_MAX_SIZE) &&
                  sectile_word_find(env, call, mapping, (uint64_t)offset, size, writes, word);
  return is_there ? self : NULL;
}

bool sectile_word_of_arguments(napi_env env, const napi_value *mapping_and_offset, const char *call, sectile_word *word) {
  sectile_mapping *mapping;
  uint64_t offset;
  return sectile_mapping_read(env, mapping_and_offset[0], call, &mapping) &&
         sectile_read_size(env, mapping_and_offset[1], call, "offset", &offset) &&
         sectile_word_find(env, call, mapping, offset, sizeof(int32_t), false, word);
}

/* The word of a call, and the first value beside it. NULL as above. */
SECTILE_HOT static sectile_instance *read_call(napi_env env, napi_callback_info info, const char *call, bool writes,
                                               sectile_word *word, const char *name, double minimum, int32_t *value) {
  sectile_instance *self = sectile_word_of_call(env, info, call, sizeof(int32_t), writes, word);
  if (self == NULL || !sectile_is_whole(env, self->registers->values[0], call, name, minimum, INT32_MAX)) return NULL;
  *value = (int32_t)self->registers->values[0];
  return self;
}

SECTILE_HOT static napi_value word_load(napi_env env, napi_callback_info info) {
  sectile_word word;
  sectile_instance *self = sectile_word_of_call(env, info, "wordLoad", sizeof(int32_t), false, &word);
  return self == NULL ? NULL : sectile_answer(self->registers, __atomic_load_n(word.address, __ATOMIC_SEQ_CST));
}

SECTILE_HOT static napi_value word_exchange(napi_env env, napi_callback_info info) {
  sectile_word word;
  int32_t value;
  sectile_instance *self = read_call(env, info, "wordExchange", true, &word, "value", INT32_MIN, &value);
  return self == NULL ? NULL : sectile_answer(self->registers, __atomic_exchange_n(word.address, value, __ATOMIC_SEQ_CST));
}

SECTILE_HOT static napi_value word_compare_exchange(napi_env env, napi_callback_info info) {
  static const char call[] = "wordCompareExchange";
  sectile_word word;
  int32_t expected;
  sectile_instance *self = read_call(env, info, call, true, &word, "expected", INT32_MIN, &expected);
  if (self == NULL || !sectile_is_whole(env, self->registers->values[1], call, "value", INT32_MIN, INT32_MAX)) return NULL;
  int32_t value = (int32_t)self->registers->values[1];
  __atomic_compare_exchange_n(word.address, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return sectile_answer(self->registers, expected);
}

/* Puts a value there and wakes all who sleep for it; how many there were, where the system tells. */
SECTILE_HOT static napi_value word_store_wake(napi_env env, napi_callback_info info) {
  static const char call[] = "wordStoreWake";
  sectile_word word;
  int32_t value;
  sectile_instance *self = read_call(env, info, call, true, &word, "value", INT32_MIN, &value);
  int32_t woken = self == NULL ? -1 : sectile_word_store_wake(env, call, &word, value);
  return woken < 0 ? NULL : sectile_answer(self->registers, woken);
}

SECTILE_HOT static napi_value word_wake(napi_env env, napi_callback_info info) {
  static const char call[] = "wordWake";
  sectile_word word;
  int32_t most;
  sectile_instance *self = read_call(env, info, call, false, &word, "most", 1, &most);
  int32_t woken = self == NULL ? -1 : sectile_word_wake(env, call, &word, most);
  return woken < 0 ? NULL : sectile_answer(self->registers, woken);
}

/* Sleeps while the word has the first value, for as many milliseconds as the second says. */
SECTILE_HOT static napi_value word_wait_sync(napi_env env, napi_callback_info info) {
  static const char call[] = "wordWaitSync";
  sectile_word word;
  int32_t expected;
  sectile_instance *self = read_call(env, info, call, false, &word, "expected", INT32_MIN, &expected);
  if (self == NULL) return NULL;
  double milliseconds = self->registers->values[1];
  if (!sectile_timeout_is_sound(env, call, milliseconds)) return NULL;
  if (milliseconds != 0 && sectile_word_look(self->histories, word.address, expected))
    return sectile_answer(self->registers, SECTILE_DIFFERED);
  int end = sectile_word_wait(env, call, &word, expected, milliseconds);
  return end < 0 ? NULL : sectile_answer(self->registers, end);
}

const sectile_export sectile_word_calls_exports[] = {
    {"wordLoad", word_load},
    {"wordExchange", word_exchange},
    {"wordCompareExchange", word_compare_exchange},
    {"wordStoreWake", word_store_wake},
    {"wordWake", word_wake},
    {"wordWaitSync", word_wait_sync},
    {NULL, NULL},
};
