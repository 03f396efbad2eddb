/*
 * What every floor for Windows shares: the clock, the section, the conversation with the harness, and one way to give
 * up. As ../floor.h; the section is one that JavaScript has named.
 */
#ifndef FLOOR_H
#define FLOOR_H

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* Hides what memory holds from the compiler, so that no copy or store is optimised away. */
#define FLOOR_BARRIER(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

/* Ends the floor with what the system answered; the harness shows stderr. */
__attribute__((noreturn)) static inline void floor_fail(const char *call) {
  fprintf(stderr, "%s: Win32 error %lu\n", call, GetLastError());
  exit(1);
}

static inline uint64_t floor_now(void) {
  static LARGE_INTEGER frequency;
  LARGE_INTEGER ticks;
  if (frequency.QuadPart == 0) QueryPerformanceFrequency(&frequency);
  QueryPerformanceCounter(&ticks);
  return (uint64_t)((double)ticks.QuadPart * 1e9 / (double)frequency.QuadPart);
}

static inline HANDLE floor_open(const wchar_t *name) {
  HANDLE section = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, name);
  if (section == NULL) floor_fail("OpenFileMapping");
  return section;
}

static inline void *floor_map(HANDLE section, size_t size) {
  void *view = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size);
  if (view == NULL) floor_fail("MapViewOfFile");
  return view;
}

/* One sample: does the operation `batch` times and returns the nanoseconds that all of them took. */
typedef uint64_t floor_sample(void *state, uint64_t batch);

/* Answers every line "SAMPLES BATCH" with one line of nanoseconds per operation. Returns when the harness closes. */
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
