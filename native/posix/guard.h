/*
 * The fault guard: keeps an access to one of our mappings from ending the process. It owns the list
 * of guarded ranges and the SIGBUS and SIGSEGV handlers; it never touches memory outside a range
 * that was registered here.
 *
 *   access                                   what the guard puts there        kind
 *   a page whose backing is gone             a private zero page              SECTILE_FAULT_BACKING_LOST
 *   a write to a read-only mapping           a private copy of the page,      SECTILE_FAULT_WRITE
 *                                            taken back shortly after
 *   any access to a no-access mapping        a private zero page              SECTILE_FAULT_NO_ACCESS
 *   a memory error that the hardware found   a private zero page              SECTILE_FAULT_HARDWARE
 *   a mapping that was closed                a private zero page              not reported
 *
 * What maps no file (a device, an eBPF map) may have no private mappings; guard_device.c answers for that.
 * A range may have runs of pages that differ in protection, and pages that are accessible only once they
 * are committed; guard_pages.c answers for those.
 */
#ifndef SECTILE_GUARD_H
#define SECTILE_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECTILE_FAULT_NONE = 0, SECTILE_FAULT_WRITE, SECTILE_FAULT_NO_ACCESS, SECTILE_FAULT_BACKING_LOST, SECTILE_FAULT_HARDWARE };

typedef struct sectile_guarded sectile_guarded;

/* What decides which pages of a mapping there are: all, those with data in the object, those below its size, those in its map. */
typedef enum {
  SECTILE_COMMITTED_ALL = 0,
  SECTILE_COMMITTED_DATA = 1,
  SECTILE_COMMITTED_SIZE = 2,
  SECTILE_COMMITTED_MAP = 3
} sectile_commit_rule;

/* Pages that are alike, from the end of the run before. */
typedef struct {
  uintptr_t end;
  int protection;    /* PROT_…, once they are committed */
  bool private_copy; /* mapped MAP_PRIVATE */
} sectile_page_run;

typedef struct {
  uintptr_t base; /* aligned to page_size, as is length */
  size_t length;
  size_t page_size;
  int protection; /* PROT_… */
  int fd;         /* what a read-only or no-access mapping maps, so that a page can be put back; else -1 */
  int64_t offset; /* in fd, of base */
  sectile_commit_rule commit;
  const sectile_page_run *runs; /* NULL: all pages are as `protection` says */
  size_t run_count;
} sectile_guard_range;

typedef struct {
  uint32_t kind;
  uint64_t count;
  uintptr_t address; /* of the last one */
} sectile_guard_fault;

/* Guards a mapped range. NULL: out of memory, or the handlers cannot be installed (errno is set). */
sectile_guarded *sectile_guard_add(const sectile_guard_range *range);
/*
 * Stops handlers from looking at a range, with every page in its place, until it is resumed with what it
 * is then; a fault meanwhile is started again. Not long, and by one thread.
 */
const sectile_guard_range *sectile_guard_hold(sectile_guarded *guarded);
void sectile_guard_resume(sectile_guarded *guarded, const sectile_guard_range *range);
sectile_guard_fault sectile_guard_read(sectile_guarded *guarded);
/* Whether a range may hold zero pages that stand for lost ones: from the first such page to the last. */
bool sectile_guard_has_lost(sectile_guarded *guarded, uintptr_t start, size_t length);
/*
 * Takes the memory away and keeps the addresses: from here on an access finds zeros. For code of
 * other threads that still holds a pointer when a view is closed. False: errno is set.
 */
bool sectile_guard_retire(sectile_guarded *guarded);
/* Forgets the range; the caller unmaps it afterwards. */
void sectile_guard_remove(sectile_guarded *guarded);

/* ---- commit.c ---- */

/*
 * Whether the page at `offset` of an object is committed, and up to where (at most `end`, and perhaps not as far as it goes)
 * it goes on so. Calls nothing that a handler may not.
 */
bool sectile_is_committed(int fd, sectile_commit_rule rule, int64_t offset, int64_t end, int64_t *until);
/* Commits [offset, end) for everybody who maps the object: an error number. */
int sectile_commit(int fd, sectile_commit_rule rule, int64_t offset, int64_t end, bool allocate_first);
/* Bytes of an object of so many, in whole pages, with a map of what is committed behind them. */
uint64_t sectile_commit_map_total(uint64_t size);

/* ---- between guard.c and guard_report.c ---- */

/* Puts shared pages back where faults have not been reported yet; whether there were any. */
bool sectile_guard_settle(void);
/* Starts the report thread, once; an error number. */
int sectile_guard_start_reports(void);
/* In a handler: wakes the report thread. */
void sectile_guard_announce(void);

#endif
