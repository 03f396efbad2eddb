/*
 * Floors of the dispatcher objects with nobody to contend: what a C program would use in shared memory. A batch is so many
 * pairs of calls.
 *
 *   event        eventfd(2): write, then read
 *   mutex        a robust pthread mutex of several processes: lock, unlock
 *   semaphore    a POSIX semaphore of several processes: post, wait
 */
#include "floor.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>

static uint64_t use_event(void *state, uint64_t batch) {
  int fd = *(const int *)state;
  uint64_t value = 1, start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    if (write(fd, &value, sizeof value) != sizeof value) floor_fail("write");
    if (read(fd, &value, sizeof value) != sizeof value || value != 1) floor_fail("read");
  }
  return floor_now() - start;
}

static uint64_t use_mutex(void *state, uint64_t batch) {
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    if (pthread_mutex_lock(state) != 0 || pthread_mutex_unlock(state) != 0) floor_wrong("the mutex");
  }
  return floor_now() - start;
}

static uint64_t use_semaphore(void *state, uint64_t batch) {
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    if (sem_post(state) != 0 || sem_wait(state) != 0) floor_fail("sem_wait");
  }
  return floor_now() - start;
}

int main(int argc, char **argv) {
  const char *mode = argc == 2 ? argv[1] : "";
  void *page = floor_map(floor_memfd(FLOOR_PAGE, true, 0), FLOOR_PAGE);
  if (strcmp(mode, "event") == 0) {
    int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0) floor_fail("eventfd");
    return floor_serve(use_event, &fd);
  }
  if (strcmp(mode, "mutex") == 0) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    if (pthread_mutex_init(page, &kind) != 0) floor_fail("pthread_mutex_init");
    return floor_serve(use_mutex, page);
  }
  if (strcmp(mode, "semaphore") == 0) {
    if (sem_init(page, 1, 0) != 0) floor_fail("sem_init");
    return floor_serve(use_semaphore, page);
  }
  fprintf(stderr, "usage: objects event | mutex | semaphore\n");
  return 2;
}
