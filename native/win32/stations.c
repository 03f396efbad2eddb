/*
 * Threads that each wait for many objects, one wait for each: as many as the kernel takes in one call. The first comes when
 * something is waited for, and goes a while after it has nothing to wait for.
 */
#include "waits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = MAXIMUM_WAIT_OBJECTS, IDLE_MILLISECONDS = 5000 };

typedef struct {
  sectile_wait wait; /* the first: it is freed by that */
  HANDLE handle;     /* the wait's own */
} post;

typedef struct sectile_station {
  sectile_waiter waiter;
  post *posts[MOST]; /* others put in at the end, the thread alone takes out */
  DWORD count;
  struct sectile_station *next;
} station;

/* The others stay in their order: of those who wait for one object the kernel serves the first. */
static void take_out(station *self, DWORD place) {
  CloseHandle(self->posts[place]->handle);
  self->count--;
  memmove(&self->posts[place], &self->posts[place + 1], (self->count - place) * sizeof *self->posts);
}

static void end(station *self, DWORD place, NTSTATUS outcome) {
  sectile_wait *wait = &self->posts[place]->wait;
  take_out(self, place);
  sectile_waits_end(self->waiter.waits, wait, outcome);
}

/* Those that were cancelled. */
static void leave(station *self) {
  for (DWORD i = self->count; i-- > 0;) {
    sectile_wait *wait = &self->posts[i]->wait;
    if (!wait->cancelled && !sectile_waits_closed(self->waiter.waits)) continue;
    take_out(self, i);
    sectile_waits_leave(self->waiter.waits, wait);
  }
}

/* The call itself has failed: by whichever handle cannot be waited for any more, else by all. */
static void end_failed(station *self, DWORD count, NTSTATUS status) {
  bool found = false;
  for (DWORD i = count; i-- > 0;) {
    NTSTATUS each = sectile_wait_check(self->posts[i]->handle);
    if (SECTILE_SUCCESS(each)) continue;
    end(self, i, each);
    found = true;
  }
  if (found) return;
  for (DWORD i = count; i-- > 0;) end(self, i, status);
}

static void take_off(station *self) {
  station **link = sectile_waits_stations(self->waiter.waits);
  while (*link != self) link = &(*link)->next;
  *link = self->next;
}

static DWORD WINAPI attend(void *data) {
  station *self = data;
  sectile_waits *waits = self->waiter.waits;
  HANDLE handles[MOST];
  sectile_waits_lock(waits);
  for (;;) {
    leave(self);
    if (sectile_waits_closed(waits)) break;
    DWORD count = self->count;
    for (DWORD i = 0; i < count; i++) handles[i] = self->posts[i]->handle;
    self->waiter.asleep = true;
    self->waiter.poked = false;
    sectile_waits_unlock(waits);
    NTSTATUS status = count > 0 ? NtWaitForMultipleObjects(count, handles, SECTILE_WAIT_ANY, TRUE, NULL)
                                : (NTSTATUS)SleepEx(IDLE_MILLISECONDS, TRUE);
    sectile_waits_lock(waits);
    self->waiter.asleep = false;
    if (count == 0) {
      if (status == 0 && self->count == 0) break;
    } else if (status >= SECTILE_WAIT_0 && (DWORD)status < count) {
      end(self, (DWORD)status, SECTILE_WAIT_0);
    } else if (status >= SECTILE_ABANDONED_WAIT_0 && (DWORD)(status - SECTILE_ABANDONED_WAIT_0) < count) {
      end(self, (DWORD)(status - SECTILE_ABANDONED_WAIT_0), SECTILE_ABANDONED_WAIT_0);
    } else if (!SECTILE_SUCCESS(status)) {
      end_failed(self, count, status);
    }
  }
  take_off(self);
  CloseHandle(self->waiter.handle);
  free(self);
  sectile_waits_unlock(waits);
  sectile_waits_release(waits);
  return 0;
}

void sectile_stations_close(station *first) {
  for (station *each = first; each != NULL; each = each->next) sectile_waits_poke(&each->waiter);
}

/* Under the lock; NULL: there is no memory, or no thread can be had. */
static station *with_room(sectile_waits *waits) {
  station **first = sectile_waits_stations(waits);
  for (station *each = *first; each != NULL; each = each->next) {
    if (each->count < MOST) return each;
  }
  station *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL || !sectile_waits_start(waits, &fresh->waiter, attend, fresh)) {
    free(fresh);
    return NULL;
  }
  fresh->next = *first;
  *first = fresh;
  return fresh;
}

/* (handle): waits for any object but a mutex. A number of its own, or minus the NTSTATUS that says why it cannot be. */
static napi_value handle_wait(napi_env env, napi_callback_info info) {
  static const char call[] = "handleWait";
  napi_value argument[1];
  int32_t handle;
  HANDLE duplicate;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_int32(env, argument[0], call, "handle", &handle)) {
    return NULL;
  }
  sectile_waits *waits = sectile_waits_of(env, call);
  if (waits == NULL) return NULL;
  NTSTATUS status = sectile_waitable((HANDLE)(intptr_t)handle, &duplicate);
  if (!SECTILE_SUCCESS(status)) return sectile_number(env, -(double)(uint32_t)status);
  post *self = calloc(1, sizeof *self);
  double number = 0;
  if (self != NULL) {
    self->handle = duplicate;
    sectile_waits_lock(waits);
    station *place = with_room(waits);
    if (place != NULL) {
      sectile_waits_enter(waits, &self->wait, &place->waiter);
      number = self->wait.number;
      place->posts[place->count++] = self;
      sectile_waits_poke(&place->waiter);
    }
    sectile_waits_unlock(waits);
  }
  if (number != 0) return sectile_number(env, number);
  CloseHandle(duplicate);
  free(self);
  return sectile_number(env, -(double)(uint32_t)SECTILE_NO_MEMORY);
}

const sectile_export sectile_stations_exports[] = {{"handleWait", handle_wait}, {NULL, NULL}};
