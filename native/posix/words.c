/*
 * What words of a mapping are on this system, and sleeping for several at a time.
 */
#include "waits.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

bool sectile_word_find(napi_env env, const char *call, sectile_mapping *mapping, uint64_t offset, size_t size, bool writes,
                       sectile_word *word) {
  int access = writes ? PROT_READ | PROT_WRITE : PROT_READ;
  uintptr_t address = mapping->base + mapping->before + offset;
  if (offset > mapping->length || mapping->length - offset < size || address % size != 0) {
    sectile_fail_argument(env, call, "there is no word at that offset");
    return false;
  }
  if (mapping->runs == NULL && (mapping->protection & access) != access) {
    sectile_fail_errno(env, call, EACCES);
    return false;
  }
  *word = (sectile_word){mapping, (int32_t *)address, offset};
  return true;
}

static int32_t woken(napi_env env, const char *call, int answer) {
  if (answer < 0) sectile_fail_errno(env, call, -answer);
  return answer;
}

int32_t sectile_word_wake(napi_env env, const char *call, const sectile_word *word, int32_t most) {
  return woken(env, call, sectile_futex_wake(word->address, most));
}

void sectile_word_wake_all(const sectile_word *word) { sectile_futex_wake(word->address, INT32_MAX); }

int32_t sectile_word_store_wake(napi_env env, const char *call, const sectile_word *word, int32_t value) {
  return woken(env, call, sectile_futex_store_wake(word->address, value));
}

int64_t sectile_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000 + time.tv_nsec;
}

/* -1: for ever, which anything beyond a hundred years is. */
static int64_t nanoseconds_of(double milliseconds) { return milliseconds > 3e12 ? -1 : (int64_t)(milliseconds * 1e6); }

int sectile_word_wait(napi_env env, const char *call, const sectile_word *word, int32_t expected, double milliseconds) {
  int64_t timeout = nanoseconds_of(milliseconds), left = timeout;
  /* Most often not needed, and not asked for then: how late it is. */
  int64_t until = timeout <= 0 ? 0 : sectile_now() + timeout;
  for (;;) {
    int error = sectile_futex_sleep(word->address, expected, left);
    /* Woken for nothing, or before the change is seen: what it waits for has not come. */
    if (error == EAGAIN || __atomic_load_n(word->address, __ATOMIC_SEQ_CST) != expected) return SECTILE_DIFFERED;
    if (error != 0 && error != EINTR && error != ETIMEDOUT) {
      sectile_fail_errno(env, call, error);
      return -1;
    }
    if (timeout >= 0) left = until - sectile_now();
    if (error == ETIMEDOUT || (timeout >= 0 && left <= 0)) return SECTILE_TIMED_OUT;
  }
}

/* -------------------------------------------------------------------------- several at a time ---- */

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
  sectile_word word;
  if (!sectile_word_of_arguments(env, parts, call, &word)) return false;
  sleep->word = word.address;
  return true;
}

static napi_value words_wait_sync(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordsWaitSync";
  napi_value argument[2];
  uint32_t count;
  double milliseconds;
  sectile_sleep sleeps[SECTILE_MOST_WORDS];
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_read_timeout(env, argument[1], call, &milliseconds)) {
    return NULL;
  }
  if (napi_get_array_length(env, argument[0], &count) != napi_ok || count < 1 || count > SECTILE_MOST_WORDS) {
    return sectile_fail_argument(env, call, "it takes 1 to 128 words");
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!read_sleep(env, argument[0], i, call, &sleeps[i])) return NULL;
  }
  size_t which;
  int error = sectile_words_sleep(sleeps, count, nanoseconds_of(milliseconds), &which);
  if (error != 0 && error != ETIMEDOUT) return sectile_fail_errno(env, call, error);
  return sectile_number(env, error == ETIMEDOUT ? SECTILE_TIMED_OUT : SECTILE_WOKEN);
}

const sectile_export sectile_words_exports[] = {{"mappingWordsWaitSync", words_wait_sync}, {NULL, NULL}};
