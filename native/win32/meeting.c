/*
 * The table of those who wait for words of a section: see meeting.h.
 */
#include "meeting.h"

#include "process.h"

#include <ntsecapi.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Places come in blocks, which are committed when they are needed. */
enum { BLOCK = 512, BLOCKS = 32, PLACES = BLOCK * BLOCKS, PAGE = 4096, NAME_UNITS = 64, KNOWN_MAILBOXES = 64 };

/* Shared, as all below; zeros at first. */
typedef struct {
  uint64_t word[BLOCK];  /* the word's offset and 1, and whether it was woken; 0: nobody waits */
  uint64_t owner[BLOCK]; /* the process's number, and the low half of its start above; 0: free */
  uint64_t mailbox[BLOCK];
} block;

typedef union {
  volatile LONG high; /* places below this were used at some time: their blocks are committed */
  uint8_t page[PAGE];
} head;

typedef struct {
  head head;
  block blocks[BLOCKS];
} table;

#define WOKEN ((uint64_t)1 << 63)

struct sectile_meeting {
  LONG uses;
  bool global;
  WCHAR name[NAME_UNITS];
  HANDLE section; /* NULL until it is joined */
  table *table;
  volatile LONG hint; /* there is no free place below, as far as this process knows */
  sectile_meeting *next;
};

/* Those of this process. */
static SRWLOCK lock = SRWLOCK_INIT;
static sectile_meeting *meetings;

/* --------------------------------------------------------------------------------- processes ---- */

static uint64_t this_process(void) {
  static volatile uint64_t known;
  uint64_t start;
  if (known == 0) {
    sectile_process_start(GetCurrentProcessId(), &start);
    known = start << 32 | GetCurrentProcessId();
  }
  return known;
}

static bool has_ended(uint64_t owner) {
  uint64_t start;
  return sectile_process_start((DWORD)owner, &start) == ERROR_SUCCESS && (uint32_t)start != (uint32_t)(owner >> 32);
}

/* --------------------------------------------------------------------------------- mailboxes ---- */

/* The highest bit of a mailbox's number says that all sessions know it. */
#define GLOBAL_MAILBOX ((uint64_t)1 << 63)

static void name_mailbox(uint64_t id, WCHAR *name) {
  _snwprintf(name, NAME_UNITS, L"%ls\\Sectile-mailbox-%016llx", (id & GLOBAL_MAILBOX) != 0 ? L"Global" : L"Local",
             (unsigned long long)id);
}

DWORD sectile_mailbox_make(sectile_mailbox *self, bool global) {
  WCHAR name[NAME_UNITS];
  if (self->event != NULL) return ERROR_SUCCESS;
  if (!RtlGenRandom(&self->id, sizeof self->id)) return ERROR_GEN_FAILURE;
  self->id = global ? self->id | GLOBAL_MAILBOX : self->id & ~GLOBAL_MAILBOX;
  name_mailbox(self->id, name);
  self->event = CreateEventW(NULL, FALSE, FALSE, name);
  return self->event == NULL ? GetLastError() : ERROR_SUCCESS;
}

void sectile_mailbox_close(sectile_mailbox *self) {
  if (self->event != NULL) CloseHandle(self->event);
  self->event = NULL;
}

/* Mailboxes that this process has set lately, by their numbers. */
static struct {
  SRWLOCK lock;
  struct {
    uint64_t id;
    HANDLE event;
  } each[KNOWN_MAILBOXES];
} known_mailboxes = {.lock = SRWLOCK_INIT};

/* False: nobody has it any more. */
static bool set_mailbox(uint64_t id) {
  size_t place = id % KNOWN_MAILBOXES;
  WCHAR name[NAME_UNITS];
  AcquireSRWLockExclusive(&known_mailboxes.lock);
  if (known_mailboxes.each[place].id != id || known_mailboxes.each[place].event == NULL) {
    if (known_mailboxes.each[place].event != NULL) CloseHandle(known_mailboxes.each[place].event);
    name_mailbox(id, name);
    known_mailboxes.each[place].event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name);
    known_mailboxes.each[place].id = id;
  }
  bool set = known_mailboxes.each[place].event != NULL && SetEvent(known_mailboxes.each[place].event);
  ReleaseSRWLockExclusive(&known_mailboxes.lock);
  return set;
}

/* ---------------------------------------------------------------------------------- meetings ---- */

static uint64_t hash(const WCHAR *text, size_t units, uint64_t seed) {
  for (size_t i = 0; i < units; i++) {
    seed = (seed ^ (text[i] & 0xff)) * 0x100000001b3;
    seed = (seed ^ (text[i] >> 8)) * 0x100000001b3;
  }
  return seed;
}

/* Two identities that had one name would wake each other for nothing. */
static void name_meeting(const WCHAR *identity, size_t units, bool global, WCHAR *name) {
  uint64_t first = hash(identity, units, 0xcbf29ce484222325), second = hash(identity, units, first ^ 0x9e3779b97f4a7c15);
  _snwprintf(name, NAME_UNITS, L"%ls\\Sectile-words-1-%016llx%016llx", global ? L"Global" : L"Local", (unsigned long long)first,
             (unsigned long long)second);
}

sectile_meeting *sectile_meeting_of(const WCHAR *identity, size_t units, bool global) {
  WCHAR name[NAME_UNITS];
  name_meeting(identity, units, global, name);
  AcquireSRWLockExclusive(&lock);
  sectile_meeting *found = meetings;
  while (found != NULL && wcscmp(found->name, name) != 0) found = found->next;
  if (found == NULL && (found = calloc(1, sizeof *found)) != NULL) {
    memcpy(found->name, name, sizeof name);
    found->global = global;
    found->next = meetings;
    meetings = found;
  }
  if (found != NULL) found->uses++;
  ReleaseSRWLockExclusive(&lock);
  return found;
}

void sectile_meeting_retain(sectile_meeting *self) {
  AcquireSRWLockExclusive(&lock);
  self->uses++;
  ReleaseSRWLockExclusive(&lock);
}

void sectile_meeting_release(sectile_meeting *self) {
  if (self == NULL) return;
  AcquireSRWLockExclusive(&lock);
  bool last = --self->uses == 0;
  if (last) {
    sectile_meeting **link = &meetings;
    while (*link != self) link = &(*link)->next;
    *link = self->next;
  }
  ReleaseSRWLockExclusive(&lock);
  if (!last) return;
  if (self->table != NULL) UnmapViewOfFile(self->table);
  if (self->section != NULL) CloseHandle(self->section);
  free(self);
}

bool sectile_meeting_is_global(const sectile_meeting *self) { return self->global; }

/* Makes the table, or opens the one that is there. */
static DWORD join(sectile_meeting *self) {
  if (__atomic_load_n(&self->table, __ATOMIC_ACQUIRE) != NULL) return ERROR_SUCCESS;
  DWORD error = ERROR_SUCCESS;
  AcquireSRWLockExclusive(&lock);
  if (self->table == NULL) {
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0, sizeof(table), self->name);
    table *view = section == NULL ? NULL : MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof(table));
    if (view == NULL || VirtualAlloc(&view->head, sizeof(head), MEM_COMMIT, PAGE_READWRITE) == NULL) {
      error = GetLastError();
      if (view != NULL) UnmapViewOfFile(view);
      if (section != NULL) CloseHandle(section);
    } else {
      self->section = section;
      __atomic_store_n(&self->table, view, __ATOMIC_RELEASE);
    }
  }
  ReleaseSRWLockExclusive(&lock);
  return error;
}

/* ------------------------------------------------------------------------------------ places ---- */

static uint64_t *word_at(table *all, LONG place) { return &all->blocks[place / BLOCK].word[place % BLOCK]; }

static uint64_t *owner_at(table *all, LONG place) { return &all->blocks[place / BLOCK].owner[place % BLOCK]; }

static uint64_t *mailbox_at(table *all, LONG place) { return &all->blocks[place / BLOCK].mailbox[place % BLOCK]; }

static bool claim(table *all, LONG place, uint64_t from) {
  return __atomic_compare_exchange_n(owner_at(all, place), &from, this_process(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Commits the block of a place that nobody has used so far, if it is the first of that. */
static bool commit(table *all, LONG place) {
  return place % BLOCK != 0 || place < all->head.high ||
         VirtualAlloc(&all->blocks[place / BLOCK], sizeof(block), MEM_COMMIT, PAGE_READWRITE) != NULL;
}

/* A free place. PLACES: there is none. */
static LONG claim_free(sectile_meeting *self) {
  LONG first = self->hint;
  for (LONG i = first; i < PLACES; i++) {
    if (!commit(self->table, i)) break;
    if (__atomic_load_n(owner_at(self->table, i), __ATOMIC_RELAXED) != 0 || !claim(self->table, i, 0)) continue;
    InterlockedCompareExchange(&self->hint, i + 1, first);
    return i;
  }
  return PLACES;
}

/* A free place that the hint did not show, else one whose owner has ended. */
static LONG claim_any(sectile_meeting *self) {
  LONG high = self->table->head.high < PLACES ? self->table->head.high : PLACES;
  for (LONG i = 0; i < high; i++) {
    uint64_t owner = __atomic_load_n(owner_at(self->table, i), __ATOMIC_SEQ_CST);
    if ((owner == 0 || (owner != this_process() && has_ended(owner))) && claim(self->table, i, owner)) return i;
  }
  return PLACES;
}

static void raise_high(table *all, LONG wanted) {
  for (LONG high = all->head.high; high < wanted;) {
    LONG found = InterlockedCompareExchange(&all->head.high, wanted, high);
    if (found == high) return;
    high = found;
  }
}

DWORD sectile_meeting_enter(sectile_meeting *self, uint64_t offset, const sectile_mailbox *mailbox, uint32_t *place) {
  DWORD error = join(self);
  if (error != ERROR_SUCCESS) return error;
  LONG got = claim_free(self);
  if (got == PLACES) got = claim_any(self);
  if (got == PLACES) return ERROR_NO_SYSTEM_RESOURCES;
  *place = (uint32_t)got;
  __atomic_store_n(mailbox_at(self->table, got), mailbox->id, __ATOMIC_SEQ_CST);
  raise_high(self->table, got + 1);
  /* From here on it is valid; the caller looks at the word after this. */
  __atomic_exchange_n(word_at(self->table, got), offset + 1, __ATOMIC_SEQ_CST);
  return ERROR_SUCCESS;
}

bool sectile_meeting_is_woken(const sectile_meeting *self, uint32_t place) {
  return (__atomic_load_n(word_at(self->table, (LONG)place), __ATOMIC_SEQ_CST) & WOKEN) != 0;
}

void sectile_meeting_leave(sectile_meeting *self, uint32_t place) {
  LONG left = (LONG)place;
  __atomic_store_n(word_at(self->table, left), 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(owner_at(self->table, left), 0, __ATOMIC_SEQ_CST);
  for (LONG hint = self->hint; left < hint;) {
    LONG found = InterlockedCompareExchange(&self->hint, left, hint);
    if (found == hint) return;
    hint = found;
  }
}

DWORD sectile_meeting_wake(sectile_meeting *self, uint64_t offset, int32_t most, int32_t *woken) {
  *woken = 0;
  DWORD error = join(self);
  if (error != ERROR_SUCCESS) return error;
  table *all = self->table;
  /* The word was changed before; a waiter that is not seen here has seen that. */
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  LONG high = __atomic_load_n(&all->head.high, __ATOMIC_SEQ_CST);
  if (high > PLACES) high = PLACES;
  for (LONG i = 0; i < high && *woken < most; i++) {
    uint64_t *place = word_at(all, i), word = __atomic_load_n(place, __ATOMIC_SEQ_CST);
    if ((word & ~WOKEN) != offset + 1) continue;
    bool was_woken = (word & WOKEN) != 0;
    if (!was_woken && !__atomic_compare_exchange_n(place, &word, word | WOKEN, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      continue; /* who waited has left, or somebody else has woken him */
    }
    /* Who woke him before may have been killed before this. */
    bool set = set_mailbox(__atomic_load_n(mailbox_at(all, i), __ATOMIC_SEQ_CST));
    if (set && !was_woken) ++*woken;
  }
  return ERROR_SUCCESS;
}
