/*
 * The quarantine of addresses. A closed mapping has given its memory back, but a thread of the runtime
 * may still be at work on its buffer (a compression, a file read) and must find zeros there, not
 * somebody else's memory: so the addresses stay reserved for a while. Holds no memory, only addresses.
 */
#include "mapping.h"

#include <pthread.h>

/* The quarantine ends after this many later closes, or when it holds this many addresses. */
enum { QUARANTINE_COUNT = 128 };
#define QUARANTINE_BYTES ((uint64_t)1 << 40)

static struct {
  pthread_mutex_t lock;
  sectile_mapping *first, *last;
  uint32_t count;
  uint64_t bytes;
} quarantine = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Outside the lock: unmapping takes time. */
static void release_all(sectile_mapping *first) {
  while (first != NULL) {
    sectile_mapping *next = first->next_retired;
    sectile_mapping_release(first);
    first = next;
  }
}

void sectile_quarantine_add(sectile_mapping *self) {
  sectile_mapping *done = NULL;
  pthread_mutex_lock(&quarantine.lock);
  self->next_retired = NULL;
  *(quarantine.last == NULL ? &quarantine.first : &quarantine.last->next_retired) = self;
  quarantine.last = self;
  quarantine.count++;
  quarantine.bytes += self->mapped;
  while (quarantine.count > QUARANTINE_COUNT || (quarantine.bytes > QUARANTINE_BYTES && quarantine.first != NULL)) {
    sectile_mapping *oldest = quarantine.first;
    quarantine.first = oldest->next_retired;
    if (quarantine.first == NULL) quarantine.last = NULL;
    quarantine.count--;
    quarantine.bytes -= oldest->mapped;
    oldest->next_retired = done;
    done = oldest;
  }
  pthread_mutex_unlock(&quarantine.lock);
  release_all(done);
}

bool sectile_quarantine_give_up(uintptr_t base, size_t length) {
  sectile_mapping *done = NULL;
  pthread_mutex_lock(&quarantine.lock);
  quarantine.last = NULL;
  for (sectile_mapping **link = &quarantine.first; *link != NULL;) {
    sectile_mapping *each = *link;
    if (each->base < base + length && base < each->base + each->mapped) {
      *link = each->next_retired;
      quarantine.count--;
      quarantine.bytes -= each->mapped;
      each->next_retired = done;
      done = each;
    } else {
      quarantine.last = each;
      link = &each->next_retired;
    }
  }
  pthread_mutex_unlock(&quarantine.lock);
  release_all(done);
  return done != NULL;
}
