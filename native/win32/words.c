/*
 * What words of a mapping are on Windows. Across processes nobody can sleep for one there, so who sleeps and who wakes meet
 * beside the section: meeting.c. The form that leaves JavaScript free is in word_waits.c.
 */
#include "sleeping.h"

#include <errno.h>

enum { MOST_WORDS = 128 };

bool sectile_word_find(napi_env env, const char *call, sectile_mapping *mapping, uint64_t offset, size_t size, bool writes,
                       sectile_word *word) {
  uintptr_t address = mapping->guarded.base + mapping->before + offset;
  if (offset > mapping->length || mapping->length - offset < size || address % size != 0) {
    sectile_fail_argument(env, call, "there is no word at that offset");
    return false;
  }
  if (writes && !mapping->guarded.pages_differ && mapping->guarded.protect != PAGE_READWRITE &&
      mapping->guarded.protect != PAGE_EXECUTE_READWRITE) {
    sectile_fail_errno(env, call, EACCES);
    return false;
  }
  *word = (sectile_word){mapping, (int32_t *)address, mapping->guarded.offset + mapping->before + offset};
  return true;
}

napi_value sectile_fail_meeting(napi_env env, const char *call, DWORD error) {
  switch (error) {
    case ERROR_ACCESS_DENIED:
      return sectile_fail_errno(env, call, EACCES);
    case ERROR_NO_SYSTEM_RESOURCES:
      return sectile_fail_errno(env, call, ENOSPC);
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_COMMITMENT_LIMIT:
      return sectile_fail_errno(env, call, ENOMEM);
    default:
      return sectile_fail_errno(env, call, EIO);
  }
}

int32_t sectile_word_wake(napi_env env, const char *call, const sectile_word *word, int32_t most) {
  int32_t woken;
  if (word->mapping->meeting == NULL) {
    sectile_fail_errno(env, call, EOPNOTSUPP);
    return -1;
  }
  DWORD error = sectile_meeting_wake(word->mapping->meeting, word->offset, most, &woken);
  if (error == ERROR_SUCCESS) return woken;
  sectile_fail_meeting(env, call, error);
  return -1;
}

void sectile_word_wake_all(const sectile_word *word) {
  int32_t woken;
  if (word->mapping->meeting != NULL) sectile_meeting_wake(word->mapping->meeting, word->offset, INT32_MAX, &woken);
}

int32_t sectile_word_store_wake(napi_env env, const char *call, const sectile_word *word, int32_t value) {
  __atomic_store_n(word->address, value, __ATOMIC_SEQ_CST);
  return sectile_word_wake(env, call, word, INT32_MAX);
}

/* ------------------------------------------------------------------------------------- sleeping ---- */

/* What a thread of JavaScript sleeps by: its own, made when they are needed. */
static _Thread_local sectile_mailbox mailboxes[2];

static void close_mailboxes(void *data) {
  sectile_mailbox *own = data;
  for (int i = 0; i < 2; i++) sectile_mailbox_close(&own[i]);
}

static DWORD make_mailbox(napi_env env, bool global) {
  bool none = mailboxes[0].event == NULL && mailboxes[1].event == NULL;
  DWORD error = sectile_mailbox_make(&mailboxes[global], global);
  if (none && error == ERROR_SUCCESS) napi_add_env_cleanup_hook(env, close_mailboxes, mailboxes);
  return error;
}

typedef struct {
  sectile_word word;
  int32_t expected;
  uint32_t place;
} sleep_for;

static void leave(const sleep_for *all, uint32_t count) {
  while (count-- > 0) sectile_meeting_leave(all[count].word.mapping->meeting, all[count].place);
}

/* Enters all; how many, if not all: an exception is pending. */
static bool enter(napi_env env, const char *call, sleep_for *all, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    sectile_meeting *meeting = all[i].word.mapping->meeting;
    DWORD error = ERROR_SUCCESS;
    if (meeting != NULL) {
      bool global = sectile_meeting_is_global(meeting);
      error = make_mailbox(env, global);
      if (error == ERROR_SUCCESS) {
        error = sectile_meeting_enter(meeting, all[i].word.offset, &mailboxes[global], &all[i].place);
      }
    }
    if (meeting != NULL && error == ERROR_SUCCESS) continue;
    leave(all, i);
    if (meeting == NULL) {
      sectile_fail_errno(env, call, EOPNOTSUPP);
    } else {
      sectile_fail_meeting(env, call, error);
    }
    return false;
  }
  return true;
}

/* Whether one of them need not be slept for any more. */
static bool is_over(const sleep_for *all, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    if (__atomic_load_n(all[i].word.address, __ATOMIC_SEQ_CST) != all[i].expected ||
        sectile_meeting_is_woken(all[i].word.mapping->meeting, all[i].place)) {
      return true;
    }
  }
  return false;
}

int64_t sectile_now(void) {
  LARGE_INTEGER ticks, frequency;
  QueryPerformanceCounter(&ticks);
  QueryPerformanceFrequency(&frequency);
  return (int64_t)((double)ticks.QuadPart / (double)frequency.QuadPart * 1e9);
}

/* Units of 100 ns, in which NtWaitForMultipleObjects counts. */
static int64_t now(void) { return sectile_now() / 100; }

/* One of those in words.h; less than 0: an exception is pending. */
static int sleep_until(napi_env env, const char *call, sleep_for *all, uint32_t count, double milliseconds) {
  if (!enter(env, call, all, count)) return -1;
  HANDLE events[2];
  DWORD event_count = 0;
  for (int i = 0; i < 2; i++) {
    if (mailboxes[i].event != NULL) events[event_count++] = mailboxes[i].event;
  }
  const bool limited = milliseconds <= 3e12;
  const int64_t until = limited ? now() + (int64_t)(milliseconds * 1e4) : 0;
  int outcome = SECTILE_DIFFERED;
  while (!is_over(all, count)) {
    LARGE_INTEGER left = {.QuadPart = limited ? now() - until : -1};
    if (left.QuadPart >= 0) {
      outcome = SECTILE_TIMED_OUT;
      break;
    }
    NtWaitForMultipleObjects(event_count, events, SECTILE_WAIT_ANY, FALSE, limited ? &left : NULL);
    outcome = SECTILE_WOKEN;
  }
  leave(all, count);
  return outcome;
}

int sectile_word_wait(napi_env env, const char *call, const sectile_word *word, int32_t expected, double milliseconds) {
  sleep_for one = {.word = *word, .expected = expected};
  return sleep_until(env, call, &one, 1, milliseconds);
}

/* Reads one element of an array of words to sleep for: mapping, offset, expected value. */
static bool read_sleep(napi_env env, napi_value waits, uint32_t index, const char *call, sleep_for *one) {
  napi_value triple, parts[3];
  bool read = napi_get_element(env, waits, index, &triple) == napi_ok;
  for (uint32_t i = 0; i < 3; i++) read = read && napi_get_element(env, triple, i, &parts[i]) == napi_ok;
  if (!read) {
    sectile_fail_napi(env, call);
    return false;
  }
  return sectile_read_int32(env, parts[2], call, "expected", &one->expected) &&
         sectile_word_of_arguments(env, parts, call, &one->word);
}

static napi_value words_wait_sync(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordsWaitSync";
  napi_value argument[2];
  uint32_t count;
  double milliseconds;
  sleep_for all[MOST_WORDS];
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_read_timeout(env, argument[1], call, &milliseconds))
    return NULL;
  if (napi_get_array_length(env, argument[0], &count) != napi_ok || count < 1 || count > MOST_WORDS) {
    return sectile_fail_argument(env, call, "it takes 1 to 128 words");
  }
  for (uint32_t i = 0; i < count; i++) {
    if (!read_sleep(env, argument[0], i, call, &all[i])) return NULL;
  }
  int end = sleep_until(env, call, all, count, milliseconds);
  return end < 0 ? NULL : sectile_number(env, end);
}

const sectile_export sectile_words_exports[] = {{"mappingWordsWaitSync", words_wait_sync}, {NULL, NULL}};
