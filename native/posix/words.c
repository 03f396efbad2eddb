/*
 * Words of a mapping, each looked at and changed in one step for all processes that share it: for runtimes that allow no
 * buffer over a mapping, on which `Atomics` could do the same. And what Atomics cannot do on shared memory: sleep until
 * another process wakes, and wake.
 */
#include "waits.h"

#include <errno.h>
#include <math.h>
#include <sys/mman.h>
#include <time.h>

/* What lies at a byte offset, aligned to its size; 0: an exception is pending. */
static uintptr_t place_at(napi_env env, const napi_value *mapping_and_offset, const char *call, int access, size_t size,
                          sectile_mapping **mapping) {
  uint64_t offset;
  if (!sectile_mapping_read(env, mapping_and_offset[0], call, mapping) ||
      !sectile_read_size(env, mapping_and_offset[1], call, "offset", &offset)) {
    return 0;
  }
  const sectile_mapping *self = *mapping;
  uintptr_t address = self->base + self->before + offset;
  if (offset > self->length || self->length - offset < size || address % size != 0) {
    sectile_fail_argument(env, call, "there is no word at that offset");
    return 0;
  }
  if (self->runs == NULL && (self->protection & access) != access) {
    sectile_fail_errno(env, call, EACCES);
    return 0;
  }
  return address;
}

int32_t *sectile_word_at(napi_env env, const napi_value *mapping_and_offset, const char *call, int access) {
  sectile_mapping *mapping;
  return (int32_t *)place_at(env, mapping_and_offset, call, access, sizeof(int32_t), &mapping);
}

uint64_t *sectile_doubleword_at(napi_env env, const napi_value *mapping_and_offset, const char *call, sectile_mapping **mapping) {
  return (uint64_t *)place_at(env, mapping_and_offset, call, PROT_READ | PROT_WRITE, sizeof(uint64_t), mapping);
}

static napi_value word_load(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordLoad";
  napi_value argument[2];
  if (!sectile_arguments(env, info, call, 2, argument)) return NULL;
  const int32_t *word = sectile_word_at(env, argument, call, PROT_READ);
  return word == NULL ? NULL : sectile_number(env, __atomic_load_n(word, __ATOMIC_SEQ_CST));
}

static napi_value word_exchange(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordExchange";
  napi_value argument[3];
  int32_t value;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_int32(env, argument[2], call, "value", &value))
    return NULL;
  int32_t *word = sectile_word_at(env, argument, call, PROT_READ | PROT_WRITE);
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
  int32_t *word = sectile_word_at(env, argument, call, PROT_READ | PROT_WRITE);
  if (word == NULL) return NULL;
  __atomic_compare_exchange_n(word, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return sectile_number(env, expected);
}

/* Puts a value there and wakes all who sleep for it; how many there were, where the system tells. */
static napi_value word_store_wake(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordStoreWake";
  napi_value argument[3];
  int32_t value;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_int32(env, argument[2], call, "value", &value))
    return NULL;
  int32_t *word = sectile_word_at(env, argument, call, PROT_READ | PROT_WRITE);
  if (word == NULL) return NULL;
  int woken = sectile_word_store_wake(word, value);
  return woken < 0 ? sectile_fail_errno(env, call, -woken) : sectile_number(env, woken);
}

static napi_value word_wake(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordWake";
  napi_value argument[3];
  int32_t most;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_int32(env, argument[2], call, "most", &most)) return NULL;
  if (most < 1) return sectile_fail_argument(env, call, "most must be 1 or more");
  int32_t *word = sectile_word_at(env, argument, call, PROT_READ);
  if (word == NULL) return NULL;
  int woken = sectile_word_wake(word, most);
  return woken < 0 ? sectile_fail_errno(env, call, -woken) : sectile_number(env, woken);
}

int64_t sectile_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Milliseconds, a fraction too, as nanoseconds; -1: for ever, which anything beyond a hundred years is. */
static bool read_timeout(napi_env env, napi_value value, const char *call, int64_t *nanoseconds) {
  double milliseconds;
  if (napi_get_value_double(env, value, &milliseconds) != napi_ok || isnan(milliseconds) || milliseconds < 0) {
    sectile_fail_argument(env, call, "timeout must be milliseconds, 0 or more");
    return false;
  }
  *nanoseconds = milliseconds > 3e12 ? -1 : (int64_t)(milliseconds * 1e6);
  return true;
}

enum { WOKEN = 0, DIFFERED = 1, TIMED_OUT = 2 };

static napi_value word_wait_sync(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordWaitSync";
  napi_value argument[4];
  int32_t expected;
  int64_t timeout;
  if (!sectile_arguments(env, info, call, 4, argument) || !sectile_read_int32(env, argument[2], call, "expected", &expected) ||
      !read_timeout(env, argument[3], call, &timeout)) {
    return NULL;
  }
  const int32_t *word = sectile_word_at(env, argument, call, PROT_READ);
  if (word == NULL) return NULL;
  /* Most often not needed, and not asked for then: how late it is. */
  int64_t until = timeout <= 0 ? 0 : sectile_now() + timeout, left = timeout;
  if (timeout != 0 && sectile_word_look(word, expected)) return sectile_number(env, DIFFERED);
  for (;;) {
    int error = sectile_word_sleep(word, expected, left);
    /* Woken for nothing, or before the change is seen: what it waits for has not come. */
    if (error == EAGAIN || __atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) return sectile_number(env, DIFFERED);
    if (error != 0 && error != EINTR && error != ETIMEDOUT) return sectile_fail_errno(env, call, error);
    if (timeout >= 0) left = until - sectile_now();
    if (error == ETIMEDOUT || (timeout >= 0 && left <= 0)) return sectile_number(env, TIMED_OUT);
  }
}

/* Reads one element of an array of words to sleep for: mapping, offset, expected value. */
static bool read_sleep(napi_env env, napi_value waits, uint32_t index, const char *call, sectile_sleep *sleep) {
  napi_value triple, parts[3];
  if (napi_get_element(env, waits, index, &triple) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  for (uint32_t i = 0; i < 3; i++) {
    if (napi_get_element(env, triple, i, &parts[i]) == napi_ok) continue;
    sectile_fail_napi(env, call);
    return false;
  }
  if (!sectile_read_int32(env, parts[2], call, "expected", &sleep->expected)) return false;
  sleep->word = sectile_word_at(env, parts, call, PROT_READ);
  return sleep->word != NULL;
}

static napi_value words_wait_sync(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordsWaitSync";
  napi_value argument[2];
  uint32_t count;
  int64_t timeout;
  sectile_sleep sleeps[SECTILE_MOST_WORDS];
  if (!sectile_arguments(env, info, call, 2, argument) || !read_timeout(env, argument[1], call, &timeout)) return NULL;
  if (napi_get_array_length(env, argument[0], &count) != napi_ok || count < 1 || count > SECTILE_MOST_WORDS) {
    return sectile_fail_argument(env, call, "it takes 1 to 128 words");
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!read_sleep(env, argument[0], i, call, &sleeps[i])) return NULL;
  }
  size_t woken;
  int error = sectile_words_sleep(sleeps, count, timeout, &woken);
  if (error != 0 && error != ETIMEDOUT) return sectile_fail_errno(env, call, error);
  return sectile_number(env, error == ETIMEDOUT ? TIMED_OUT : WOKEN);
}

const sectile_export sectile_words_exports[] = {
    {"mappingWordLoad", word_load},
    {"mappingWordExchange", word_exchange},
    {"mappingWordCompareExchange", word_compare_exchange},
    {"mappingWordStoreWake", word_store_wake},
    {"mappingWordWake", word_wake},
    {"mappingWordWaitSync", word_wait_sync},
    {"mappingWordsWaitSync", words_wait_sync},
    {NULL, NULL},
};
