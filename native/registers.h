/*
 * Arguments that JavaScript has left in memory of its own that this side reads, and the answer there: for calls that do so little
 * that Node-API takes longer to hand four numbers over than they take for their work. A mapping is named there by a key.
 */
#ifndef SECTILE_REGISTERS_H
#define SECTILE_REGISTERS_H

#include "sectile.h"

/* In this order, as src/sync/word.ts has them. */
typedef struct {
  double mapping;
  double offset;
  double values[2];
  double answer; /* not a number: the key means nothing (any more) */
} sectile_registers;

/* How looking at a word has fared: look.c. Words that meet in one place share their luck. */
typedef struct {
  uint16_t misses, skipped;
  uint8_t strays;
  bool gives_way;
} sectile_history;
enum { SECTILE_HISTORIES = 64 };

struct sectile_owner;

/* What one instance of the addon has: a thread of JavaScript has one or more. Every function gets it as its data. */
typedef struct {
  sectile_registers *registers;
  sectile_history histories[SECTILE_HISTORIES];
  struct sectile_owner *owner; /* who the thread is to mutexes; NULL before it takes one: mutex.c */
} sectile_instance;

/* Makes it, and exports its registers; NULL: an exception is pending. */
sectile_instance *sectile_instance_make(napi_env env, napi_value exports);
/* That of a call; NULL: an exception is pending. */
SECTILE_HOT sectile_instance *sectile_instance_of(napi_env env, napi_callback_info info, const char *call);

/* The mapping that the registers name; NULL: they do not, and the answer says so. */
SECTILE_HOT void *sectile_registers_mapping(sectile_registers *self);
/* Leaves an answer; NULL. */
SECTILE_HOT napi_value sectile_answer(sectile_registers *self, double answer);

/* Looks at a word for some microseconds, where that has helped before. Whether it has another value than expected. */
SECTILE_HOT bool sectile_word_look(sectile_history *histories, const int32_t *word, int32_t expected);

#endif
