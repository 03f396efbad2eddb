/*
 * What floors of two processes share: the other process, forked after the memory is there, each side on a processor of
 * its own, and a start at which both are awake.
 */
#ifndef PAIR_H
#define PAIR_H

#include "floor.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Does the other side's part of `count` operations. */
typedef void pair_part(void *state, uint64_t count);

/* On a page that both have. */
typedef struct {
  /* How many rounds the other side has begun and ended, and its clock at the end of the last one. */
  _Atomic uint64_t begun;
  _Atomic uint64_t ended;
  uint64_t end_time;
} pair_page;

typedef struct {
  pair_page *page;
  uint64_t rounds;
  int wake;
} pair;

/* Keeps this process on the processor that the argument at `index` names, if there is one. */
static inline void pair_pin(int argc, char **argv, int index) {
  if (index >= argc) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(floor_bytes(argc, argv, index), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) floor_fail("sched_setaffinity");
}

/*
 * Forks the other side, which does `part` with its own copy of `state` for every pair_begin. The arguments from `first` on
 * are the processors of this side and of the other.
 */
static inline void pair_start(pair *both, pair_part *part, void *state, int argc, char **argv, int first) {
  both->page = floor_map(floor_memfd(FLOOR_PAGE, true, 0), FLOOR_PAGE);
  both->rounds = 0;
  int channel[2];
  if (pipe(channel) != 0) floor_fail("pipe");
  pid_t other = fork();
  if (other < 0) floor_fail("fork");
  if (other == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(channel[1]);
    pair_pin(argc, argv, first + 1);
    uint64_t count;
    while (read(channel[0], &count, sizeof count) == sizeof count) {
      atomic_fetch_add(&both->page->begun, 1);
      part(state, count);
      both->page->end_time = floor_now();
      atomic_fetch_add(&both->page->ended, 1);
    }
    _exit(0);
  }
  close(channel[0]);
  both->wake = channel[1];
  pair_pin(argc, argv, first);
}

/* A pause of a loop that looks: ends the floor when the other side has died. */
static inline void pair_look(uint64_t *looks) {
  if (++*looks % (1u << 16) != 0) return;
  int status;
  if (waitpid(-1, &status, WNOHANG) > 0) floor_wrong("the other side ended");
  sched_yield();
}

/* Has the other side begin `count` operations; returns when it is awake. */
static inline void pair_begin(pair *both, uint64_t count) {
  if (write(both->wake, &count, sizeof count) != sizeof count) floor_fail("write");
  both->rounds++;
  for (uint64_t looks = 0; atomic_load(&both->page->begun) != both->rounds;) pair_look(&looks);
}

/* Waits until the other side has done its part; returns its clock at that moment. */
static inline uint64_t pair_end(pair *both) {
  for (uint64_t looks = 0; atomic_load(&both->page->ended) != both->rounds;) pair_look(&looks);
  return both->page->end_time;
}

#endif
