/*
 * Sleeping for words on macOS: os_sync_wait_on_address (macOS 14.4), shared between processes. Older systems have no
 * documented call for it: there a sleep ends by itself after a millisecond, and whoever waits looks again.
 */
#include "posix/waits.h"

#include <dlfcn.h>
#include <errno.h>
#include <time.h>

/* As in <os/os_sync_wait_on_address.h>; found at run time, for older systems lack them. */
enum { SHARED = 1, CLOCK_OF_MACH = 32 };
static struct {
  int (*wait)(void *, uint64_t, size_t, uint32_t);
  int (*wait_with_timeout)(void *, uint64_t, size_t, uint32_t, uint32_t, uint64_t);
  int (*wake_all)(void *, size_t, uint32_t);
  int (*wake_any)(void *, size_t, uint32_t);
} address;

__attribute__((constructor)) static void find(void) {
  const struct {
    const char *name;
    void **place;
  } wanted[] = {
      {"os_sync_wait_on_address", (void **)&address.wait},
      {"os_sync_wait_on_address_with_timeout", (void **)&address.wait_with_timeout},
      {"os_sync_wake_by_address_all", (void **)&address.wake_all},
      {"os_sync_wake_by_address_any", (void **)&address.wake_any},
  };
  bool all = true;
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    *wanted[i].place = dlsym(RTLD_DEFAULT, wanted[i].name);
    all = all && *wanted[i].place != NULL;
  }
  if (!all) address.wait = NULL;
}

static bool differs(const int32_t *word, int32_t expected) { return __atomic_load_n(word, __ATOMIC_SEQ_CST) != expected; }

int sectile_futex_sleep(const int32_t *word, int32_t expected, int64_t nanoseconds) {
  enum { MILLISECOND = 1000000 };
  if (differs(word, expected)) return EAGAIN;
  if (address.wait == NULL) {
    int64_t left = nanoseconds < 0 || nanoseconds > MILLISECOND ? MILLISECOND : nanoseconds;
    nanosleep(&(struct timespec){.tv_nsec = left}, NULL);
    return left == nanoseconds ? ETIMEDOUT : 0;
  }
  void *place = (void *)(uintptr_t)word;
  int waiting = nanoseconds < 0 ? address.wait(place, (uint32_t)expected, sizeof *word, SHARED)
                                : address.wait_with_timeout(place, (uint32_t)expected, sizeof *word, SHARED, CLOCK_OF_MACH,
                                                            nanoseconds == 0 ? 1 : (uint64_t)nanoseconds);
  return waiting >= 0 ? 0 : errno;
}

int sectile_futex_wake(int32_t *word, int32_t most) {
  if (address.wait == NULL) return 0;
  int result = most == 1 ? address.wake_any(word, sizeof *word, SHARED) : address.wake_all(word, sizeof *word, SHARED);
  return result == 0 || errno == ENOENT ? 0 : -errno; /* ENOENT: nobody slept */
}

int sectile_futex_store_wake(int32_t *word, int32_t value) {
  __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
  return sectile_futex_wake(word, INT32_MAX);
}

size_t sectile_words_most(void) { return 2; }

int sectile_words_sleep(const sectile_sleep *sleeps, size_t count, int64_t nanoseconds, size_t *woken) {
  return sectile_words_sleep_in_slices(sleeps, count, nanoseconds, woken);
}
