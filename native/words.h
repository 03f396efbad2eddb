/*
 * Words of mappings, which all processes that map them look at and change in one step. The calls on them (word_calls.c, mutex.c)
 * are the same on all systems; what stands here, each system's folder has.
 */
#ifndef SECTILE_WORDS_H
#define SECTILE_WORDS_H

#include "registers.h"

typedef struct sectile_mapping sectile_mapping;

typedef struct {
  sectile_mapping *mapping;
  int32_t *address;
  uint64_t offset; /* in the section, where the system needs that */
} sectile_word;

/* How a wait has ended. */
enum { SECTILE_WOKEN = 0, SECTILE_DIFFERED = 1, SECTILE_TIMED_OUT = 2 };

/* ---- word_calls.c ---- */

/*
 * The word that the registers of a call name, of so many bytes, for reading or for writing too. NULL: they do not, or an
 * exception is pending.
 */
SECTILE_HOT sectile_instance *sectile_word_of_call(napi_env env, napi_callback_info info, const char *call, size_t size,
                                                   bool writes, sectile_word *word);
/* The word that two arguments name, for reading; false: an exception is pending. */
bool sectile_word_of_arguments(napi_env env, const napi_value *mapping_and_offset, const char *call, sectile_word *word);

/* ---- of each system ---- */

bool sectile_mapping_read(napi_env env, napi_value value, const char *call, sectile_mapping **mapping);
/* Whether it is open; false: an exception is pending. */
SECTILE_HOT bool sectile_mapping_must_be_open(napi_env env, const char *call, sectile_mapping *mapping);
bool sectile_mapping_is_closed(const sectile_mapping *mapping);
/* One more user of the addresses, and one less. */
void sectile_mapping_retain(sectile_mapping *mapping);
void sectile_mapping_release(sectile_mapping *mapping);

/* What lies at a byte offset of a mapping, aligned to its size; false: an exception is pending. */
SECTILE_HOT bool sectile_word_find(napi_env env, const char *call, sectile_mapping *mapping, uint64_t offset, size_t size,
                                   bool writes, sectile_word *word);
/* Wakes so many of those who sleep for it. How many there were, where the system tells; less than 0: an exception is pending. */
SECTILE_HOT int32_t sectile_word_wake(napi_env env, const char *call, const sectile_word *word, int32_t most);
/* Wakes all. Nobody is told what goes wrong. */
void sectile_word_wake_all(const sectile_word *word);
/* Puts a value there and wakes all, in one step where the system has it. */
SECTILE_HOT int32_t sectile_word_store_wake(napi_env env, const char *call, const sectile_word *word, int32_t value);
/* Sleeps while it has a value, for some milliseconds or (beyond a hundred years) for ever; less than 0: an exception is pending.
 */
SECTILE_HOT int sectile_word_wait(napi_env env, const char *call, const sectile_word *word, int32_t expected,
                                  double milliseconds);

/* ---- processes ---- */

/* This process: its number, its start and the space of its number, each as a mutex keeps it. */
typedef struct {
  uint32_t pid;
  uint16_t start;
  int32_t home;
} sectile_self;
sectile_self sectile_this_process(void);
/* Whether the process of that number, and (where that is not 0) that start, has ended; false where that cannot be told. */
bool sectile_process_has_ended(uint32_t pid, uint16_t start);

#endif
