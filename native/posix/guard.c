/*
 * The fault guard: see guard.h for what it promises.
 *
 * What runs inside a signal handler is marked so. It takes no lock, allocates nothing and calls only
 * mmap and write. A handler pins the slot it works on; whoever changes a slot first marks it busy and
 * waits until no handler pins it.
 */
#include "guard_slot.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Slots come in blocks that are never freed, so a handler can walk them at any time. */
enum { SLOTS_PER_BLOCK = 256 };
typedef struct slot_block {
  sectile_guarded slots[SLOTS_PER_BLOCK];
  struct slot_block *_Atomic next;
} slot_block;

static slot_block first_block;
static sectile_guarded *free_slots;
static bool first_block_is_used;
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;

/* How often it is looked whether somebody put a handler over ours. */
enum { ADDS_BETWEEN_LOOKS = 64 };
static unsigned adds;

/*
 * The handlers that ours took the place of, oldest first; copies are leaked on purpose. There are several
 * when somebody put a handler over ours and we took the place again: that one then calls us, expecting us
 * to call the one before it.
 */
enum { MOST_BEFORE = 16, MOST_SINGLE_PAGES = 512, MOST_IN_A_ROW = 256 };
typedef struct {
  const struct sigaction *_Atomic handlers[MOST_BEFORE];
  _Atomic int count;
} chain;
static chain before_segv, before_bus;

static pthread_once_t started = PTHREAD_ONCE_INIT;
static int start_error;

/* ---------------------------------------------------------------- inside the signal handler ---- */

static bool contains(const sectile_guarded *slot, uintptr_t address) { return address - slot->range.base < slot->range.length; }

/* In a handler. The slot that owns an address, pinned; NULL when the address is none of ours. */
static sectile_guarded *pin(uintptr_t address) {
  for (slot_block *block = &first_block; block != NULL; block = atomic_load(&block->next)) {
    for (int i = 0; i < SLOTS_PER_BLOCK; i++) {
      sectile_guarded *slot = &block->slots[i];
      if (atomic_load(&slot->state) == SLOT_FREE || !contains(slot, address)) continue;
      atomic_fetch_add(&slot->pins, 1);
      if (atomic_load(&slot->state) != SLOT_FREE && contains(slot, address)) return slot;
      atomic_fetch_sub(&slot->pins, 1);
    }
  }
  return NULL;
}

static void unpin(sectile_guarded *slot) { atomic_fetch_sub(&slot->pins, 1); }

/* In a handler. */
static bool put_zeros(uintptr_t page, size_t size) {
  return mmap((void *)page, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* In a handler. The whole range, when the system has no room for one more mapping: it is one already. */
static bool put_zeros_or_all(sectile_guarded *slot, uintptr_t *page, size_t *size) {
  if (put_zeros(*page, *size)) return true;
  *page = slot->range.base;
  *size = slot->range.length;
  return put_zeros(*page, *size);
}

/* In a handler. Widens [*first, *end) to hold [low, high); the thread that empties it may run at the same time. */
static void widen(_Atomic uintptr_t *first, _Atomic uintptr_t *end, uintptr_t low, uintptr_t high) {
  uintptr_t seen = atomic_load(first);
  while (low < seen && !atomic_compare_exchange_weak(first, &seen, low)) {
  }
  seen = atomic_load(end);
  while (high > seen && !atomic_compare_exchange_weak(end, &seen, high)) {
  }
}

/* In a handler. */
static void note_copied(sectile_guarded *slot, uintptr_t low, uintptr_t high) {
  const sectile_guard_range *range = &slot->range;
  bool whole = range->fd >= 0 && !sectile_maps_by_page(range->fd);
  widen(&slot->copied_low, &slot->copied_high, whole ? range->base : low, whole ? range->base + range->length : high);
}

/* In a handler. One page if the system has room for one more mapping, else the whole range. */
static bool put_private_copy(sectile_guarded *slot, uintptr_t page) {
  const sectile_guard_range *range = &slot->range;
  const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_FIXED;
  if (!sectile_maps_by_page(range->fd)) {
    if (!sectile_page_copy_over(page, range->page_size) && !put_zeros(range->base, range->length)) return false;
    note_copied(slot, page, page + range->page_size);
    return true;
  }
  if (mmap((void *)page, range->page_size, protection, flags, range->fd, range->offset + (int64_t)(page - range->base)) !=
      MAP_FAILED) {
    note_copied(slot, page, page + range->page_size);
    return true;
  }
  if (mmap((void *)range->base, range->length, protection, flags, range->fd, range->offset) == MAP_FAILED) return false;
  note_copied(slot, range->base, range->base + range->length);
  return true;
}

/* In a handler. */
static void note_fault(sectile_guarded *slot, uint32_t kind, uintptr_t address) {
  atomic_store(&slot->fault_kind, kind);
  atomic_store(&slot->fault_address, address);
  atomic_fetch_add(&slot->fault_count, 1);
  atomic_store(&slot->unreported, true);
  sectile_guard_announce();
}

/*
 * In a handler. Whether a page that seems accessible has faulted so often in a row that its backing must be gone: the only sign
 * of it, where the system does not say why an access failed.
 */
static bool is_stuck(sectile_guarded *slot, uintptr_t page) {
  if (atomic_exchange(&slot->stuck_page, page) != page) atomic_store(&slot->stuck_count, 0);
  return atomic_fetch_add(&slot->stuck_count, 1) >= MOST_IN_A_ROW;
}

/* In a handler. A fault in a range whose pages differ. */
static bool mend_page(sectile_guarded *slot, uintptr_t page, uintptr_t address, sectile_access access, bool told) {
  uint32_t kind = SECTILE_FAULT_NONE;
  sectile_page_outcome outcome = sectile_page_fault(slot, page, access, &kind);
  const sectile_guard_range *range = &slot->range;
  if (outcome == SECTILE_PAGE_AGAIN) {
    if (told || !is_stuck(slot, page)) return true;
    if (!put_zeros(page, range->page_size)) return false;
    kind = SECTILE_FAULT_BACKING_LOST;
    widen(&slot->lost_low, &slot->lost_high, page, page + range->page_size);
  } else if (outcome == SECTILE_PAGE_LOST) {
    /* No room for one more mapping: the whole range is given up for the process to go on. */
    if (!put_zeros(range->base, range->length)) return false;
    widen(&slot->lost_low, &slot->lost_high, range->base, range->base + range->length);
  }
  note_fault(slot, kind, address);
  return true;
}

/* In a handler. What a fault in a range of one protection was. */
static uint32_t kind_of(const sectile_guard_range *range, sectile_fault_cause cause, sectile_access access) {
  bool reads_only = (range->protection & PROT_READ) && !(range->protection & PROT_WRITE);
  if (cause == SECTILE_CAUSE_UNSAID) {
    int needed = access.executes ? PROT_EXEC : access.writes ? PROT_WRITE : PROT_READ;
    cause = (range->protection & needed) != 0 ? SECTILE_CAUSE_BACKING : SECTILE_CAUSE_PROTECTION;
  }
  if (cause == SECTILE_CAUSE_BACKING) return SECTILE_FAULT_BACKING_LOST;
  if (cause == SECTILE_CAUSE_HARDWARE) return SECTILE_FAULT_HARDWARE;
  return reads_only && access.writes ? SECTILE_FAULT_WRITE : SECTILE_FAULT_NO_ACCESS;
}

/* In a handler. Makes the faulting instruction succeed when it is started again. */
static bool mend(sectile_guarded *slot, int signal_number, const siginfo_t *info, const void *context) {
  uint32_t state = atomic_load(&slot->state);
  if (state == SLOT_BUSY) return true; /* about to change: try again */
  uintptr_t address = (uintptr_t)info->si_addr;
  size_t size = slot->range.page_size;
  uintptr_t page = address & ~(uintptr_t)(size - 1);
  /* Its addresses are one private reservation: opened whole, it stays one mapping. */
  if (state == SLOT_RETIRED)
    return mprotect((void *)slot->range.base, slot->range.length, PROT_READ | PROT_WRITE) == 0 || put_zeros(page, size);

  bool differ = slot->range.runs != NULL;
  sectile_access access = sectile_fault_access(context);
  sectile_fault_cause cause = sectile_fault_cause_of(signal_number, info);
  if (differ && (cause == SECTILE_CAUSE_PROTECTION || cause == SECTILE_CAUSE_UNSAID)) {
    return mend_page(slot, page, address, access, cause != SECTILE_CAUSE_UNSAID);
  }

  uint32_t kind = kind_of(&slot->range, cause, access);
  /* Behind many lost pages all is lost, as a rule (the file was cut short); page by page they would use up
   * the mappings that a process may have. */
  if (!differ && kind == SECTILE_FAULT_BACKING_LOST && atomic_load(&slot->fault_count) >= MOST_SINGLE_PAGES) {
    size = slot->range.base + slot->range.length - page;
  }
  bool mended = kind == SECTILE_FAULT_WRITE && slot->range.fd >= 0 ? put_private_copy(slot, page)
                : differ                                           ? put_zeros(page, size)
                                                                   : put_zeros_or_all(slot, &page, &size);
  if (kind == SECTILE_FAULT_NO_ACCESS && mended) note_copied(slot, page, page + size);
  if (!mended) return false;
  if (kind == SECTILE_FAULT_BACKING_LOST || kind == SECTILE_FAULT_HARDWARE)
    widen(&slot->lost_low, &slot->lost_high, page, page + size);
  note_fault(slot, kind, address);
  return true;
}

/* In a handler. Passes a fault that is none of ours to whoever had the signal before. */
static void pass_on(int signal_number, siginfo_t *info, void *context) {
  chain *before = signal_number == SIGBUS ? &before_bus : &before_segv;
  int depth = sectile_thread_depth();
  int index = atomic_load(&before->count) - 1 - depth;
  const struct sigaction *next = index < 0 ? NULL : atomic_load(&before->handlers[index]);
  if (next == NULL || (!(next->sa_flags & SA_SIGINFO) && (next->sa_handler == SIG_DFL || next->sa_handler == SIG_IGN))) {
    struct sigaction fall = {.sa_handler = SIG_DFL};
    sigaction(signal_number, &fall, NULL);
    /* A fault comes again when we return; a signal that was sent does not. */
    if (info->si_code <= 0) raise(signal_number);
    return;
  }
  sectile_thread_set_depth(depth + 1);
  if (next->sa_flags & SA_SIGINFO) {
    next->sa_sigaction(signal_number, info, context);
  } else {
    next->sa_handler(signal_number);
  }
  sectile_thread_set_depth(depth);
}

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  int saved = errno;
  bool mended = false;
  sectile_guarded *slot = sectile_is_access_fault(signal_number, info, context) ? pin((uintptr_t)info->si_addr) : NULL;
  if (slot != NULL) {
    mended = mend(slot, signal_number, info, context);
    unpin(slot);
  }
  if (!mended) pass_on(signal_number, info, context);
  errno = saved;
}

/* -------------------------------------------------------------------- for the report thread ---- */

/* Puts the shared pages back where private copies stand, so that the mapping shows the section. */
static void take_copies_back(sectile_guarded *slot) {
  uintptr_t low = atomic_exchange(&slot->copied_low, UINTPTR_MAX);
  uintptr_t high = atomic_exchange(&slot->copied_high, 0);
  const sectile_guard_range *range = &slot->range;
  if (low >= high || range->fd < 0) return;
  if (!sectile_maps_by_page(range->fd)) {
    sectile_range_map_anew(range);
    return;
  }
  mmap((void *)low, high - low, range->protection, MAP_SHARED | MAP_FIXED, range->fd,
       range->offset + (int64_t)(low - range->base));
}

static void take_stand_ins_back(sectile_guarded *slot) {
  if (slot->range.runs != NULL) {
    sectile_pages_home(slot);
  } else {
    take_copies_back(slot);
  }
}

static bool settle_slot(sectile_guarded *slot) {
  if (!atomic_load(&slot->unreported)) return false;
  atomic_fetch_add(&slot->pins, 1); /* keeps the range from being closed while pages are put back */
  bool live = atomic_load(&slot->state) == SLOT_LIVE;
  if (live && atomic_exchange(&slot->unreported, false)) take_stand_ins_back(slot);
  unpin(slot);
  return live;
}

bool sectile_guard_settle(void) {
  bool any = false;
  for (slot_block *block = &first_block; block != NULL; block = atomic_load(&block->next)) {
    for (int i = 0; i < SLOTS_PER_BLOCK; i++) any = settle_slot(&block->slots[i]) || any;
  }
  return any;
}

/* -------------------------------------------------------------------------- starting it all ---- */

/* Under slots_lock. */
static int install(int signal_number, chain *before) {
  struct sigaction current;
  if (sigaction(signal_number, NULL, &current) != 0) return errno;
  if ((current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_fault) return 0;
  /* First time, or somebody put a handler over ours: take its place again and chain to it. */
  struct sigaction *copy = malloc(sizeof *copy);
  if (copy == NULL) return ENOMEM;
  *copy = current;
  int count = atomic_load(&before->count);
  if (count == MOST_BEFORE) count--; /* somebody fights for the place: the newest of them is enough */
  atomic_store(&before->handlers[count], copy);
  atomic_store(&before->count, count + 1);
  struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigemptyset(&ours.sa_mask);
  return sigaction(signal_number, &ours, NULL) == 0 ? 0 : errno;
}

static void start(void) { start_error = sectile_guard_start_reports(); }

/* ---------------------------------------------------------------------- for mapping.c to call ---- */

static void wait_for_handlers(const sectile_guarded *slot) {
  while (atomic_load(&slot->pins) != 0) sched_yield();
}

/* Under slots_lock. */
static bool add_block(void) {
  slot_block *block = first_block_is_used ? calloc(1, sizeof *block) : &first_block;
  if (block == NULL) return false;
  if (first_block_is_used) {
    atomic_store(&block->next, atomic_load(&first_block.next));
    atomic_store(&first_block.next, block);
  }
  first_block_is_used = true;
  for (int i = SLOTS_PER_BLOCK - 1; i >= 0; i--) {
    block->slots[i].next_free = free_slots;
    free_slots = &block->slots[i];
  }
  return true;
}

/* Under slots_lock. */
static int ensure_handlers(void) {
  if (start_error != 0 || adds++ % ADDS_BETWEEN_LOOKS != 0) return start_error;
  int error = install(SIGSEGV, &before_segv);
  return error != 0 ? error : install(SIGBUS, &before_bus);
}

sectile_guarded *sectile_guard_add(const sectile_guard_range *range) {
  pthread_once(&started, start);
  pthread_mutex_lock(&slots_lock);
  sectile_guarded *slot = NULL;
  int error = ensure_handlers();
  if (error == 0 && free_slots == NULL && !add_block()) error = ENOMEM;
  if (error == 0) {
    slot = free_slots;
    free_slots = slot->next_free;
    wait_for_handlers(slot); /* one that looked at the last owner */
    slot->range = *range;
    atomic_store(&slot->fault_kind, SECTILE_FAULT_NONE);
    atomic_store(&slot->fault_count, 0);
    atomic_store(&slot->unreported, false);
    atomic_store(&slot->copied_low, UINTPTR_MAX);
    atomic_store(&slot->copied_high, 0);
    atomic_store(&slot->lost_low, UINTPTR_MAX);
    atomic_store(&slot->lost_high, 0);
    atomic_store(&slot->stuck_page, 0);
    atomic_store(&slot->state, SLOT_LIVE);
  }
  pthread_mutex_unlock(&slots_lock);
  errno = error;
  return slot;
}

const sectile_guard_range *sectile_guard_hold(sectile_guarded *slot) {
  atomic_store(&slot->state, SLOT_BUSY);
  wait_for_handlers(slot);
  take_stand_ins_back(slot);
  return &slot->range;
}

void sectile_guard_resume(sectile_guarded *slot, const sectile_guard_range *range) {
  slot->range = *range;
  atomic_store(&slot->state, SLOT_LIVE);
  if (atomic_load(&slot->unreported)) sectile_guard_announce(); /* the thread may have looked while it was held */
}

sectile_guard_fault sectile_guard_read(sectile_guarded *slot) {
  return (sectile_guard_fault){
      .kind = atomic_load(&slot->fault_kind),
      .count = atomic_load(&slot->fault_count),
      .address = atomic_load(&slot->fault_address),
  };
}

bool sectile_guard_has_lost(sectile_guarded *slot, uintptr_t start, size_t length) {
  return start < atomic_load(&slot->lost_high) && start + length > atomic_load(&slot->lost_low);
}

bool sectile_guard_retire(sectile_guarded *slot) {
  atomic_store(&slot->state, SLOT_BUSY);
  wait_for_handlers(slot);
  sectile_pages_drop(slot);
  void *base = (void *)slot->range.base;
  bool done =
      mmap(base, slot->range.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
  atomic_store(&slot->state, SLOT_RETIRED);
  return done;
}

void sectile_guard_remove(sectile_guarded *slot) {
  atomic_store(&slot->state, SLOT_BUSY);
  wait_for_handlers(slot);
  sectile_pages_drop(slot);
  atomic_store(&slot->state, SLOT_FREE);
  pthread_mutex_lock(&slots_lock);
  slot->next_free = free_slots;
  free_slots = slot;
  pthread_mutex_unlock(&slots_lock);
}
