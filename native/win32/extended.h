/*
 * MEM_EXTENDED_PARAMETERs of the newer memory calls, as JavaScript gives them: [[type, value], …], where the value of
 * address requirements is [lowest, highest, alignment]. What they mean is the kernel's to judge.
 */
#ifndef SECTILE_EXTENDED_H
#define SECTILE_EXTENDED_H

#include "nt.h"
#include "sectile.h"

enum { SECTILE_MOST_EXTENDED = 8 };

typedef struct {
  MEM_EXTENDED_PARAMETER list[SECTILE_MOST_EXTENDED];
  MEM_ADDRESS_REQUIREMENTS requirements[SECTILE_MOST_EXTENDED];
  uint32_t count;
} sectile_extended;

/* Null is none. The list points into `result`, which must not move. False: an exception is pending. */
bool sectile_read_extended(napi_env env, napi_value value, const char *call, sectile_extended *result);

#endif
