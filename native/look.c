/*
 * Looking at a word for a while before a thread sleeps for it: an answer that comes within microseconds is had without the two
 * system calls and the two switches that a sleep and its wake-up cost. Where two processors run the two sides, looking is all
 * there is to do; where one runs both, the answer comes only while this thread lets the other go first. Which of the two helps,
 * and whether one of them does, the waits before it say: a word whose answers do not come so soon is looked at ever more seldom.
 */
#include "registers.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sched.h>
#endif

/* Nanoseconds that are looked for at most: less than a sleep and a wake-up cost between two processors. */
enum { PATIENCE = 50000 };
/* Looks between two of the clock. */
enum { LOOKS = 16 };
/* Waits in a row that took longer before others sleep at once, and the most of those, as powers of two. */
enum { FREE_MISSES = 4, MOST_MISSES = 10 };

/* Answers in a row for which giving way once did not do: who has a processor of its own is seen earlier by looking. */
enum { MOST_STRAYS = 4 };

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield" ::: "memory");
#endif
}

/* Lets another thread that is ready have this processor first; comes back at once where there is none. */
static inline void give_way(void) {
#ifdef _WIN32
  SwitchToThread();
#else
  sched_yield();
#endif
}

static inline bool differs(const int32_t *word, int32_t expected) { return __atomic_load_n(word, __ATOMIC_SEQ_CST) != expected; }

static bool is_there_by_looking(const int32_t *word, int32_t expected) {
  /* No clock for what is there already. */
  if (differs(word, expected)) return true;
  int64_t start = sectile_now();
  do {
    for (int look = 0; look < LOOKS; look++) {
      if (differs(word, expected)) return true;
      relax();
    }
  } while (sectile_now() - start < PATIENCE);
  return false;
}

/* After how many times of giving way it is there: 0 where it was, -1 where it is not. */
static int is_there_by_giving_way(const int32_t *word, int32_t expected) {
  int times = 0;
  int64_t start = 0;
  while (!differs(word, expected)) {
    /* The first time is what is needed where it helps at all: no clock for it. */
    if (times == 1) start = sectile_now();
    if (times > 1 && sectile_now() - start >= PATIENCE) return -1;
    give_way();
    times++;
  }
  return times;
}

bool sectile_word_look(sectile_history *histories, const int32_t *word, int32_t expected) {
  /* Words that belong together often stand a line or two apart. */
  sectile_history *past = &histories[((uintptr_t)word >> 2 ^ (uintptr_t)word >> 7) % SECTILE_HISTORIES];
  if (past->skipped > 0) {
    past->skipped--;
    return false;
  }
  bool is_there;
  if (past->gives_way) {
    int times = is_there_by_giving_way(word, expected);
    is_there = times >= 0;
    past->strays = times > 1 ? past->strays + 1 : 0;
    if (past->strays == MOST_STRAYS) {
      past->strays = 0;
      past->gives_way = false;
    }
  } else {
    is_there = is_there_by_looking(word, expected);
  }
  if (is_there) {
    past->misses = 0;
    return true;
  }
  past->gives_way = !past->gives_way;
  if (past->misses < MOST_MISSES) past->misses++;
  past->skipped = past->misses <= FREE_MISSES ? 0 : (uint16_t)(1 << (past->misses - FREE_MISSES));
  return false;
}
