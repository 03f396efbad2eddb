/*
 * What the driver and its applications agree on, besides the values themselves (layout.h): the names, the two
 * sections, and who writes what. Included by the driver, by native applications, and mirrored by protocol.ts.
 *
 *   SectileWdmSample    applications read   a header, and one sample under a sequence lock
 *   SectileWdmControls  applications write  a lock word, and the values that they set under it
 *
 * All numbers are little-endian. Neither side believes the other: a value is copied out once, then checked, then used.
 */
#pragma once

#include "layout.h"

/* For the driver each is \BaseNamedObjects\..., for an application Global\... */
#define SAMPLE_SECTION_NAME L"SectileWdmSample"
#define CONTROLS_SECTION_NAME L"SectileWdmControls"
/* For the driver \Device\..., for an application \\.\... */
#define CONTROL_DEVICE_NAME L"SectileWdm"

#define PROTOCOL_MAGIC 0x4D445753u /* "SWDM" */

enum { DRIVER_STARTING = 0, DRIVER_RUNNING = 1, DRIVER_STOPPED = 2 };

typedef struct SAMPLE_HEADER {
  uint32_t magic;             /* PROTOCOL_MAGIC, written last: whoever sees it sees a whole header */
  uint32_t layoutId;          /* LAYOUT_ID of the driver's own build */
  uint32_t sampleBytes;       /* sizeof(SAMPLE) there */
  uint32_t controlsBytes;     /* sizeof(CONTROLS) there */
  volatile uint32_t sequence; /* odd while the driver writes the sample */
  volatile uint32_t state;    /* DRIVER_RUNNING, DRIVER_STOPPED */
  uint32_t reserved[10];
} SAMPLE_HEADER;

/* The driver writes, users may read. */
typedef struct SAMPLE_SECTION {
  SAMPLE_HEADER header;
  SAMPLE sample;
} SAMPLE_SECTION;

/*
 * Applications write under the lock; the driver takes the same lock and copies.
 *
 * The lock word is 0 when free. An application takes it by exchanging 0 for a number of its own (not 0, and not
 * DRIVER_TOKEN), counts `turn` up, and gives it back by exchanging its number for 0. The lock is a lease: the driver
 * takes it from whoever keeps one turn for longer than LOCK_LEASE_MS, because a process may die with the lock held.
 * An application that finds another number when it gives the lock back has lost it, and its writing may be lost as well.
 */
typedef struct CONTROLS_SECTION {
  volatile uint32_t owner;
  volatile uint32_t turn;
  uint32_t reserved[14];
  CONTROLS controls;
} CONTROLS_SECTION;

#define DRIVER_TOKEN 0xFFFFFFFFu
#define LOCK_LEASE_MS 250

_Static_assert(offsetof(SAMPLE_HEADER, sequence) == 16, "protocol.ts says so");
_Static_assert(offsetof(SAMPLE_HEADER, state) == 20, "protocol.ts says so");
_Static_assert(offsetof(SAMPLE_SECTION, sample) == 64, "protocol.ts says so");
_Static_assert(offsetof(CONTROLS_SECTION, turn) == 4, "protocol.ts says so");
_Static_assert(offsetof(CONTROLS_SECTION, controls) == 64, "protocol.ts says so");

/* What the device answers (DeviceIoControl). Setting needs an administrator, counts are for everybody. */
#define IOCTL_SET_INTERVAL CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_WRITE_ACCESS)
#define IOCTL_GET_COUNTS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x801, METHOD_BUFFERED, FILE_READ_ACCESS)

#define DEFAULT_INTERVAL_MS 20
#define MAXIMUM_INTERVAL_MS 60000

typedef struct INTERVAL {
  uint32_t milliseconds; /* between samples, 1 to MAXIMUM_INTERVAL_MS */
} INTERVAL;

typedef struct COUNTS {
  uint64_t samples;  /* published since the driver was loaded */
  uint64_t requests; /* taken from applications and put to use */
  uint64_t refused;  /* taken, and refused: values that cannot be */
  uint64_t leases;   /* locks that were taken from whoever kept them */
  uint64_t faults;   /* accesses of shared memory that raised an exception */
} COUNTS;
