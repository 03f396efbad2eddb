/*
 * A guarded range as the files of the guard share it; nobody else looks inside.
 */
#ifndef SECTILE_GUARD_SLOT_H
#define SECTILE_GUARD_SLOT_H

#include "system.h"

enum slot_state { SLOT_FREE = 0, SLOT_BUSY, SLOT_LIVE, SLOT_RETIRED };

struct sectile_guarded {
  _Atomic uint32_t state;
  _Atomic uint32_t pins;
  sectile_guard_range range; /* constant while live */
  _Atomic uint32_t fault_kind;
  _Atomic uint64_t fault_count;
  _Atomic uintptr_t fault_address;
  _Atomic bool unreported;
  /* Where private copies may stand in for pages: [low, high), empty when low >= high. */
  _Atomic uintptr_t copied_low;
  _Atomic uintptr_t copied_high;
  /* Where zero pages may stand in for lost ones, likewise; they stay. */
  _Atomic uintptr_t lost_low;
  _Atomic uintptr_t lost_high;
  /* A page that faults over and over although it is accessible: how often in a row. */
  _Atomic uintptr_t stuck_page;
  _Atomic uint32_t stuck_count;
  struct sectile_guarded *next_free;
};

/* ---- guard_pages.c: ranges whose pages differ ---- */

typedef enum { SECTILE_PAGE_LOST = 0, SECTILE_PAGE_AGAIN, SECTILE_PAGE_MENDED } sectile_page_outcome;

/*
 * In a handler. Answers a fault in a page of a range that has runs. AGAIN: the page is accessible now, and
 * nothing is to be reported. MENDED: something stands in for it; *kind says why. LOST: nothing could be done.
 */
sectile_page_outcome sectile_page_fault(sectile_guarded *slot, uintptr_t page, sectile_access access, uint32_t *kind);
/* Puts the pages of a range back that something stands in for. */
void sectile_pages_home(const sectile_guarded *slot);
/* Forgets them: the range goes. */
void sectile_pages_drop(const sectile_guarded *slot);

/* ---- guard_device.c: ranges that map no file ---- */

/* In a handler. Whether single pages of it can be mapped by their offsets, also privately. */
bool sectile_maps_by_page(int fd);
/* In a handler. Puts a private copy of a page over it; zeros, where it cannot be read (registers). False: it is as it was. */
bool sectile_page_copy_over(uintptr_t page, size_t size);
/* Maps all of a range once more, over whatever stands there; where its driver refuses, that stays. */
void sectile_range_map_anew(const sectile_guard_range *range);

#endif
