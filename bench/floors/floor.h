/*
 * What every floor shares: the clock, the conversation with the harness, and one way to give up.
 *
 * A floor does in C what a benchmark does in JavaScript, with the same system calls and no library
 * between. It stays alive for a whole benchmark, so that its rounds lie between ours, and sleeps in
 * read() while ours run.
 */
#ifndef FLOOR_H
#define FLOOR_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FLOOR_PAGE 4096

/* Hides what memory holds from the compiler, so that no copy or store is optimised away. */
#define FLOOR_BARRIER(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

static inline uint64_t floor_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Ends the floor with what the operating system answered; the harness shows stderr. */
__attribute__((noreturn)) static inline void floor_fail(const char *call) {
  fprintf(stderr, "%s: %s\n", call, strerror(errno));
  exit(1);
}

/* Ends the floor because the data are not what they must be. */
__attribute__((noreturn)) static inline void floor_wrong(const char *what) {
  fprintf(stderr, "wrong data: %s\n", what);
  exit(1);
}

/* The argument at `index` as a byte count; the harness passes no bad ones. */
static inline size_t floor_bytes(int argc, char **argv, int index) {
  if (index >= argc) {
    fprintf(stderr, "usage: argument %d is missing\n", index);
    exit(2);
  }
  return (size_t)strtoull(argv[index], NULL, 10);
}

/* A memfd as a section has it: sized, and with its memory set aside when `commit` says so. */
static inline int floor_memfd(size_t size, bool commit, unsigned extra_flags) {
  int fd = memfd_create("sectile-floor", MFD_CLOEXEC | MFD_ALLOW_SEALING | extra_flags);
  if (fd < 0) floor_fail("memfd_create");
  if (ftruncate(fd, (off_t)size) != 0) floor_fail("ftruncate");
  if (commit && fallocate(fd, 0, 0, (off_t)size) != 0) floor_fail("fallocate");
  return fd;
}

static inline void *floor_map(int fd, size_t size) {
  void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) floor_fail("mmap");
  return address;
}

/* One sample: does the operation `batch` times and returns the nanoseconds that all of them took. */
typedef uint64_t floor_sample(void *state, uint64_t batch);

/*
 * Answers every line "SAMPLES BATCH" from the harness with one line of nanoseconds per operation, a
 * number for each sample. Returns when the harness closes its end.
 */
static inline int floor_serve(floor_sample *sample, void *state) {
  unsigned long long samples, batch;
  while (scanf("%llu %llu", &samples, &batch) == 2) {
    double *results = calloc(samples, sizeof *results);
    if (results == NULL) floor_fail("calloc");
    for (unsigned long long i = 0; i < samples; i++) results[i] = (double)sample(state, batch) / (double)batch;
    for (unsigned long long i = 0; i < samples; i++) printf(i == 0 ? "%.3f" : " %.3f", results[i]);
    printf("\n");
    fflush(stdout);
    free(results);
  }
  return 0;
}

#endif
