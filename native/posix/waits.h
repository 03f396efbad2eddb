/*
 * Waiting for words of shared memory, as the files of this capability share it: what each system gives (futex.c, uring.c),
 * and the two ways of having many waits at once (a ring of the kernel's, or threads that each wait for many words).
 *
 * Whoever waits looks at the word first and sleeps only while it has the value that was seen: no wake-up is lost. A wait may
 * end without a cause; whoever waits looks again.
 */
#ifndef SECTILE_WAITS_H
#define SECTILE_WAITS_H

#include "mapping.h"
#include "words.h"

/* ---- futex.c: of each system; between all processes that map the word ---- */

/*
 * Sleeps while the word has this value, for some nanoseconds or (-1) for ever. 0: woken. EAGAIN: it has another value.
 * ETIMEDOUT. EINTR: a signal came.
 */
SECTILE_HOT int sectile_futex_sleep(const int32_t *word, int32_t expected, int64_t nanoseconds);
/* Wakes so many of those who sleep for a word; how many there were, where the system tells, or minus an error number. */
SECTILE_HOT int sectile_futex_wake(int32_t *word, int32_t most);
/* Puts a value there and wakes all: in one step that no end of this process can divide, where the system has it. */
SECTILE_HOT int sectile_futex_store_wake(int32_t *word, int32_t value);

typedef struct {
  const int32_t *word;
  int32_t expected;
} sectile_sleep;

enum { SECTILE_MOST_WORDS = 128 };
/* How many words sectile_words_sleep takes at a time without slices; at least 2, at most SECTILE_MOST_WORDS. */
size_t sectile_words_most(void);
/*
 * Sleeps until one of the words is woken or has another value than expected, for some nanoseconds or (-1) for ever; where the
 * system takes one word alone, it looks at the others now and then. `woken` is the index of a word that was woken, or `count`
 * where that is not known. 0, ETIMEDOUT or another error number.
 */
int sectile_words_sleep(const sectile_sleep *sleeps, size_t count, int64_t nanoseconds, size_t *woken);
/* For systems that take one word alone. */
int sectile_words_sleep_in_slices(const sectile_sleep *sleeps, size_t count, int64_t nanoseconds, size_t *woken);

/* ---- uring.c: a ring of the kernel's in which waits end, by one thread ---- */

typedef struct sectile_ring sectile_ring;

/* NULL: errno is set, ENOSYS where the system has none that waits for words. */
sectile_ring *sectile_ring_open(void);
void sectile_ring_close(sectile_ring *ring);
/* A descriptor that can be read while there are ended waits. */
int sectile_ring_descriptor(const sectile_ring *ring);
/* Starts waits that end with a number of the caller's own, never 0. 0 or an error number. */
int sectile_ring_wait_word(sectile_ring *ring, const int32_t *word, int32_t expected, uint64_t number);
int sectile_ring_wait_readable(sectile_ring *ring, int fd, uint64_t number);
/* Ends a wait early; its number may come all the same. */
int sectile_ring_cancel(sectile_ring *ring, uint64_t number);
/* Takes the numbers of ended waits out; how many there were. */
size_t sectile_ring_take(sectile_ring *ring, uint64_t *numbers, size_t most);

/* ---- parking.c: threads that wait, where there is no such ring ---- */

/* Threads of one environment that sleep for it. `ended` is called in one of them, with the number of a wait that has ended. */
typedef struct sectile_parking sectile_parking;
sectile_parking *sectile_parking_open(void (*ended)(void *data, uint64_t number), void *data); /* NULL: no memory */
/* Ends the threads and waits for their ends: nothing is called after it. */
void sectile_parking_close(sectile_parking *parking);
int sectile_parking_wait_word(sectile_parking *parking, const int32_t *word, int32_t expected, sectile_mapping *mapping,
                              uint64_t number);
int sectile_parking_wait_readable(sectile_parking *parking, int fd, uint64_t number);
void sectile_parking_cancel(sectile_parking *parking, uint64_t number);

#endif
