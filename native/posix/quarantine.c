/*
 * The quarantine of addresses. A closed mapping has given its memory back, but a thread of the runtime
 * may still be at work on its buffer (a compression, a file read) and must find zeros there, not
 * somebody else's memory: so the addresses stay reserved for a while. Holds no memory, only addresses.
 */
#include "mapping.h"

#include <pthread.h>
#include <time.h>

/*
 * How long addresses stay: until they are old, or there are too many of them for the process's limit of
 * mappings (neighbours merge into one) or for its address space.
 */
enum { QUARANTINE_SECONDS = 60, QUARANTINE_COUNT = 16384 };
#define QUARANTINE_BYTES ((uint64_t)16 << 40)

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

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

/* Under the lock. */
static bool oldest_may_go(int64_t time) {
  const sectile_mapping *oldest = quarantine.first;
  return oldest != NULL && (quarantine.count > QUARANTINE_COUNT || quarantine.bytes > QUARANTINE_BYTES ||
                            time - oldest->retired_at >= QUARANTINE_SECONDS);
}

void sectile_quarantine_add(sectile_mapping *self) {
  sectile_mapping *done = NULL;
  self->retired_at = now();
  pthread_mutex_lock(&quarantine.lock);
  self->next_retired = NULL;
  *(quarantine.last == NULL ? &quarantine.first : &quarantine.last->next_retired) = self;
  quarantine.last = self;
  quarantine.count++;
  quarantine.bytes += self->mapped;
  while (oldest_may_go(self->retired_at)) {
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
