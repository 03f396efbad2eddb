/*
 * The fault guard: a vectored exception handler that makes an access to guarded memory succeed which the system
 * refused, and that reports it. Guarded are views of sections, and the addresses of closed ones.
 *
 * A handler runs on the thread that faulted, between two of its instructions, with no lock of ours held: unlike a
 * signal handler it may take one.
 */
#ifndef SECTILE_GUARD_H
#define SECTILE_GUARD_H

#include "nt.h"

#include <stdbool.h>
#include <stdint.h>

enum {
  SECTILE_FAULT_NONE,
  SECTILE_FAULT_WRITE,
  SECTILE_FAULT_NO_ACCESS,
  SECTILE_FAULT_BACKING_LOST,
  SECTILE_FAULT_HARDWARE,
};

typedef struct {
  uint32_t kind;
  uint64_t count;
  uintptr_t address; /* of the last fault */
} sectile_guard_fault;

/* What a guarded range is now. */
typedef enum {
  SECTILE_GUARD_VIEW,    /* a view of a section */
  SECTILE_GUARD_PRIVATE, /* private zeros stand where the view was: its backing was lost */
  SECTILE_GUARD_RETIRED, /* closed: its addresses are reserved for a while */
  SECTILE_GUARD_VACATED, /* its addresses are somebody else's: it was closed, or they were taken while it was put back */
} sectile_guard_state;

/* Part of the mapping that it guards; all of it under the guard's lock. */
typedef struct sectile_guarded {
  uintptr_t base;
  size_t length;
  HANDLE section; /* a handle of the guard's own, for putting the view back; NULL: it is never put back */
  uint64_t offset;
  ULONG protect;
  ULONG allocation_type;
  bool commit_on_touch; /* reserved pages are committed by the first access, and that is no fault */
  bool pages_differ;    /* somebody changed protections of single pages: the view is not put back */
  bool stands_in;       /* pages are private copies, or were opened, since the last report */
  bool unreported;
  sectile_guard_state state;
  sectile_guard_fault fault;
  struct sectile_guarded *next, *previous;
} sectile_guarded;

/*
 * Between these two the guard puts nothing in the place of a view: for who maps anywhere, and could get the addresses
 * that are free for that moment.
 */
void sectile_guard_hold(void);
void sectile_guard_go_on(void);
/* Guards a range from now on; between the two above. False: GetLastError() says why. */
bool sectile_guard_add(sectile_guarded *range);
/* Unmaps whatever stands in the range, if that is not somebody else's, and guards it no more. */
void sectile_guard_end(sectile_guarded *range);
sectile_guard_fault sectile_guard_read(sectile_guarded *range);
/* Whether what stands there is not the section any more. */
bool sectile_guard_has_lost(sectile_guarded *range);
/* Whether an address is in a guarded range. */
bool sectile_guard_covers(uintptr_t address);
/* The end of the closed view whose addresses are still kept there, or 0. */
uintptr_t sectile_guard_kept_until(uintptr_t address);
/* Says that protections of single pages are about to be changed by the program. */
void sectile_guard_pages_differ(sectile_guarded *range);
/*
 * Unmaps the view and keeps its addresses, as reserved memory in which an access finds zeros. False: the addresses
 * are free, or somebody else's already.
 */
bool sectile_guard_retire(sectile_guarded *range);
/* Closes the guard's own handle on the section: the view is not put back from then on. */
void sectile_guard_let_go(sectile_guarded *range);
/* Unmaps the view and leaves the placeholder whose place it took, or says why not: nothing has changed then. */
NTSTATUS sectile_guard_vacate(sectile_guarded *range);

/* ---- guard_stop.c ---- */

/* Under the lock. Nothing but calls of the kernel may stand between the two. */
void sectile_guard_stop_others(void);
void sectile_guard_resume_others(void);

/* ---- guard_report.c ---- */

/* False: GetLastError() says why. */
bool sectile_guard_start_reports(void);
/* In a handler: wakes the thread that tells of faults. */
void sectile_guard_announce(void);
/* On that thread: puts views back where private copies stand; whether there is anything to tell. */
bool sectile_guard_settle(void);

#endif
