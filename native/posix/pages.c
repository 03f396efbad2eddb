/*
 * Single pages of a mapping: their protection, whether they are the object's or copies of their own, and
 * whether they are committed. What is committed is the object's state, which every process sees; nothing
 * of it is kept here.
 */
#include "mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int64_t offset_of(const sectile_mapping *self, uintptr_t address) {
  return self->offset + (int64_t)(address - self->base);
}

/* ---------------------------------------------------------------------------------- arguments ---- */

/* Reads a range of whole pages as addresses. */
static bool read_pages(napi_env env, const napi_value *offset_and_length, const char *call, const sectile_mapping *self,
                       uintptr_t *start, uintptr_t *end) {
  uint64_t offset, length;
  if (!sectile_read_size(env, offset_and_length[0], call, "offset", &offset) ||
      !sectile_read_size(env, offset_and_length[1], call, "length", &length)) {
    return false;
  }
  uint64_t whole = self->mapped - self->before;
  *start = self->base + self->before + offset;
  *end = *start + length;
  if (offset < whole && length != 0 && length <= whole - offset && ((*start | *end) & (self->page_size - 1)) == 0) return true;
  sectile_fail_argument(env, call, "the range is not of whole pages within the mapping");
  return false;
}

/* ------------------------------------------------------------------------------------- runs ---- */

typedef struct {
  sectile_page_run *items;
  size_t count, capacity;
} run_list;

/* Room for so many more. */
static bool ensure(run_list *list, size_t more) {
  if (list->count + more <= list->capacity) return true;
  size_t capacity = (list->count + more) * 2;
  sectile_page_run *items = realloc(list->items, capacity * sizeof *items);
  if (items == NULL) return false;
  list->items = items;
  list->capacity = capacity;
  return true;
}

/* The caller has ensured the room. */
static void append(run_list *list, uintptr_t end, int protection, bool private_copy) {
  sectile_page_run *last = list->count == 0 ? NULL : &list->items[list->count - 1];
  if (last != NULL && last->protection == protection && last->private_copy == private_copy) {
    last->end = end;
  } else {
    list->items[list->count++] = (sectile_page_run){end, protection, private_copy};
  }
}

static int real_protection(const sectile_mapping *self, int protection) {
  return self->commit == SECTILE_COMMITTED_ALL ? protection : PROT_NONE;
}

size_t sectile_mapping_stretches(const sectile_mapping *self, uintptr_t start, uintptr_t end, sectile_stretch *stretches,
                                 size_t most) {
  const sectile_page_run all = {self->base + self->mapped, self->protection, self->private_copy};
  const sectile_page_run *run = self->runs != NULL ? self->runs : &all;
  size_t count = 0;
  while (start < end && count < most) {
    while (run->end <= start) run++;
    uintptr_t stop = run->end < end ? run->end : end;
    int64_t until, offset = offset_of(self, start);
    bool committed = sectile_is_committed(self->fd, self->commit, offset, offset_of(self, stop), &until);
    size_t length = (size_t)(until - offset);
    sectile_stretch *last = count == 0 ? NULL : &stretches[count - 1];
    if (committed && last != NULL && last->start + last->length == start && last->protection == run->protection) {
      last->length += length;
    } else if (committed && run->protection != PROT_NONE) {
      stretches[count++] = (sectile_stretch){start, length, run->protection};
    }
    start += length;
  }
  return count;
}

void sectile_mapping_show(const sectile_mapping *self, uintptr_t start, uintptr_t end) {
  if (self->commit == SECTILE_COMMITTED_ALL) return;
  sectile_stretch stretches[SECTILE_MOST_STRETCHES];
  size_t count = sectile_mapping_stretches(self, start, end, stretches, SECTILE_MOST_STRETCHES);
  for (size_t i = 0; i < count; i++) {
    mprotect((void *)stretches[i].start, stretches[i].length, stretches[i].protection); /* else the guard does it */
  }
}

/* Changes [start, end) of one run; what was done goes on the list. An error number. */
static int change(sectile_mapping *self, uintptr_t start, uintptr_t end, const sectile_page_run *run, int protection,
                  bool private_copy, run_list *list) {
  while (start < end) {
    uintptr_t stop = end;
    /* Copies stay: only what is not one yet can be the object's again. A private mapping has nothing else. */
    bool stays_private =
        run->private_copy && (private_copy || self->private_copy || sectile_is_copy(start, end, self->page_size, &stop));
    bool becomes_private = stays_private || private_copy;
    int real = real_protection(self, protection), failed;
    if (run->private_copy == becomes_private) {
      failed = mprotect((void *)start, stop - start, real);
    } else {
      int flags = MAP_FIXED | (becomes_private ? MAP_PRIVATE : MAP_SHARED);
      failed = mmap((void *)start, stop - start, real, flags, self->fd, (off_t)offset_of(self, start)) == MAP_FAILED;
    }
    int error = failed ? errno : ensure(list, 4) ? 0 : ENOMEM;
    if (error != 0) return error;
    append(list, stop, protection, becomes_private);
    start = stop;
  }
  return 0;
}

static int change_pages(sectile_mapping *self, uintptr_t start, uintptr_t end, int protection, bool private_copy,
                        run_list *list) {
  const sectile_page_run all = {self->base + self->mapped, self->protection, self->private_copy};
  const sectile_page_run *runs = self->runs != NULL ? self->runs : &all;
  size_t count = self->runs != NULL ? self->run_count : 1;
  if (!ensure(list, count + 4)) return ENOMEM;
  int error = 0;
  uintptr_t from = self->base;
  for (size_t i = 0; i < count; from = runs[i].end, i++) {
    uintptr_t low = from > start ? from : start, high = runs[i].end < end ? runs[i].end : end;
    if (low > from) append(list, low < runs[i].end ? low : runs[i].end, runs[i].protection, runs[i].private_copy);
    if (low < high && error == 0) error = change(self, low, high, &runs[i], protection, private_copy, list);
    /* What comes after, and after an error what was not reached. */
    if (!ensure(list, count - i + 4)) return ENOMEM;
    if (list->count == 0 || list->items[list->count - 1].end < runs[i].end) {
      append(list, runs[i].end, runs[i].protection, runs[i].private_copy);
    }
  }
  return error;
}

static napi_value mapping_protect_pages(napi_env env, napi_callback_info info) {
  static const char call[] = "mprotect";
  napi_value argument[5];
  sectile_mapping *self;
  uintptr_t start, end;
  uint32_t protection;
  bool private_copy;
  if (!sectile_arguments(env, info, call, 5, argument) || !sectile_mapping_read(env, argument[0], call, &self) ||
      !read_pages(env, argument + 1, call, self, &start, &end) ||
      !sectile_read_uint32(env, argument[3], call, "protection", &protection) ||
      !sectile_read_bool(env, argument[4], call, "private", &private_copy)) {
    return NULL;
  }
  if (protection > (PROT_READ | PROT_WRITE | PROT_EXEC)) return sectile_fail_argument(env, call, "unknown protection");
  if (!self->anonymous && self->fd < 0) return sectile_fail_argument(env, call, "the mapping keeps no descriptor");
  sectile_guard_hold(self->guarded);
  run_list list = {0};
  int error = change_pages(self, start, end, (int)protection, private_copy, &list);
  if (error == 0 || (list.count != 0 && list.items[list.count - 1].end == self->base + self->mapped)) {
    free(self->runs);
    self->runs = list.items;
    self->run_count = list.count;
  } else {
    free(list.items);
  }
  sectile_guard_range range = sectile_mapping_guard_range(self);
  sectile_guard_resume(self->guarded, &range);
  sectile_mapping_show(self, start, end);
  return error == 0 ? sectile_undefined(env) : sectile_fail_errno(env, call, error);
}

/* ------------------------------------------------------------------------------------ commit ---- */

static napi_value mapping_commit(napi_env env, napi_callback_info info) {
  static const char call[] = "fallocate";
  napi_value argument[4];
  sectile_mapping *self;
  uintptr_t start, end;
  bool allocate_first;
  if (!sectile_arguments(env, info, call, 4, argument) || !sectile_mapping_read(env, argument[0], call, &self) ||
      !read_pages(env, argument + 1, call, self, &start, &end) ||
      !sectile_read_bool(env, argument[3], call, "allocateFirst", &allocate_first)) {
    return NULL;
  }
  int error = sectile_commit(self->fd, self->commit, offset_of(self, start), offset_of(self, end), allocate_first);
  if (error != 0) return sectile_fail_errno(env, call, error);
  sectile_mapping_show(self, start, end);
  return sectile_undefined(env);
}

/* ------------------------------------------------------------------------------------- looks ---- */

/* {is, length}: how many bytes from an offset on are alike. */
static napi_value stretch(napi_env env, const char *call, bool is, uintptr_t length) {
  napi_value result;
  if (napi_create_object(env, &result) != napi_ok) return sectile_fail_napi(env, call);
  if (!sectile_set(env, result, "is", sectile_boolean(env, is)) ||
      !sectile_set(env, result, "length", sectile_number(env, (double)length))) {
    return NULL;
  }
  return result;
}

static bool read_look(napi_env env, napi_callback_info info, const char *call, sectile_mapping **self, uintptr_t *start,
                      uintptr_t *end) {
  napi_value argument[3];
  return sectile_arguments(env, info, call, 3, argument) && sectile_mapping_read(env, argument[0], call, self) &&
         read_pages(env, argument + 1, call, *self, start, end);
}

static napi_value mapping_committed(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingCommitted";
  sectile_mapping *self;
  uintptr_t start, end;
  if (!read_look(env, info, call, &self, &start, &end)) return NULL;
  int64_t until, offset = offset_of(self, start), last = offset_of(self, end);
  bool is = sectile_is_committed(self->fd, self->commit, offset, last, &until);
  for (int64_t further; until < last && sectile_is_committed(self->fd, self->commit, until, last, &further) == is;)
    until = further;
  return stretch(env, call, is, (uintptr_t)(until - offset));
}

static napi_value mapping_copied(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingCopied";
  sectile_mapping *self;
  uintptr_t start, end, until;
  if (!read_look(env, info, call, &self, &start, &end)) return NULL;
  bool is = sectile_is_copy(start, end, self->page_size, &until);
  return stretch(env, call, is, until - start);
}

/* Private memory gives its pages back: they read as zeros when they are committed again. */
static napi_value mapping_discard(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingDiscard";
  sectile_mapping *self;
  uintptr_t start, end;
  if (!read_look(env, info, call, &self, &start, &end)) return NULL;
  if (!self->anonymous) return sectile_fail_argument(env, call, "the mapping is of an object");
  int error = 0;
  const sectile_page_run *run = self->runs;
  for (uintptr_t stop; start < end && error == 0; start = stop) {
    while (run->end <= start) run++;
    stop = run->end < end ? run->end : end;
    error = sectile_discard((void *)start, stop - start, run->protection);
  }
  return error != 0 ? sectile_fail_errno(env, call, error) : sectile_undefined(env);
}

/* The number of the descriptor that a mapping keeps, for /proc; -1 for none. */
static napi_value mapping_descriptor(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingDescriptor";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  return sectile_number(env, self->fd);
}

const sectile_export sectile_pages_exports[] = {
    {"mappingProtectPages", mapping_protect_pages},
    {"mappingCommit", mapping_commit},
    {"mappingCommitted", mapping_committed},
    {"mappingCopied", mapping_copied},
    {"mappingDiscard", mapping_discard},
    {"mappingDescriptor", mapping_descriptor},
    {NULL, NULL},
};
