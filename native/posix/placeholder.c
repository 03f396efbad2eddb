/*
 * Reserved ranges of private memory as pieces of address space: split, joined, handed over to a mapping of
 * an object, and taken back from one. At no moment are the addresses anybody else's.
 */
#include "mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void sectile_mapping_give_up(sectile_mapping *self) {
  self->closed = true;
  self->given_up = true;
  sectile_mapping_release(self); /* the handle's use */
}

/* A record for a part of the address space; the caller maps nothing. NULL: out of memory. */
static sectile_mapping *piece(uintptr_t base, size_t mapped, size_t page_size, const sectile_page_run *runs, size_t run_count) {
  sectile_mapping *self = calloc(1, sizeof *self);
  sectile_page_run *copy = calloc(run_count, sizeof *copy);
  if (self == NULL || copy == NULL) {
    free(self);
    free(copy);
    return NULL;
  }
  memcpy(copy, runs, run_count * sizeof *copy);
  *self = (sectile_mapping){
      .base = base,
      .mapped = mapped,
      .length = mapped,
      .page_size = page_size,
      .private_copy = true,
      .anonymous = true,
      .fd = -1,
      .runs = copy,
      .run_count = run_count,
      .users = 1,
      .references = 1,
  };
  return self;
}

static bool read_reserved(napi_env env, napi_value value, const char *call, sectile_mapping **self) {
  if (!sectile_mapping_read(env, value, call, self)) return false;
  if ((*self)->anonymous && (*self)->buffer == NULL && atomic_load(&(*self)->users) == 1) return true;
  sectile_fail_argument(env, call, "it is no reserved range, or it is in use");
  return false;
}

/* Cuts a reserved range at an offset; gives back the part behind it. */
static napi_value mapping_split(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingSplit";
  napi_value argument[2];
  sectile_mapping *self;
  uint64_t offset;
  if (!sectile_arguments(env, info, call, 2, argument) || !read_reserved(env, argument[0], call, &self) ||
      !sectile_read_size(env, argument[1], call, "offset", &offset)) {
    return NULL;
  }
  if (offset == 0 || offset >= self->mapped || offset % self->page_size != 0) {
    return sectile_fail_argument(env, call, "the offset is no page within the range");
  }
  uintptr_t cut = self->base + offset;
  size_t first = 0;
  while (self->runs[first].end <= cut) first++;
  sectile_mapping *tail = piece(cut, self->mapped - offset, self->page_size, self->runs + first, self->run_count - first);
  if (tail == NULL) return sectile_fail_errno(env, call, ENOMEM);
  sectile_guard_hold(self->guarded);
  self->run_count = first + (first == 0 || self->runs[first - 1].end < cut);
  self->runs[self->run_count - 1].end = cut;
  self->mapped = self->length = offset;
  sectile_guard_range range = sectile_mapping_guard_range(self);
  sectile_guard_resume(self->guarded, &range);
  return sectile_mapping_wrap(env, tail);
}

/* Joins a reserved range with the one right behind it, whose handle is closed then. */
static napi_value mapping_join(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingJoin";
  napi_value argument[2];
  sectile_mapping *self, *next;
  if (!sectile_arguments(env, info, call, 2, argument) || !read_reserved(env, argument[0], call, &self) ||
      !read_reserved(env, argument[1], call, &next)) {
    return NULL;
  }
  if (self->base + self->mapped != next->base || self->page_size != next->page_size) {
    return sectile_fail_argument(env, call, "they are not neighbours");
  }
  sectile_page_run *runs = calloc(self->run_count + next->run_count, sizeof *runs);
  if (runs == NULL) return sectile_fail_errno(env, call, ENOMEM);
  memcpy(runs, self->runs, self->run_count * sizeof *runs);
  memcpy(runs + self->run_count, next->runs, next->run_count * sizeof *runs);
  sectile_guard_hold(next->guarded);
  sectile_guard_hold(self->guarded);
  free(self->runs);
  self->runs = runs;
  self->run_count += next->run_count;
  self->mapped = self->length = self->mapped + next->mapped;
  sectile_guard_range range = sectile_mapping_guard_range(self);
  sectile_guard_resume(self->guarded, &range);
  sectile_mapping_give_up(next);
  return sectile_undefined(env);
}

/* Closes a mapping and keeps its addresses reserved: gives back the range. */
static napi_value mapping_vacate(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingVacate";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  /* Beside the handle there may be the buffer, which is taken back; work that goes on cannot be. */
  if (atomic_load(&self->users) > 1u + self->buffer_uses) return sectile_fail_errno(env, call, EBUSY);
  const sectile_page_run nothing = {self->base + self->mapped, PROT_NONE, true};
  sectile_mapping *range = piece(self->base, self->mapped, self->page_size, &nothing, 1);
  if (range == NULL) return sectile_fail_errno(env, call, ENOMEM);
  sectile_mapping_begin_close(env, self);
  sectile_guard_hold(self->guarded);
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  if (mmap((void *)self->base, self->mapped, PROT_NONE, flags, -1, 0) == MAP_FAILED) {
    int error = errno;
    free(range->runs);
    free(range);
    sectile_mapping_release(self);
    return sectile_fail_errno(env, call, error);
  }
  /* A buffer that was moved elsewhere (ArrayBuffer.prototype.transfer) still points there: the new range answers for it. */
  sectile_guard_remove(self->guarded);
  self->guarded = NULL;
  napi_value result = sectile_mapping_wrap(env, range);
  sectile_mapping_give_up(self);
  return result;
}

const sectile_export sectile_placeholder_exports[] = {
    {"mappingSplit", mapping_split},
    {"mappingJoin", mapping_join},
    {"mappingVacate", mapping_vacate},
    {NULL, NULL},
};
