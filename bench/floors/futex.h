/*
 * futex(2) on a word of shared memory, as any program may use it: no library between.
 */
#ifndef FUTEX_H
#define FUTEX_H

#include "floor.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>

/* Sleeps while the word is `expected`; may return for no reason. */
static inline void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT, expected, NULL, NULL, 0);
}

/* As futex_wait, for some milliseconds at most. */
static inline void futex_wait_for(_Atomic uint32_t *word, uint32_t expected, long milliseconds) {
  struct timespec timeout = {.tv_nsec = milliseconds * 1000000};
  syscall(SYS_futex, word, FUTEX_WAIT, expected, &timeout, NULL, 0);
}

/* Wakes all who sleep at the word. */
static inline void futex_wake(_Atomic uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

#endif
