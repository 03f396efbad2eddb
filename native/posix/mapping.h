/*
 * A mapping as mapping.c and mapping_async.c share it.
 */
#ifndef SECTILE_MAPPING_H
#define SECTILE_MAPPING_H

#include "system.h"

typedef struct sectile_mapping {
  uintptr_t base; /* page-aligned start and length of what is mapped */
  size_t mapped;
  size_t before; /* bytes from base to the first requested one */
  size_t length; /* bytes requested */
  size_t page_size;
  int protection; /* PROT_… */
  bool private_copy;
  bool anonymous; /* private memory, or a placeholder: there is no object */
  sectile_commit_rule commit;
  int64_t offset;         /* in the object, of base */
  int fd;                 /* kept for the guard and for single pages; else -1 */
  sectile_page_run *runs; /* NULL while all pages are alike */
  size_t run_count;
  sectile_guarded *guarded;
  _Atomic bool closed;
  bool given_up; /* its addresses are somebody else's */
  bool retired;  /* its memory is gone, its addresses are in quarantine */
  sectile_guard_fault fault_at_close;
  napi_ref buffer;          /* weak; NULL until the buffer is asked for */
  _Atomic bool buffer_uses; /* the buffer is one of the users */
  /* Who may still touch the addresses: the open handle, the buffer's memory, async work, the quarantine. */
  _Atomic uint32_t users;
  /* Who may still touch this record: the handle, the buffer's finalizer, and the users together. */
  _Atomic uint32_t references;
  int64_t retired_at; /* monotonic seconds */
  struct sectile_mapping *next_retired;
} sectile_mapping;

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
/* What the guard is told of it. */
sectile_guard_range sectile_mapping_guard_range(const sectile_mapping *mapping);
/* Guards a mapping that is mapped, and makes its handle. Releases it on failure. */
napi_value sectile_mapping_wrap(napi_env env, sectile_mapping *mapping);
/* Notes that its memory is gone, and closes its descriptor. */
void sectile_mapping_retired(sectile_mapping *mapping);
/* Takes its buffer back; false when it was closed before. */
bool sectile_mapping_begin_close(napi_env env, sectile_mapping *mapping);

/* ---- pages.c ---- */

typedef struct {
  uintptr_t start;
  size_t length;
  int protection; /* PROT_…, never none */
} sectile_stretch;

/* Runs of pages that are looked at in one go, where a caller can do without the rest. */
enum { SECTILE_MOST_STRETCHES = 256 };

/* The stretches of a range whose pages are committed and accessible, the first `most` of them. */
size_t sectile_mapping_stretches(const sectile_mapping *mapping, uintptr_t start, uintptr_t end, sectile_stretch *stretches,
                                 size_t most);
/* Makes those pages of a range accessible that are committed by now. */
void sectile_mapping_show(const sectile_mapping *mapping, uintptr_t start, uintptr_t end);

/* ---- placeholder.c ---- */

/* Ends a mapping whose addresses somebody else has taken over already. */
void sectile_mapping_give_up(sectile_mapping *mapping);

/* ---- quarantine.c ---- */

/* Takes over one use of a closed mapping, and gives up those of the oldest beyond the limits. */
void sectile_quarantine_add(sectile_mapping *mapping);
/* Gives up every reservation in a range that the caller wants; false when there was none. */
bool sectile_quarantine_give_up(uintptr_t base, size_t length);

#endif
