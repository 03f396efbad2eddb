/*
 * A mutex in shared memory that survives its owner, byte by byte and rule by rule as native/posix/mutex.c has it: owned by a
 * thread of JavaScript, which whoever finds that its process has ended succeeds, and is told.
 *
 * 16 bytes, aligned to 8. The first 8 say who owns it and change in one step, so that a process can be killed at any
 * instruction; the rest only the owner writes.
 */
#include "process.h"
#include "words.h"

#include <errno.h>
#include <stdlib.h>

/* The lower half is the word that is slept for. */
#define WAITERS ((uint64_t)1 << 31)   /* somebody sleeps: whoever gives it up wakes */
#define ABANDONED ((uint64_t)1 << 30) /* nobody owns it, and the last owner did not give it up */
#define OWNER (~(WAITERS | ABANDONED))
#define MOST_PID 0x3fffff
#define PID_OF(owner) ((DWORD)(((owner) >> 8) & MOST_PID))
#define START_OF(owner) ((uint16_t)((owner) >> 32))

typedef struct {
  uint64_t owner;
  int32_t recursion, home; /* the space of process numbers, which is one here: 0 */
} mutex;
_Static_assert(sizeof(mutex) == 16, "as docs/channel-layout.md has it");

/* What a call answers; a value of the word that is to be slept for comes as SLEEP and its bits. */
enum { FOREIGN = 0, TAKEN = 1, TAKEN_ABANDONED = 2, TOO_OFTEN = 3, SLEEP = 4 };

/* What a thread of JavaScript owns: given up as abandoned when the thread ends before its process. */
typedef struct held {
  sectile_word place; /* its mapping is retained */
  struct held *next;
} held;

typedef struct owner {
  napi_env env;
  uint64_t name;
  held *held;
  struct owner *next;
} owner;

static struct {
  SRWLOCK lock;
  owner *owners;
  uint32_t serial;
  uint16_t start;
} process = {.lock = SRWLOCK_INIT};

static mutex *at(const sectile_word *place) { return (mutex *)(uintptr_t)place->address; }

/* The lower half, at which who waits sleeps. Nobody is told what goes wrong: they look again. */
static void wake(const sectile_word *place) {
  int32_t woken;
  if (place->mapping->meeting != NULL) sectile_meeting_wake(place->mapping->meeting, place->offset, INT32_MAX, &woken);
}

static void abandon(const sectile_word *place, uint64_t name) {
  mutex *self = at(place);
  uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST);
  do {
    if ((found & OWNER) != name) return;
  } while (!__atomic_compare_exchange_n(&self->owner, &found, ABANDONED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  if ((found & WAITERS) != 0) wake(place);
}

static void on_environment_ends(void *data) {
  owner *self = data;
  AcquireSRWLockExclusive(&process.lock);
  owner **link = &process.owners;
  while (*link != self) link = &(*link)->next;
  *link = self->next;
  ReleaseSRWLockExclusive(&process.lock);
  while (self->held != NULL) {
    held *first = self->held;
    self->held = first->next;
    if (!first->place.mapping->closed) abandon(&first->place, self->name);
    sectile_mapping_release(first->place.mapping);
    free(first);
  }
  free(self);
}

/* Who this thread of JavaScript is; NULL: an exception is pending. */
static owner *owner_of(napi_env env, const char *call) {
  uint64_t start;
  DWORD pid = GetCurrentProcessId();
  if (pid > MOST_PID) {
    sectile_fail_errno(env, call, EOPNOTSUPP); /* its number has no room in the word */
    return NULL;
  }
  AcquireSRWLockExclusive(&process.lock);
  if (process.start == 0 && sectile_process_start(pid, &start) == ERROR_SUCCESS) process.start = (uint16_t)start;
  owner *found = process.owners;
  while (found != NULL && found->env != env) found = found->next;
  if (found == NULL && (found = calloc(1, sizeof *found)) != NULL) {
    uint32_t serial = process.serial++;
    found->env = env;
    found->name = (uint64_t)(serial >> 8 & 0xffff) << 48 | (uint64_t)process.start << 32 | (uint64_t)pid << 8 | (serial & 0xff);
    found->next = process.owners;
    process.owners = found;
    napi_add_env_cleanup_hook(env, on_environment_ends, found);
  }
  ReleaseSRWLockExclusive(&process.lock);
  if (found == NULL) sectile_fail_errno(env, call, ENOMEM);
  return found;
}

/* Forgets what closed mappings left: it was given back by another mapping of the same memory, or cannot be any more. */
static void forget_closed(owner *me) {
  for (held **link = &me->held; *link != NULL;) {
    held *each = *link;
    if (!each->place.mapping->closed) {
      link = &each->next;
      continue;
    }
    *link = each->next;
    sectile_mapping_release(each->place.mapping);
    free(each);
  }
}

static bool note_held(napi_env env, owner *me, const sectile_word *place) {
  held *fresh = malloc(sizeof *fresh);
  if (fresh == NULL) {
    sectile_fail_errno(env, "malloc", ENOMEM);
    return false;
  }
  forget_closed(me);
  sectile_mapping_retain(place->mapping);
  *fresh = (held){*place, me->held};
  me->held = fresh;
  return true;
}

static bool is_noted(const owner *me, const sectile_word *place) {
  const held *each = me->held;
  while (each != NULL && (each->place.address != place->address || each->place.mapping->closed)) each = each->next;
  return each != NULL;
}

static void forget_held(owner *me, const sectile_word *place) {
  held **link = &me->held;
  while (*link != NULL && (*link)->place.address != place->address) link = &(*link)->next;
  held *found = *link;
  if (found == NULL) return;
  *link = found->next;
  sectile_mapping_release(found->place.mapping);
  free(found);
}

static bool has_ended(uint64_t name) {
  uint64_t start;
  DWORD pid = PID_OF(name);
  if (pid == GetCurrentProcessId()) return START_OF(name) != process.start;
  if (sectile_process_start(pid, &start) != ERROR_SUCCESS) return false;
  return start == 0 || (START_OF(name) != 0 && (uint16_t)start != START_OF(name));
}

static napi_value take(napi_env env, owner *me, const sectile_word *place, bool sleeps) {
  mutex *self = at(place);
  for (uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST);;) {
    uint64_t name = found & OWNER;
    if (name == me->name) {
      /* A hostile process may have put anything there. */
      if (self->recursion < 1 || self->recursion == INT32_MAX) return sectile_number(env, TOO_OFTEN);
      /* It may have come by another mapping, or with the bytes that it was made of. */
      if (!is_noted(me, place) && !note_held(env, me, place)) return NULL;
      self->recursion++;
      return sectile_number(env, TAKEN);
    }
    bool ended = name != 0 && has_ended(name);
    if (name == 0 || ended) {
      if (!__atomic_compare_exchange_n(&self->owner, &found, me->name | (found & WAITERS), false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST)) {
        continue;
      }
      self->recursion = 1;
      if (!note_held(env, me, place)) {
        abandon(place, me->name);
        return NULL;
      }
      return sectile_number(env, ended || (found & ABANDONED) != 0 ? TAKEN_ABANDONED : TAKEN);
    }
    if (sleeps && (found & WAITERS) == 0 &&
        !__atomic_compare_exchange_n(&self->owner, &found, found | WAITERS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      continue;
    }
    return sectile_number(env, SLEEP + (double)(uint32_t)(found | (sleeps ? WAITERS : 0)));
  }
}

/* Takes it if it is free, this thread's own already, or its owner has ended. Else, if `sleeps`, the owner is told to wake. */
static napi_value mutex_take(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingMutexTake";
  napi_value argument[3];
  bool sleeps;
  sectile_word place;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_bool(env, argument[2], call, "sleeps", &sleeps) ||
      !sectile_doubleword_at(env, argument, call, &place)) {
    return NULL;
  }
  owner *me = owner_of(env, call);
  if (me == NULL) return NULL;
  return at(&place)->home == 0 ? take(env, me, &place, sleeps) : sectile_number(env, FOREIGN);
}

/* Reads mapping and offset. NULL: an exception is pending. */
static owner *read_place(napi_env env, napi_callback_info info, const char *call, sectile_word *place) {
  napi_value argument[2];
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_doubleword_at(env, argument, call, place)) return NULL;
  return owner_of(env, call);
}

/* Gives it up once; how often this thread still owns it, or -1: it does not own it. */
static napi_value mutex_release(napi_env env, napi_callback_info info) {
  sectile_word place;
  owner *me = read_place(env, info, "mappingMutexRelease", &place);
  if (me == NULL) return NULL;
  mutex *self = at(&place);
  if ((__atomic_load_n(&self->owner, __ATOMIC_SEQ_CST) & OWNER) != me->name) return sectile_number(env, -1);
  if (self->recursion > 1) return sectile_number(env, --self->recursion);
  self->recursion = 0;
  uint64_t found = __atomic_exchange_n(&self->owner, 0, __ATOMIC_SEQ_CST);
  forget_held(me, &place);
  if ((found & WAITERS) != 0) wake(&place);
  return sectile_number(env, 0);
}

/* Gives it up as its last owner left it, who had ended: whoever is next is told. Not by whoever does not own it. */
static napi_value mutex_abandon(napi_env env, napi_callback_info info) {
  sectile_word place;
  owner *me = read_place(env, info, "mappingMutexAbandon", &place);
  if (me == NULL) return NULL;
  forget_held(me, &place);
  abandon(&place, me->name);
  return sectile_undefined(env);
}

/* The number of the process that owns it, 0 for nobody; whether that is this thread, has ended, and how often. */
static napi_value mutex_query(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingMutexQuery";
  sectile_word place;
  napi_value result;
  owner *me = read_place(env, info, call, &place);
  if (me == NULL) return NULL;
  const mutex *self = at(&place);
  uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST), name = found & OWNER;
  bool own = name == me->name, known = self->home == 0;
  bool abandoned = (name == 0 && (found & ABANDONED) != 0) || (name != 0 && !own && known && has_ended(name));
  int32_t times = name == 0 || abandoned ? 0 : self->recursion < 1 ? 1 : self->recursion;
  if (napi_create_object(env, &result) != napi_ok) return sectile_fail_napi(env, call);
  if (!sectile_set(env, result, "pid", sectile_number(env, known ? PID_OF(name) : 0)) ||
      !sectile_set(env, result, "isOwn", sectile_boolean(env, own)) ||
      !sectile_set(env, result, "abandoned", sectile_boolean(env, abandoned)) ||
      !sectile_set(env, result, "times", sectile_number(env, times))) {
    return NULL;
  }
  return result;
}

const sectile_export sectile_mutex_exports[] = {
    {"mappingMutexTake", mutex_take},
    {"mappingMutexRelease", mutex_release},
    {"mappingMutexAbandon", mutex_abandon},
    {"mappingMutexQuery", mutex_query},
    {NULL, NULL},
};
