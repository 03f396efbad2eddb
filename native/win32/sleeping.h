/*
 * Words of a mapping, as the files of this folder share them: who sleeps for one, meets with who wakes.
 */
#ifndef SECTILE_SLEEPING_H
#define SECTILE_SLEEPING_H

#include "mapping.h"
#include "meeting.h"
#include "words.h"

/* Throws what a meeting has answered. */
napi_value sectile_fail_meeting(napi_env env, const char *call, DWORD error);

#endif
