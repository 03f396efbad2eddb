/*
 * Sleeping for words on Linux: futex(2), shared between processes, and futex_waitv(2) for many words at once (Linux 5.16).
 */
#include "posix/waits.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Not in the headers of every C library that has the system call. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
enum { WORD_OF_32_BITS = 2 };

typedef struct {
  uint64_t value, address;
  uint32_t flags, reserved;
} waiter;

static long futex(const int32_t *word, int operation, uint32_t value, const void *timeout_or_second, const int32_t *other,
                  uint32_t third) {
  return syscall(SYS_futex, word, operation, value, timeout_or_second, other, third);
}

int sectile_futex_sleep(const int32_t *word, int32_t expected, int64_t nanoseconds) {
  struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  return futex(word, FUTEX_WAIT, (uint32_t)expected, nanoseconds < 0 ? NULL : &timeout, NULL, 0) == 0 ? 0 : errno;
}

int sectile_futex_wake(int32_t *word, int32_t most) {
  long woken = futex(word, FUTEX_WAKE, (uint32_t)most, NULL, NULL, 0);
  return woken < 0 ? -errno : (int)woken;
}

int sectile_futex_store_wake(int32_t *word, int32_t value) {
  /* The operation's value has 12 bits. The comparison is one that never holds, or else all would be woken twice. */
  if (value < 0 || value > 2047) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
    return sectile_futex_wake(word, INT32_MAX);
  }
  int operation = FUTEX_OP(FUTEX_OP_SET, value, FUTEX_OP_CMP_LT, -2048);
  long woken = futex(word, FUTEX_WAKE_OP, INT32_MAX, NULL, word, (uint32_t)operation);
  return woken < 0 ? -errno : (int)woken;
}

static bool has_vectors(void) {
  static _Atomic int known; /* 0: not asked yet */
  if (known == 0) known = syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) != 0 && errno == ENOSYS ? 1 : 2;
  return known == 2;
}

size_t sectile_words_most(void) { return has_vectors() ? SECTILE_MOST_WORDS : 2; }

int sectile_words_sleep(const sectile_sleep *sleeps, size_t count, int64_t nanoseconds, size_t *woken) {
  waiter waiters[SECTILE_MOST_WORDS];
  if (!has_vectors()) return sectile_words_sleep_in_slices(sleeps, count, nanoseconds, woken);
  for (size_t i = 0; i < count; i++) {
    waiters[i] = (waiter){(uint32_t)sleeps[i].expected, (uintptr_t)sleeps[i].word, WORD_OF_32_BITS, 0};
  }
  int64_t end = nanoseconds < 0 ? 0 : sectile_now() + nanoseconds;
  struct timespec until = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
  long index = syscall(SYS_futex_waitv, waiters, (unsigned)count, 0, nanoseconds < 0 ? NULL : &until, CLOCK_MONOTONIC);
  *woken = index < 0 ? count : (size_t)index;
  return index >= 0 || errno == EAGAIN || errno == EINTR ? 0 : errno;
}
