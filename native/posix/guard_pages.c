/*
 * The guard of ranges whose pages differ: by protection, or because some are not committed yet. It shows
 * pages that were committed since, and lifts a page aside while something stands in for it: a lifted page
 * comes back as it was, whether it is the section's or a private copy.
 *
 * Everything here may run inside a signal handler.
 */
#include "guard_slot.h"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

/* Pages that are lifted aside at one time, in the whole process; whoever needs more waits for the report thread. */
enum { MOST_LIFTED = 256 };
static struct {
  const sectile_guarded *slot; /* NULL: free */
  uintptr_t page, aside;
  size_t size;
} lifted[MOST_LIFTED];
static atomic_flag lifting = ATOMIC_FLAG_INIT;

/* No holder of the lock faults or waits. */
static void lock(void) {
  while (atomic_flag_test_and_set(&lifting)) sched_yield();
}
static void unlock(void) { atomic_flag_clear(&lifting); }

static const sectile_page_run *run_of(const sectile_guard_range *range, uintptr_t page) {
  size_t low = 0, high = range->run_count - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (range->runs[middle].end > page) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return &range->runs[low];
}

static bool allows(int protection, sectile_access access) {
  return (protection & (access.executes ? PROT_EXEC : access.writes ? PROT_WRITE : PROT_READ)) != 0;
}

/* A page of zeros, or of what `aside` holds. */
static bool stand_in(uintptr_t page, size_t size, const void *aside) {
  if (mmap((void *)page, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
    return false;
  }
  if (aside != NULL) sectile_copy_if_there((void *)page, aside, size); /* it may have lost its backing */
  return true;
}

/* Under the lock. */
static bool lift(const sectile_guard_range *range, const sectile_page_run *run, uintptr_t page, uint32_t kind, uintptr_t *aside) {
  size_t size = range->page_size;
  void *place = sectile_page_lift(page, size, run->private_copy);
  if (place == MAP_FAILED) return false;
  bool done;
  if (kind == SECTILE_FAULT_WRITE && !run->private_copy) {
    done = mmap((void *)page, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, range->fd,
                range->offset + (int64_t)(page - range->base)) != MAP_FAILED;
  } else {
    done = stand_in(page, size, kind == SECTILE_FAULT_WRITE ? place : NULL);
  }
  if (done) {
    *aside = (uintptr_t)place;
  } else if (run->private_copy) {
    sectile_page_put_back(place, page, size);
  } else {
    munmap(place, size);
  }
  return done;
}

static sectile_page_outcome put_aside(sectile_guarded *slot, const sectile_page_run *run, uintptr_t page, uint32_t kind) {
  sectile_page_outcome outcome = SECTILE_PAGE_LOST;
  int free_entry = -1;
  lock();
  for (int i = 0; i < MOST_LIFTED; i++) {
    if (lifted[i].slot == NULL) {
      free_entry = i;
    } else if (lifted[i].slot == slot && lifted[i].page == page) {
      outcome = SECTILE_PAGE_AGAIN; /* another thread was quicker */
    }
  }
  bool full = free_entry < 0;
  if (!full && outcome == SECTILE_PAGE_LOST) {
    if (lift(&slot->range, run, page, kind, &lifted[free_entry].aside)) {
      lifted[free_entry].slot = slot;
      lifted[free_entry].page = page;
      lifted[free_entry].size = slot->range.page_size;
      outcome = SECTILE_PAGE_MENDED;
    } else if (stand_in(page, slot->range.page_size, NULL)) {
      outcome = SECTILE_PAGE_MENDED; /* it was lost before: zeros for good */
    }
  }
  unlock();
  if (!full || outcome != SECTILE_PAGE_LOST) return outcome;
  const struct timespec while_some_come_back = {.tv_sec = 0, .tv_nsec = 1000000};
  sectile_guard_announce();
  nanosleep(&while_some_come_back, NULL);
  return SECTILE_PAGE_AGAIN;
}

sectile_page_outcome sectile_page_fault(sectile_guarded *slot, uintptr_t page, sectile_access access, uint32_t *kind) {
  const sectile_guard_range *range = &slot->range;
  const sectile_page_run *run = run_of(range, page);
  bool allowed = allows(run->protection, access), committed = true;
  *kind = SECTILE_FAULT_NO_ACCESS;
  if (range->commit != SECTILE_COMMITTED_ALL) {
    int64_t offset = range->offset + (int64_t)(page - range->base), until;
    committed = sectile_is_committed(range->fd, range->commit, offset, offset + (int64_t)(run->end - page), &until);
    if (committed && allowed) {
      if (mprotect((void *)page, (size_t)(until - offset), run->protection) == 0) return SECTILE_PAGE_AGAIN;
      return mprotect((void *)page, range->page_size, run->protection) == 0 ? SECTILE_PAGE_AGAIN : SECTILE_PAGE_LOST;
    }
  } else if (allowed) {
    return SECTILE_PAGE_AGAIN; /* it was changed since the fault */
  }
  if (committed && access.writes && (run->protection & PROT_READ)) *kind = SECTILE_FAULT_WRITE;
  return put_aside(slot, run, page, *kind);
}

void sectile_pages_home(const sectile_guarded *slot) {
  lock();
  for (int i = 0; i < MOST_LIFTED; i++) {
    if (lifted[i].slot != slot) continue;
    sectile_page_put_back((void *)lifted[i].aside, lifted[i].page, lifted[i].size);
    lifted[i].slot = NULL;
  }
  unlock();
}

void sectile_pages_drop(const sectile_guarded *slot) {
  if (slot->range.runs == NULL) return;
  lock();
  for (int i = 0; i < MOST_LIFTED; i++) {
    if (lifted[i].slot != slot) continue;
    munmap((void *)lifted[i].aside, lifted[i].size);
    lifted[i].slot = NULL;
  }
  unlock();
}
