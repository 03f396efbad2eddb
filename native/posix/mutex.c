/*
 * A mutex in shared memory that survives its owner: whoever finds that the owner has ended takes it over, and is told.
 * It is owned by a thread of JavaScript, as Windows has it, and counts how often.
 *
 * 16 bytes, aligned to 8. The first 8 say who owns it and change in one step, so that a process can be killed at any
 * instruction: nobody (0), or a process's number and start and its thread's serial number, beside two flags. The rest only
 * the owner writes: how often it got it; and, once, the space of process numbers that the owner's belongs to, for others
 * cannot tell whether that process runs.
 */
#include "waits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The lower half is the word that is slept for. */
#define WAITERS ((uint64_t)1 << 31)   /* somebody sleeps: whoever gives it up wakes */
#define ABANDONED ((uint64_t)1 << 30) /* nobody owns it, and the last owner did not give it up */
#define OWNER (~(WAITERS | ABANDONED))
#define PID_OF(owner) ((pid_t)(((owner) >> 8) & 0x3fffff))
#define START_OF(owner) ((uint16_t)((owner) >> 32))

typedef struct {
  uint64_t owner;
  int32_t recursion, home;
} mutex;
_Static_assert(sizeof(mutex) == 16, "as docs/channel-layout.md has it");

/* What a call answers; a value of the word that is to be slept for comes as SLEEP and its bits. */
enum { FOREIGN = 0, TAKEN = 1, TAKEN_ABANDONED = 2, TOO_OFTEN = 3, SLEEP = 4 };

/* What a thread of JavaScript owns: given up as abandoned when the thread ends before its process. */
typedef struct held {
  mutex *mutex;
  sectile_mapping *mapping; /* retained */
  struct held *next;
} held;

typedef struct owner {
  napi_env env;
  uint64_t name;
  held *held;
  struct owner *next;
} owner;

static struct {
  pthread_mutex_t lock;
  owner *owners;
  uint32_t serial;
  uint16_t start;
  int32_t home;
  pid_t pid; /* 0: not known yet; another one after a fork */
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Under the lock. */
static void know_process(void) {
  uint64_t start = 0, home = 0;
  if (process.pid == getpid()) return;
  process.pid = getpid();
  process.start = sectile_process_start(process.pid, &start) == 0 ? (uint16_t)start : 0;
  process.home = sectile_process_namespace(&home) == 0 ? (int32_t)home : 0;
}

static void abandon(mutex *self, uint64_t name) {
  uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST);
  do {
    if ((found & OWNER) != name) return;
  } while (!__atomic_compare_exchange_n(&self->owner, &found, ABANDONED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  if ((found & WAITERS) != 0) sectile_word_wake((int32_t *)&self->owner, INT32_MAX);
}

/* The owner that was asked for last in this thread. */
static __thread owner *last;

static void on_environment_ends(void *data) {
  owner *self = data;
  if (last == self) last = NULL;
  pthread_mutex_lock(&process.lock);
  owner **link = &process.owners;
  while (*link != self) link = &(*link)->next;
  *link = self->next;
  pthread_mutex_unlock(&process.lock);
  while (self->held != NULL) {
    held *first = self->held;
    self->held = first->next;
    if (!first->mapping->closed) abandon(first->mutex, self->name);
    sectile_mapping_release(first->mapping);
    free(first);
  }
  free(self);
}

/* Who this thread of JavaScript is; NULL: an exception is pending. */
static owner *owner_of(napi_env env) {
  if (last != NULL && last->env == env) return last;
  pthread_mutex_lock(&process.lock);
  know_process();
  owner *found = process.owners;
  while (found != NULL && found->env != env) found = found->next;
  if (found == NULL && (found = calloc(1, sizeof *found)) != NULL) {
    uint32_t serial = process.serial++;
    found->env = env;
    found->name =
        (uint64_t)(serial >> 8 & 0xffff) << 48 | (uint64_t)process.start << 32 | (uint64_t)process.pid << 8 | (serial & 0xff);
    found->next = process.owners;
    process.owners = found;
    napi_add_env_cleanup_hook(env, on_environment_ends, found);
  }
  pthread_mutex_unlock(&process.lock);
  if (found == NULL) sectile_fail_errno(env, "malloc", ENOMEM);
  return found;
}

/* Forgets what closed mappings left: it was given back by another mapping of the same memory, or cannot be any more. */
static void forget_closed(owner *me) {
  for (held **link = &me->held; *link != NULL;) {
    held *each = *link;
    if (!each->mapping->closed) {
      link = &each->next;
      continue;
    }
    *link = each->next;
    sectile_mapping_release(each->mapping);
    free(each);
  }
}

static bool note_held(napi_env env, owner *me, mutex *self, sectile_mapping *mapping) {
  held *fresh = malloc(sizeof *fresh);
  if (fresh == NULL) {
    sectile_fail_errno(env, "malloc", ENOMEM);
    return false;
  }
  forget_closed(me);
  sectile_mapping_retain(mapping);
  *fresh = (held){self, mapping, me->held};
  me->held = fresh;
  return true;
}

static bool is_noted(const owner *me, const mutex *self) {
  const held *each = me->held;
  while (each != NULL && (each->mutex != self || each->mapping->closed)) each = each->next;
  return each != NULL;
}

static void forget_held(owner *me, const mutex *self) {
  held **link = &me->held;
  while (*link != NULL && (*link)->mutex != self) link = &(*link)->next;
  held *found = *link;
  if (found == NULL) return;
  *link = found->next;
  sectile_mapping_release(found->mapping);
  free(found);
}

static bool has_ended(uint64_t name) {
  uint64_t start;
  pid_t pid = PID_OF(name);
  if (pid == process.pid) return START_OF(name) != process.start;
  int error = sectile_process_start(pid, &start);
  return error == ESRCH || (error == 0 && START_OF(name) != 0 && (uint16_t)start != START_OF(name));
}

static napi_value take(napi_env env, owner *me, mutex *self, sectile_mapping *mapping, bool sleeps) {
  for (uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST);;) {
    uint64_t name = found & OWNER;
    if (name == me->name) {
      /* A hostile process may have put anything there. */
      if (self->recursion < 1 || self->recursion == INT32_MAX) return sectile_number(env, TOO_OFTEN);
      /* It may have come by another mapping, or with the bytes that it was made of. */
      if (!is_noted(me, self) && !note_held(env, me, self, mapping)) return NULL;
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
      if (!note_held(env, me, self, mapping)) {
        abandon(self, me->name);
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
  sectile_mapping *mapping;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_bool(env, argument[2], call, "sleeps", &sleeps))
    return NULL;
  mutex *self = (mutex *)sectile_doubleword_at(env, argument, call, &mapping);
  owner *me = self == NULL ? NULL : owner_of(env);
  if (me == NULL) return NULL;
  int32_t nowhere = 0;
  __atomic_compare_exchange_n(&self->home, &nowhere, process.home, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  if (self->home != process.home) return sectile_number(env, FOREIGN);
  return take(env, me, self, mapping, sleeps);
}

/* Gives it up once; how often this thread still owns it, or -1: it does not own it. */
static napi_value mutex_release(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingMutexRelease";
  napi_value argument[2];
  sectile_mapping *mapping;
  if (!sectile_arguments(env, info, call, 2, argument)) return NULL;
  mutex *self = (mutex *)sectile_doubleword_at(env, argument, call, &mapping);
  owner *me = self == NULL ? NULL : owner_of(env);
  if (me == NULL) return NULL;
  if ((__atomic_load_n(&self->owner, __ATOMIC_SEQ_CST) & OWNER) != me->name) return sectile_number(env, -1);
  if (self->recursion > 1) return sectile_number(env, --self->recursion);
  self->recursion = 0;
  uint64_t found = __atomic_exchange_n(&self->owner, 0, __ATOMIC_SEQ_CST);
  forget_held(me, self);
  if ((found & WAITERS) != 0) sectile_word_wake((int32_t *)&self->owner, INT32_MAX);
  return sectile_number(env, 0);
}

/* Gives it up as its last owner left it, who had ended: whoever is next is told. Not by whoever does not own it. */
static napi_value mutex_abandon(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingMutexAbandon";
  napi_value argument[2];
  sectile_mapping *mapping;
  if (!sectile_arguments(env, info, call, 2, argument)) return NULL;
  mutex *self = (mutex *)sectile_doubleword_at(env, argument, call, &mapping);
  owner *me = self == NULL ? NULL : owner_of(env);
  if (me == NULL) return NULL;
  forget_held(me, self);
  abandon(self, me->name);
  return sectile_undefined(env);
}

/* The number of the process that owns it, 0 for nobody; whether that is this thread, has ended, and how often. */
static napi_value mutex_query(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingMutexQuery";
  napi_value argument[2], result;
  sectile_mapping *mapping;
  if (!sectile_arguments(env, info, call, 2, argument)) return NULL;
  const mutex *self = (mutex *)sectile_doubleword_at(env, argument, call, &mapping);
  owner *me = self == NULL ? NULL : owner_of(env);
  if (me == NULL) return NULL;
  uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST), name = found & OWNER;
  bool own = name == me->name, known = self->home == process.home || self->home == 0;
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
