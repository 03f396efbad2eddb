/*
 * Looking at a word for a while before a thread sleeps for it: an answer that comes within microseconds is had without the two
 * system calls and the two switches that a sleep and its wake-up cost. How long, the waits before it say: a word whose answers
 * do not come so soon, or not while this thread keeps the processor, is looked at ever more seldom.
 */
#include "sectile.h"

/* Nanoseconds that are looked for at most: less than a sleep and a wake-up cost between two processors. */
enum { PATIENCE = 50000 };
/* Looks between two of the clock. */
enum { LOOKS = 16 };
/* Waits in a row that took longer before others sleep at once, and the most of those, as powers of two. */
enum { FREE_MISSES = 4, MOST_MISSES = 12 };

/* How a word has fared in this thread: those that meet in one place share their luck. */
typedef struct {
  uint16_t misses, skipped;
} history;
enum { PLACES = 64 };
static _Thread_local history histories[PLACES];

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield" ::: "memory");
#endif
}

bool sectile_word_look(const int32_t *word, int32_t expected) {
  /* Words that belong together often stand a line or two apart. */
  history *past = &histories[((uintptr_t)word >> 2 ^ (uintptr_t)word >> 7) % PLACES];
  if (past->skipped > 0) {
    past->skipped--;
    return false;
  }
  int64_t start = sectile_now();
  do {
    for (int look = 0; look < LOOKS; look++) {
      if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != expected) {
        past->misses = 0;
        return true;
      }
      relax();
    }
  } while (sectile_now() - start < PATIENCE);
  if (past->misses < MOST_MISSES) past->misses++;
  past->skipped = past->misses <= FREE_MISSES ? 0 : (uint16_t)(1 << (past->misses - FREE_MISSES));
  return false;
}
