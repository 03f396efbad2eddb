/*
 * A mapping as the files of this folder share it: a view of a section, guarded for as long as anybody may hold a
 * pointer into it.
 */
#ifndef SECTILE_MAPPING_H
#define SECTILE_MAPPING_H

#include "guard.h"
#include "sectile.h"

typedef struct sectile_mapping {
  sectile_guarded guarded;         /* base and length of what is mapped */
  size_t before;                   /* bytes from base to the first requested one */
  size_t length;                   /* bytes requested */
  struct sectile_meeting *meeting; /* where those meet who wait for its words, or NULL */
  HANDLE file;                     /* a handle of its own on the file that a flush waits for, or NULL */
  volatile LONG closed;
  napi_ref buffer;           /* weak; NULL until the buffer is asked for */
  volatile LONG buffer_uses; /* the buffer is one of the users */
  /* Who may still touch the addresses: the open handle, the buffer's memory, async work, the quarantine. */
  volatile LONG users;
  /* Who may still touch this record: the handle, the buffer's finalizer, and the users together. */
  volatile LONG references;
  uint64_t retired_at; /* milliseconds since the system's start */
  struct sectile_mapping *next_retired;
} sectile_mapping;

/* The record behind a handle, of a closed mapping as well; false, with an exception, for what is no handle. */
bool sectile_mapping_of(napi_env env, napi_value value, const char *call, const char *name, sectile_mapping **mapping);
/* The record of a mapping that is open. */
bool sectile_mapping_read(napi_env env, napi_value value, const char *call, sectile_mapping **mapping);
/* Reads offset and length arguments and checks them against the mapping. */
bool sectile_mapping_range(napi_env env, const napi_value *offset_and_length, const char *call, const sectile_mapping *mapping,
                           uint64_t *offset, uint64_t *length);
/* One more user of the addresses. */
void sectile_mapping_retain(sectile_mapping *mapping);
/* The last user unmaps. Touches no Node-API: any thread. */
void sectile_mapping_release(sectile_mapping *mapping);
/* One user of the record less. */
void sectile_mapping_forget(sectile_mapping *mapping);
/* Makes the handle of a mapping that is mapped and guarded. */
napi_value sectile_mapping_wrap(napi_env env, sectile_mapping *mapping);

/* ---- quarantine.c ---- */

/* Takes over one use of a closed mapping, and gives up those of the oldest beyond the limits. */
void sectile_quarantine_add(sectile_mapping *mapping);
/* Gives up every reservation in a range that the caller wants; false when there was none. */
bool sectile_quarantine_give_up(uintptr_t base, size_t length);

#endif
