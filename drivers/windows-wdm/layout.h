/*
 * The shared values, made by "sectile driver init": layout.ts says the same for TypeScript. Change both, or make
 * them anew; whoever holds the other layout is told so by LAYOUT_ID.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LAYOUT_ID 0x00000000u

/* Written by the driver. The first six are there in every layout. */
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

/* Written by applications, under the lock. The first is there in every layout. */
typedef struct CONTROLS {
  uint32_t request; /* one more than before says: look at these values */
  uint32_t slot;
  uint64_t amount;
} CONTROLS;
