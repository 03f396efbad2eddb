/*
 * The shared values, made by "sectile driver init". layout.ts says the same for TypeScript: make both anew rather than
 * change one. Whoever holds another layout is told so by LAYOUT_ID.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LAYOUT_ID 0x5430f2d1u

/* clang-format off */

/* Written by the driver. */
typedef struct SAMPLE {
  uint64_t number;   /* counts samples, from 1 */
  uint64_t time;     /* 100 ns since the machine started */
  uint32_t request;  /* the last request that the driver looked at */
  uint32_t status;   /* what it made of it: an NTSTATUS */
  uint32_t interval; /* ms between samples */
  uint32_t leases;   /* locks that were taken from whoever kept them */
  uint64_t wallClock;
  uint32_t processors;
  uint64_t tally[8];
} SAMPLE;

_Static_assert(offsetof(SAMPLE, number) == 0, "number");
_Static_assert(offsetof(SAMPLE, time) == 8, "time");
_Static_assert(offsetof(SAMPLE, request) == 16, "request");
_Static_assert(offsetof(SAMPLE, status) == 20, "status");
_Static_assert(offsetof(SAMPLE, interval) == 24, "interval");
_Static_assert(offsetof(SAMPLE, leases) == 28, "leases");
_Static_assert(offsetof(SAMPLE, wallClock) == 32, "wallClock");
_Static_assert(offsetof(SAMPLE, processors) == 40, "processors");
_Static_assert(offsetof(SAMPLE, tally) == 48, "tally");
_Static_assert(sizeof(SAMPLE) == 112, "SAMPLE");

/* Written by applications, under the lock. */
typedef struct CONTROLS {
  uint32_t request; /* one more than before says: look at these values */
  uint32_t slot;
  uint64_t amount;
} CONTROLS;

_Static_assert(offsetof(CONTROLS, request) == 0, "request");
_Static_assert(offsetof(CONTROLS, slot) == 4, "slot");
_Static_assert(offsetof(CONTROLS, amount) == 8, "amount");
_Static_assert(sizeof(CONTROLS) == 16, "CONTROLS");
