/*
 * A lock of one word for what every map and unmap passes. Under Wine the system's own looks for somebody to wake each time
 * it is released, which takes a tenth of a microsecond there; this one asks the system only when it is held already.
 */
#ifndef SECTILE_LOCK_H
#define SECTILE_LOCK_H

#include "nt.h"

typedef struct {
  volatile LONG state;
  /* Those who wait. */
  SRWLOCK turn;
  CONDITION_VARIABLE given;
} sectile_lock;

enum { SECTILE_LOCK_FREE, SECTILE_LOCK_HELD, SECTILE_LOCK_WANTED /* held, and somebody may wait */ };

/* Of static storage, zeros are a lock that is free. */
static inline void sectile_lock_take(sectile_lock *self) {
  if (InterlockedCompareExchange(&self->state, SECTILE_LOCK_HELD, SECTILE_LOCK_FREE) == SECTILE_LOCK_FREE) return;
  AcquireSRWLockExclusive(&self->turn);
  while (InterlockedExchange(&self->state, SECTILE_LOCK_WANTED) != SECTILE_LOCK_FREE) {
    SleepConditionVariableSRW(&self->given, &self->turn, INFINITE, 0);
  }
  ReleaseSRWLockExclusive(&self->turn);
}

static inline void sectile_lock_give(sectile_lock *self) {
  if (InterlockedExchange(&self->state, SECTILE_LOCK_FREE) != SECTILE_LOCK_WANTED) return;
  /* Who saw it held is asleep, or has the turn: it is not missed. */
  AcquireSRWLockExclusive(&self->turn);
  WakeConditionVariable(&self->given);
  ReleaseSRWLockExclusive(&self->turn);
}

#endif
