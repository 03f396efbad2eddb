/*
 * Threads that sleep for an environment, where the kernel has no ring for it or the runtime no place to look at one: each
 * sleeps for as many words as the system takes at a time, and one more for the ends of processes. Word 0 of a thread is its
 * own: changed and woken when its list changes.
 */
#include "waits.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { MOST = SECTILE_MOST_WORDS, STACK = 256 * 1024, READY = 16 };

typedef struct {
  uint64_t number;
  sectile_sleep sleep;
  sectile_mapping *mapping; /* retained */
} parked;

typedef struct lot {
  sectile_parking *parking;
  pthread_t thread;
  int32_t changes; /* word 0 */
  size_t count;
  parked waits[MOST];
  struct lot *next;
} lot;

typedef struct watched {
  uint64_t number;
  int fd; /* the caller's, open until the wait has ended or was cancelled */
  struct watched *next;
} watched;

struct sectile_parking {
  pthread_mutex_t lock;
  bool closing;
  void (*ended)(void *data, uint64_t number);
  void *data;
  lot *lots;
  sectile_poller *poller; /* NULL until a descriptor is waited for */
  pthread_t poller_thread;
  watched *watched;
};

int sectile_words_sleep_in_slices(const sectile_sleep *sleeps, size_t count, int64_t nanoseconds, size_t *woken) {
  enum { SLICE = 20000000 };
  int64_t until = nanoseconds < 0 ? INT64_MAX : sectile_now() + nanoseconds;
  *woken = count;
  for (;;) {
    for (size_t i = 0; i + 1 < count; i++) {
      if (__atomic_load_n(sleeps[i].word, __ATOMIC_SEQ_CST) != sleeps[i].expected) return 0;
    }
    int64_t left = until - sectile_now(), slice = count == 1 || left < SLICE ? left : SLICE;
    if (left <= 0) return ETIMEDOUT;
    const sectile_sleep *last = &sleeps[count - 1];
    int error = sectile_futex_sleep(last->word, last->expected, until == INT64_MAX && count == 1 ? -1 : slice);
    if (error == ETIMEDOUT || error == EINTR) continue;
    if (error == 0) *woken = count - 1;
    return error == EAGAIN ? 0 : error;
  }
}

static int start(pthread_t *thread, void *(*run)(void *), void *data) {
  pthread_attr_t attributes;
  sigset_t all, before;
  sigfillset(&all);
  sigdelset(&all, SIGSEGV); /* the guard's: a word may have lost its memory */
  sigdelset(&all, SIGBUS);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, STACK);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* the others belong to the program's own threads */
  int error = pthread_create(thread, &attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

/* Under the lock, as all of these. */
static void announce(lot *self) {
  __atomic_fetch_add(&self->changes, 1, __ATOMIC_SEQ_CST);
  sectile_futex_wake(&self->changes, INT32_MAX);
}

static void take_out(lot *self, size_t place) {
  sectile_mapping_release(self->waits[place].mapping);
  self->waits[place] = self->waits[--self->count];
}

static bool find(const lot *self, uint64_t number, size_t *place) {
  for (*place = 0; *place < self->count; ++*place) {
    if (self->waits[*place].number == number) return true;
  }
  return false;
}

static void end(lot *self, uint64_t number) {
  size_t place;
  if (!find(self, number, &place)) return; /* cancelled meanwhile */
  take_out(self, place);
  self->parking->ended(self->parking->data, number);
}

static void *sleep_for_words(void *data) {
  lot *self = data;
  uint64_t numbers[MOST];
  sectile_sleep sleeps[MOST];
  sectile_mapping *mappings[MOST];
  sectile_thread_name("sectile-waits");
  pthread_mutex_lock(&self->parking->lock);
  while (!self->parking->closing) {
    size_t count = 1, woken;
    sleeps[0] = (sectile_sleep){&self->changes, __atomic_load_n(&self->changes, __ATOMIC_SEQ_CST)};
    for (size_t i = 0; i < self->count; i++, count++) {
      sleeps[count] = self->waits[i].sleep;
      numbers[count] = self->waits[i].number;
      mappings[count] = self->waits[i].mapping;
      sectile_mapping_retain(mappings[count]); /* a wait that is cancelled meanwhile lets go of its own */
    }
    pthread_mutex_unlock(&self->parking->lock);
    int error = sectile_words_sleep(sleeps, count, -1, &woken);
    pthread_mutex_lock(&self->parking->lock);
    /* A word that cannot be slept for ends its wait, and all beside it: whoever waits looks again, and is told then. */
    for (size_t i = 1; i < count; i++) {
      if (error != 0 || i == woken || __atomic_load_n(sleeps[i].word, __ATOMIC_SEQ_CST) != sleeps[i].expected) {
        end(self, numbers[i]);
      }
      sectile_mapping_release(mappings[i]);
    }
  }
  pthread_mutex_unlock(&self->parking->lock);
  return NULL;
}

static void *sleep_for_descriptors(void *data) {
  sectile_parking *self = data;
  sectile_ready ready[READY];
  sectile_thread_name("sectile-ends");
  for (;;) {
    int count = sectile_poller_wait(self->poller, ready, READY, -1);
    pthread_mutex_lock(&self->lock);
    if (self->closing) break;
    for (int i = 0; i < count; i++) {
      watched **link = &self->watched;
      while (*link != NULL && *link != ready[i].subject) link = &(*link)->next;
      watched *found = *link;
      if (found == NULL) continue; /* woken, or cancelled meanwhile */
      *link = found->next;
      sectile_poller_forget(self->poller, found->fd);
      self->ended(self->data, found->number);
      free(found);
    }
    pthread_mutex_unlock(&self->lock);
  }
  pthread_mutex_unlock(&self->lock);
  return NULL;
}

sectile_parking *sectile_parking_open(void (*ended)(void *data, uint64_t number), void *data) {
  sectile_parking *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  *self = (sectile_parking){.ended = ended, .data = data};
  pthread_mutex_init(&self->lock, NULL);
  return self;
}

static lot *lot_with_room(sectile_parking *self, int *error) {
  size_t room = sectile_words_most() - 1;
  for (lot *each = self->lots; each != NULL; each = each->next) {
    if (each->count < room) return each;
  }
  lot *fresh = calloc(1, sizeof *fresh);
  *error = fresh == NULL ? ENOMEM : 0;
  if (fresh == NULL) return NULL;
  fresh->parking = self;
  *error = start(&fresh->thread, sleep_for_words, fresh);
  if (*error != 0) {
    free(fresh);
    return NULL;
  }
  fresh->next = self->lots;
  self->lots = fresh;
  return fresh;
}

int sectile_parking_wait_word(sectile_parking *self, const int32_t *word, int32_t expected, sectile_mapping *mapping,
                              uint64_t number) {
  int error = 0;
  pthread_mutex_lock(&self->lock);
  lot *place = lot_with_room(self, &error);
  if (place != NULL) {
    sectile_mapping_retain(mapping);
    place->waits[place->count++] = (parked){number, {word, expected}, mapping};
    announce(place);
  }
  pthread_mutex_unlock(&self->lock);
  return error;
}

/* Under the lock. */
static int ensure_poller(sectile_parking *self) {
  const char *syscall;
  if (self->poller != NULL) return 0;
  self->poller = sectile_poller_open(&syscall);
  int error = self->poller == NULL ? errno : start(&self->poller_thread, sleep_for_descriptors, self);
  if (error == 0 || self->poller == NULL) return error;
  sectile_poller_close(self->poller);
  self->poller = NULL;
  return error;
}

int sectile_parking_wait_readable(sectile_parking *self, int fd, uint64_t number) {
  watched *fresh = malloc(sizeof *fresh);
  if (fresh == NULL) return ENOMEM;
  pthread_mutex_lock(&self->lock);
  *fresh = (watched){number, fd, self->watched};
  int error = ensure_poller(self);
  if (error == 0) {
    self->watched = fresh;
    error = sectile_poller_watch(self->poller, fd, true, fresh);
    if (error != 0) self->watched = fresh->next;
  }
  pthread_mutex_unlock(&self->lock);
  if (error != 0) free(fresh);
  return error;
}

void sectile_parking_cancel(sectile_parking *self, uint64_t number) {
  size_t place;
  pthread_mutex_lock(&self->lock);
  for (lot *each = self->lots; each != NULL; each = each->next) {
    if (!find(each, number, &place)) continue;
    take_out(each, place);
    announce(each);
  }
  for (watched **link = &self->watched; *link != NULL; link = &(*link)->next) {
    watched *found = *link;
    if (found->number != number) continue;
    *link = found->next;
    sectile_poller_forget(self->poller, found->fd);
    free(found);
    break;
  }
  pthread_mutex_unlock(&self->lock);
}

void sectile_parking_close(sectile_parking *self) {
  pthread_mutex_lock(&self->lock);
  self->closing = true;
  for (lot *each = self->lots; each != NULL; each = each->next) announce(each);
  if (self->poller != NULL) sectile_poller_wake(self->poller);
  pthread_mutex_unlock(&self->lock);
  while (self->lots != NULL) {
    lot *first = self->lots;
    pthread_join(first->thread, NULL);
    while (first->count > 0) take_out(first, first->count - 1);
    self->lots = first->next;
    free(first);
  }
  if (self->poller != NULL) {
    pthread_join(self->poller_thread, NULL);
    sectile_poller_close(self->poller);
  }
  while (self->watched != NULL) {
    watched *first = self->watched;
    self->watched = first->next;
    free(first);
  }
  pthread_mutex_destroy(&self->lock);
  free(self);
}
