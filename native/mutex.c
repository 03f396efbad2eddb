/*
 * A mutex in shared memory that survives its owner: whoever finds that the owner has ended takes it over, and is told.
 * It is owned by a thread of JavaScript, as Windows has it, and counts how often.
 *
 * 16 bytes, aligned to 8. The first 8 say who owns it and change in one step, so that a process can be killed at any
 * instruction: nobody (0), or a process's number and start and its thread's serial number, beside two flags. The rest only
 * the owner writes: how often it got it; and, once, the space of process numbers that the owner's belongs to, for others
 * cannot tell whether that process runs.
 */
#include "words.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

/* The lower half is the word that is slept for. */
#define WAITERS ((uint64_t)1 << 31)   /* somebody sleeps: whoever gives it up wakes */
#define ABANDONED ((uint64_t)1 << 30) /* nobody owns it, and the last owner did not give it up */
#define OWNER (~(WAITERS | ABANDONED))
#define MOST_PID 0x3fffff
#define PID_OF(owner) ((uint32_t)(((owner) >> 8) & MOST_PID))
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
  sectile_word place; /* its mapping is retained */
  struct held *next;
} held;

typedef struct sectile_owner {
  sectile_self process;
  uint64_t name;
  held *held;
} owner;

static mutex *at(const sectile_word *place) { return (mutex *)(void *)place->address; }

static void abandon(const sectile_word *place, uint64_t name) {
  mutex *self = at(place);
  uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST);
  do {
    if ((found & OWNER) != name) return;
  } while (!__atomic_compare_exchange_n(&self->owner, &found, ABANDONED, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  if ((found & WAITERS) != 0) sectile_word_wake_all(place);
}

static void on_environment_ends(void *data) {
  owner *self = data;
  while (self->held != NULL) {
    held *first = self->held;
    self->held = first->next;
    if (!sectile_mapping_is_closed(first->place.mapping)) abandon(&first->place, self->name);
    sectile_mapping_release(first->place.mapping);
    free(first);
  }
  free(self);
}

static owner *make_owner(napi_env env, const char *call) {
  static _Atomic uint32_t serials;
  sectile_self process = sectile_this_process();
  if (process.pid > MOST_PID) {
    sectile_fail_errno(env, call, EOPNOTSUPP); /* its number has no room in the word */
    return NULL;
  }
  owner *self = calloc(1, sizeof *self);
  if (self == NULL || napi_add_env_cleanup_hook(env, on_environment_ends, self) != napi_ok) {
    free(self);
    sectile_fail_errno(env, call, ENOMEM);
    return NULL;
  }
  uint32_t serial = atomic_fetch_add(&serials, 1);
  self->process = process;
  self->name =
      (uint64_t)(serial >> 8 & 0xffff) << 48 | (uint64_t)process.start << 32 | (uint64_t)process.pid << 8 | (serial & 0xff);
  return self;
}

/* The mutex that a call names, and who this thread of JavaScript is; NULL: it names none, or an exception is pending. */
static owner *read_call(napi_env env, napi_callback_info info, const char *call, sectile_instance **instance,
                        sectile_word *place) {
  *instance = sectile_word_of_call(env, info, call, sizeof(uint64_t), true, place);
  if (*instance == NULL) return NULL;
  if ((*instance)->owner == NULL) (*instance)->owner = make_owner(env, call);
  return (*instance)->owner;
}

/* Forgets what closed mappings left: it was given back by another mapping of the same memory, or cannot be any more. */
static void forget_closed(owner *me) {
  for (held **link = &me->held; *link != NULL;) {
    held *each = *link;
    if (!sectile_mapping_is_closed(each->place.mapping)) {
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
  while (each != NULL && (each->place.address != place->address || sectile_mapping_is_closed(each->place.mapping)))
    each = each->next;
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

static bool has_ended(const owner *me, uint64_t name) {
  if (PID_OF(name) == me->process.pid) return START_OF(name) != me->process.start;
  return sectile_process_has_ended(PID_OF(name), START_OF(name));
}

/* One of the answers above, or -1: an exception is pending. */
static double take(napi_env env, owner *me, const sectile_word *place, bool sleeps) {
  mutex *self = at(place);
  for (uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST);;) {
    uint64_t name = found & OWNER;
    if (name == me->name) {
      /* A hostile process may have put anything there. */
      if (self->recursion < 1 || self->recursion == INT32_MAX) return TOO_OFTEN;
      /* It may have come by another mapping, or with the bytes that it was made of. */
      if (!is_noted(me, place) && !note_held(env, me, place)) return -1;
      self->recursion++;
      return TAKEN;
    }
    bool ended = name != 0 && has_ended(me, name);
    if (name == 0 || ended) {
      if (!__atomic_compare_exchange_n(&self->owner, &found, me->name | (found & WAITERS), false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST)) {
        continue;
      }
      self->recursion = 1;
      if (!note_held(env, me, place)) {
        abandon(place, me->name);
        return -1;
      }
      return ended || (found & ABANDONED) != 0 ? TAKEN_ABANDONED : TAKEN;
    }
    if (sleeps && (found & WAITERS) == 0 &&
        !__atomic_compare_exchange_n(&self->owner, &found, found | WAITERS, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
      continue;
    }
    return SLEEP + (double)(uint32_t)(found | (sleeps ? WAITERS : 0));
  }
}

/*
 * Takes it if it is free, this thread's own already, or its owner has ended. Else, if the first value is 1, the owner is told to
 * wake who asks.
 */
static napi_value mutex_take(napi_env env, napi_callback_info info) {
  static const char call[] = "mutexTake";
  sectile_instance *instance;
  sectile_word place;
  owner *me = read_call(env, info, call, &instance, &place);
  if (me == NULL || !sectile_is_whole(env, instance->registers->values[0], call, "sleeps", 0, 1)) return NULL;
  int32_t nowhere = 0, home = me->process.home;
  __atomic_compare_exchange_n(&at(&place)->home, &nowhere, home, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  if (at(&place)->home != home) return sectile_answer(instance->registers, FOREIGN);
  double answer = take(env, me, &place, instance->registers->values[0] == 1);
  return answer < 0 ? NULL : sectile_answer(instance->registers, answer);
}

/* Gives it up once; how often this thread still owns it, or -1: it does not own it. */
static int32_t release(owner *me, const sectile_word *place) {
  mutex *self = at(place);
  if ((__atomic_load_n(&self->owner, __ATOMIC_SEQ_CST) & OWNER) != me->name) return -1;
  if (self->recursion > 1) return --self->recursion;
  self->recursion = 0;
  uint64_t found = __atomic_exchange_n(&self->owner, 0, __ATOMIC_SEQ_CST);
  forget_held(me, place);
  if ((found & WAITERS) != 0) sectile_word_wake_all(place);
  return 0;
}

static napi_value mutex_release(napi_env env, napi_callback_info info) {
  sectile_instance *instance;
  sectile_word place;
  owner *me = read_call(env, info, "mutexRelease", &instance, &place);
  return me == NULL ? NULL : sectile_answer(instance->registers, release(me, &place));
}

/* Gives it up as its last owner left it, who had ended: whoever is next is told. Not by whoever does not own it. */
static napi_value mutex_abandon(napi_env env, napi_callback_info info) {
  sectile_instance *instance;
  sectile_word place;
  owner *me = read_call(env, info, "mutexAbandon", &instance, &place);
  if (me == NULL) return NULL;
  forget_held(me, &place);
  abandon(&place, me->name);
  return sectile_answer(instance->registers, 0);
}

/* The number of the process that owns it, 0 for nobody; whether that is this thread, has ended, and how often. */
static napi_value mutex_query(napi_env env, napi_callback_info info) {
  static const char call[] = "mutexQuery";
  sectile_instance *instance;
  sectile_word place;
  napi_value result;
  owner *me = read_call(env, info, call, &instance, &place);
  if (me == NULL) return NULL;
  const mutex *self = at(&place);
  uint64_t found = __atomic_load_n(&self->owner, __ATOMIC_SEQ_CST), name = found & OWNER;
  bool own = name == me->name, known = self->home == me->process.home || self->home == 0;
  bool abandoned = (name == 0 && (found & ABANDONED) != 0) || (name != 0 && !own && known && has_ended(me, name));
  int32_t times = name == 0 || abandoned ? 0 : self->recursion < 1 ? 1 : self->recursion;
  if (napi_create_object(env, &result) != napi_ok) return sectile_fail_napi(env, call);
  if (!sectile_set(env, result, "pid", sectile_number(env, known ? PID_OF(name) : 0)) ||
      !sectile_set(env, result, "isOwn", sectile_boolean(env, own)) ||
      !sectile_set(env, result, "abandoned", sectile_boolean(env, abandoned)) ||
      !sectile_set(env, result, "times", sectile_number(env, times))) {
    return NULL;
  }
  sectile_answer(instance->registers, 0);
  return result;
}

const sectile_export sectile_mutex_exports[] = {
    {"mutexTake", mutex_take},
    {"mutexRelease", mutex_release},
    {"mutexAbandon", mutex_abandon},
    {"mutexQuery", mutex_query},
    {NULL, NULL},
};
