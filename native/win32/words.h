/*
 * Words of a mapping, as the files of this folder share them.
 */
#ifndef SECTILE_WORDS_H
#define SECTILE_WORDS_H

#include "mapping.h"
#include "meeting.h"

/* A word of shared memory, and where those meet who wait for it. */
typedef struct {
  sectile_mapping *mapping;
  volatile LONG *address;
  uint64_t offset; /* in the section */
} sectile_word;

/* The word at a byte offset; false: an exception is pending. */
bool sectile_word_at(napi_env env, const napi_value *mapping_and_offset, const char *call, bool writes, sectile_word *word);
/* The same for a doubleword, which is a mutex's owner. */
bool sectile_doubleword_at(napi_env env, const napi_value *mapping_and_offset, const char *call, sectile_word *word);
/* Wakes so many who wait for it; how many there were, or less than 0: an exception is pending. */
int32_t sectile_word_wake(napi_env env, const char *call, const sectile_word *word, int32_t most);
/* Throws what a meeting has answered. */
napi_value sectile_fail_meeting(napi_env env, const char *call, DWORD error);

#endif
