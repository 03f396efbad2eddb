/*
 * Waits for objects of the kernel, as the files of this capability share them: what an environment knows of its waits
 * (waits.c), threads that each wait for many (stations.c), and threads that wait as one, and own the mutexes that they get
 * (keepers.c).
 *
 * A thread that waits can be poked: an APC interrupts its wait, which has then taken nothing from any object. So a wait that
 * is stopped has ended before, or has changed nothing.
 */
#ifndef SECTILE_WAITS_H
#define SECTILE_WAITS_H

#include "nt.h"
#include "sectile.h"

/* Of one environment. */
typedef struct sectile_waits sectile_waits;

/* A thread of the addon's that waits for an environment. */
typedef struct {
  sectile_waits *waits; /* retained */
  HANDLE handle;
  bool asleep; /* or about to be */
  bool poked;
} sectile_waiter;

/* A wait that has a number. All of it under the lock. */
typedef struct sectile_wait {
  double number;
  NTSTATUS outcome;
  sectile_waiter *waiter;
  bool cancelled; /* its waiter shall leave it, and the listener is not told */
  bool left;      /* its waiter does not look at it any more */
  bool ended;     /* it has an outcome */
  struct sectile_wait *next_alike, *next_ended;
} sectile_wait;

/* ---- waits.c ---- */

/* NULL: an exception is pending. */
sectile_waits *sectile_waits_of(napi_env env, const char *call);
void sectile_waits_lock(sectile_waits *waits);
void sectile_waits_unlock(sectile_waits *waits);
void sectile_waits_retain(sectile_waits *waits);
/* Any thread; the last one frees. */
void sectile_waits_release(sectile_waits *waits);

/* The rest under the lock. */

/* Whether the environment has ended: nobody waits any more. */
bool sectile_waits_closed(const sectile_waits *waits);
/* Gives a wait its number. */
void sectile_waits_enter(sectile_waits *waits, sectile_wait *wait, sectile_waiter *waiter);
/* Its waiter tells the listener, and does not look at it any more. */
void sectile_waits_end(sectile_waits *waits, sectile_wait *wait, NTSTATUS outcome);
/* Its waiter has left it, for it was cancelled, or the environment has ended: then it is freed. */
void sectile_waits_leave(sectile_waits *waits, sectile_wait *wait);
/* Starts a thread; retains the environment's record, which the thread releases. */
bool sectile_waits_start(sectile_waits *waits, sectile_waiter *waiter, LPTHREAD_START_ROUTINE run, void *data);
/* Has a waiter look at what it waits for anew. */
void sectile_waits_poke(sectile_waiter *waiter);
/* Until a waiter has told of a change. */
void sectile_waits_sleep(sectile_waits *waits);
void sectile_waits_tell(sectile_waits *waits);
/* Threads of stations.c, which end when the environment does. */
struct sectile_station **sectile_waits_stations(sectile_waits *waits);
/* The thread of word_waits.c, likewise; NULL until there is one. */
struct sectile_postman **sectile_waits_postman(sectile_waits *waits);

/* ---- handles, without the lock ---- */

/* A duplicate to wait with, which lives as long as the wait: an NTSTATUS, that of the kernel where it cannot be waited for. */
NTSTATUS sectile_waitable(HANDLE handle, HANDLE *duplicate);
/* Whether a handle can be waited for; takes nothing from its object. */
NTSTATUS sectile_wait_check(HANDLE handle);

/* ---- stations.c ---- */

/* The environment has ended: all threads are told. Under the lock. */
void sectile_stations_close(struct sectile_station *first);

/* ---- word_waits.c ---- */

void sectile_postman_close(struct sectile_postman *postman);

#endif
