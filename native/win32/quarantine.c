/*
 * The quarantine of addresses. A closed view is unmapped, but a thread of the runtime may still be at work on its
 * buffer (a compression, a file read) and must find zeros there, not somebody else's memory: so the addresses stay
 * reserved for a while. Holds no memory, only addresses.
 */
#include "mapping.h"

/* How long addresses stay: until they are old, or there are too many of them. */
enum { QUARANTINE_MILLISECONDS = 60000, QUARANTINE_COUNT = 16384 };
#define QUARANTINE_BYTES ((uint64_t)16 << 40)

static SRWLOCK lock = SRWLOCK_INIT;
static sectile_mapping *first, *last;
static uint32_t count;
static uint64_t bytes;

/* Outside the lock: giving addresses back takes time. */
static void release_all(sectile_mapping *each) {
  while (each != NULL) {
    sectile_mapping *next = each->next_retired;
    sectile_mapping_release(each);
    each = next;
  }
}

/* Under the lock. */
static bool oldest_may_go(uint64_t now) {
  return first != NULL &&
         (count > QUARANTINE_COUNT || bytes > QUARANTINE_BYTES || now - first->retired_at >= QUARANTINE_MILLISECONDS);
}

void sectile_quarantine_add(sectile_mapping *self) {
  sectile_mapping *done = NULL;
  self->retired_at = GetTickCount64();
  AcquireSRWLockExclusive(&lock);
  self->next_retired = NULL;
  *(last == NULL ? &first : &last->next_retired) = self;
  last = self;
  count++;
  bytes += self->guarded.length;
  while (oldest_may_go(self->retired_at)) {
    sectile_mapping *oldest = first;
    first = oldest->next_retired;
    if (first == NULL) last = NULL;
    count--;
    bytes -= oldest->guarded.length;
    oldest->next_retired = done;
    done = oldest;
  }
  ReleaseSRWLockExclusive(&lock);
  release_all(done);
}

bool sectile_quarantine_give_up(uintptr_t base, size_t length) {
  sectile_mapping *done = NULL;
  AcquireSRWLockExclusive(&lock);
  last = NULL;
  for (sectile_mapping **link = &first; *link != NULL;) {
    sectile_mapping *each = *link;
    if (each->guarded.base < base + length && base < each->guarded.base + each->guarded.length) {
      *link = each->next_retired;
      count--;
      bytes -= each->guarded.length;
      each->next_retired = done;
      done = each;
    } else {
      last = each;
      link = &each->next_retired;
    }
  }
  ReleaseSRWLockExclusive(&lock);
  release_all(done);
  return done != NULL;
}
