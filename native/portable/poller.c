/*
 * Sockets watched by poll(2): a list that changes under a lock, and a bell for whoever waits with an old one.
 */
#include "posix/system.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sectile_poller {
  sectile_bell bell; /* something has changed */
  pthread_mutex_t lock;
  bool woken;
  /* Under the lock: what is watched; entry 0 is the bell. */
  struct pollfd *entries;
  void **subjects;
  size_t count, capacity;
  /* Of the thread that waits: what it waits for, and where the next round begins. */
  struct pollfd *waiting;
  size_t waiting_capacity, turn;
};

void sectile_poller_close(sectile_poller *poller) {
  sectile_bell_close(&poller->bell);
  pthread_mutex_destroy(&poller->lock);
  free(poller->entries);
  free(poller->subjects);
  free(poller->waiting);
  free(poller);
}

/* Under the lock. Its place, or `count`. */
static size_t find(const sectile_poller *poller, int fd) {
  size_t place = 0;
  while (place < poller->count && poller->entries[place].fd != fd && poller->entries[place].fd != -fd - 1) place++;
  return place;
}

/* Under the lock. */
static bool ensure_room(sectile_poller *poller) {
  if (poller->count < poller->capacity) return true;
  size_t capacity = poller->capacity * 2 + 16;
  struct pollfd *entries = realloc(poller->entries, capacity * sizeof *entries);
  if (entries != NULL) poller->entries = entries;
  void **subjects = realloc(poller->subjects, capacity * sizeof *subjects);
  if (subjects != NULL) poller->subjects = subjects;
  if (entries == NULL || subjects == NULL) return false;
  poller->capacity = capacity;
  return true;
}

int sectile_poller_watch(sectile_poller *poller, int fd, bool reads, void *subject) {
  pthread_mutex_lock(&poller->lock);
  size_t place = find(poller, fd);
  bool there = place < poller->count || ensure_room(poller);
  if (there) {
    if (place == poller->count) poller->count++;
    /* poll(2) leaves negative numbers out. */
    poller->entries[place] = (struct pollfd){.fd = reads ? fd : -fd - 1, .events = POLLIN};
    poller->subjects[place] = subject;
  }
  pthread_mutex_unlock(&poller->lock);
  sectile_bell_ring(&poller->bell);
  return there ? 0 : ENOMEM;
}

void sectile_poller_forget(sectile_poller *poller, int fd) {
  pthread_mutex_lock(&poller->lock);
  size_t place = find(poller, fd);
  if (place < poller->count) {
    poller->count--;
    poller->entries[place] = poller->entries[poller->count];
    poller->subjects[place] = poller->subjects[poller->count];
  }
  pthread_mutex_unlock(&poller->lock);
}

/* Copies what is watched; how many there are. */
static size_t prepare(sectile_poller *poller) {
  pthread_mutex_lock(&poller->lock);
  if (poller->waiting_capacity < poller->capacity) {
    struct pollfd *waiting = realloc(poller->waiting, poller->capacity * sizeof *waiting);
    if (waiting != NULL) {
      poller->waiting = waiting;
      poller->waiting_capacity = poller->capacity;
    }
  }
  size_t count = poller->count < poller->waiting_capacity ? poller->count : poller->waiting_capacity;
  if (count > 0) memcpy(poller->waiting, poller->entries, count * sizeof *poller->waiting);
  pthread_mutex_unlock(&poller->lock);
  return count;
}

sectile_poller *sectile_poller_open(const char **syscall) {
  sectile_poller *poller = calloc(1, sizeof *poller);
  *syscall = "malloc";
  if (poller == NULL) return NULL;
  pthread_mutex_init(&poller->lock, NULL);
  int error = sectile_bell_open(&poller->bell, syscall);
  if (error == 0) {
    *syscall = "malloc";
    error = sectile_poller_watch(poller, poller->bell.reader, true, NULL);
    if (error == 0 && prepare(poller) == 0) error = ENOMEM;
  }
  if (error == 0) return poller;
  sectile_poller_close(poller);
  errno = error;
  return NULL;
}

/* Those that are ready and still watched, from another place on each time: none waits for ever. */
static int collect(sectile_poller *poller, size_t count, sectile_ready *ready, int most) {
  int filled = 0;
  pthread_mutex_lock(&poller->lock);
  for (size_t step = 1; step < count && filled < most; step++) {
    size_t i = 1 + (poller->turn + step) % (count - 1);
    const struct pollfd *entry = &poller->waiting[i];
    if (entry->revents == 0) continue;
    size_t place = i < poller->count && poller->entries[i].fd == entry->fd ? i : find(poller, entry->fd);
    if (place >= poller->count || poller->entries[place].fd < 0) continue;
    ready[filled++] = (sectile_ready){poller->subjects[place], (entry->revents & (POLLHUP | POLLERR | POLLNVAL)) != 0};
    if (filled == most) poller->turn = i - 1;
  }
  pthread_mutex_unlock(&poller->lock);
  return filled;
}

int sectile_poller_wait(sectile_poller *poller, sectile_ready *ready, int most, int timeout) {
  size_t count = prepare(poller);
  if (poll(poller->waiting, (nfds_t)count, timeout) <= 0) return 0;
  if (poller->waiting[0].revents != 0) {
    sectile_bell_hush(&poller->bell);
    pthread_mutex_lock(&poller->lock);
    bool woken = poller->woken;
    poller->woken = false;
    pthread_mutex_unlock(&poller->lock);
    if (woken) {
      ready[0] = (sectile_ready){NULL, false};
      return 1;
    }
  }
  return count > 1 ? collect(poller, count, ready, most) : 0;
}

void sectile_poller_wake(sectile_poller *poller) {
  pthread_mutex_lock(&poller->lock);
  poller->woken = true;
  pthread_mutex_unlock(&poller->lock);
  sectile_bell_ring(&poller->bell);
}
