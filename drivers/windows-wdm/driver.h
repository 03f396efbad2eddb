/*
 * The driver's own declarations: its state, and what its files do for each other.
 *
 * Whoever touches shared memory runs in the system process, at PASSIVE_LEVEL: DriverEntry, DriverUnload and the
 * driver's own thread. Dispatch routines run in the caller's process, where the views are not mapped.
 */
#pragma once

#include <ntifs.h>

#include "platform.h"
#include "protocol.h"

/* One section by the five steps: what has to be given back. */
typedef struct SHARED_SECTION {
  HANDLE handle;
  PVOID object; /* a reference of our own, so that the object lives as long as the view */
  PVOID view;
  SIZE_T bytes;
} SHARED_SECTION;

/* How long the lock has been seen in one hand. */
typedef struct LEASE {
  ULONG owner;
  ULONG turn;
  ULONGLONG since;
} LEASE;

/* The device extension: non-paged, zeroed by the system, gone with the device. */
typedef struct DRIVER_STATE {
  SHARED_SECTION sampleSection;
  SHARED_SECTION controlsSection;
  PVOID thread;
  KEVENT stop;
  KEVENT wake;
  BOOLEAN hasSymbolicLink;

  volatile LONG interval;
  ULONG sequence; /* ours: the one in shared memory is only ever written */
  ULONG request;
  LEASE lease;
  volatile LONG64 samples;
  volatile LONG64 requests;
  volatile LONG64 refused;
  volatile LONG64 leases;
  volatile LONG64 faults;

  SAMPLE *sample;     /* made here, then published in one go */
  CONTROLS *incoming; /* copied out of shared memory, not checked yet */
  CONTROLS *controls; /* checked and in force */
} DRIVER_STATE;

/* section.c: the five steps. */
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS
    CreateSharedSection(PCWSTR name, ACCESS_MASK granted, SIZE_T bytes, SHARED_SECTION *section);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID DeleteSharedSection(SHARED_SECTION *section);

/* guarded.c: the only accesses of shared memory. Each returns an error if one raised an exception. */
NTSTATUS GuardedCopy(PVOID to, const VOID *from, SIZE_T bytes);
NTSTATUS GuardedCompareExchange(volatile LONG *target, LONG desired, LONG expected, LONG *found);
NTSTATUS GuardedExchange(volatile LONG *target, LONG desired);

/* worker.c: the thread that publishes samples and takes controls. */
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS StartWorker(DRIVER_STATE *state);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID StopWorker(DRIVER_STATE *state);

/* exchange.c: publishing a sample, taking controls. */
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS PublishHeader(DRIVER_STATE *state);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID PublishState(DRIVER_STATE *state, ULONG value);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID PublishSample(DRIVER_STATE *state);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID TakeControls(DRIVER_STATE *state);

/* device.c: the device, for what is not memory. */
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS CreateControlDevice(PDRIVER_OBJECT driver, PDEVICE_OBJECT *device);
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS ShowControlDevice(DRIVER_STATE *state);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID HideControlDevice(DRIVER_STATE *state);

/* values.c: what the values mean. */
_IRQL_requires_max_(PASSIVE_LEVEL) VOID CollectSample(SAMPLE *sample, const CONTROLS *controls);
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS CheckControls(const CONTROLS *controls);
_IRQL_requires_max_(PASSIVE_LEVEL) VOID ApplyControls(SAMPLE *sample, const CONTROLS *controls);
