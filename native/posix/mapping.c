/*
 * Mappings are made here: of an object, again of what another maps, or of private memory. Each is guarded
 * (guard.h) for as long as anybody may hold a pointer into it.
 */
#include "mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Mappings that stand. V8 aborts the process when it finds no room for one of its own, so we stop before. */
static _Atomic int64_t standing;
enum { LEFT_FOR_OTHERS = 4096 };

static bool has_room(void) {
  int64_t most = sectile_most_mappings() - LEFT_FOR_OTHERS;
  return atomic_load(&standing) < (most < LEFT_FOR_OTHERS ? LEFT_FOR_OTHERS : most);
}

void sectile_mapping_forget(sectile_mapping *self) {
  if (atomic_fetch_sub(&self->references, 1) == 1) free(self);
}

void sectile_mapping_retain(sectile_mapping *self) { atomic_fetch_add(&self->users, 1); }

void sectile_mapping_release(sectile_mapping *self) {
  if (atomic_fetch_sub(&self->users, 1) != 1) return;
  if (self->guarded != NULL) sectile_guard_remove(self->guarded);
  if (!self->given_up) munmap((void *)self->base, self->mapped);
  if (!self->retired) atomic_fetch_sub(&standing, 1);
  if (self->fd >= 0) sectile_close(self->fd);
  free(self->runs);
  sectile_mapping_forget(self);
}

void sectile_mapping_retired(sectile_mapping *self) {
  self->retired = true;
  atomic_fetch_sub(&standing, 1);
  if (self->fd >= 0) sectile_close(self->fd);
  self->fd = -1;
}

/* ------------------------------------------------------------------------------------ mapping ---- */

typedef struct {
  uint64_t offset, length, address, alignment, page_size;
  uint32_t protection, commit;
  bool private_copy, huge, keep_descriptor;
  sectile_mapping *replaced; /* a placeholder whose addresses it takes over; NULL for none */
} map_request;

/* Where memory comes from: an object, a mapping of it, or (both absent) nowhere: private zeros. */
typedef struct {
  int fd;
  const sectile_mapping *mapping;
} map_source;

static bool get(napi_env env, napi_value object, const char *name, napi_value *value) {
  if (napi_get_named_property(env, object, name, value) == napi_ok) return true;
  sectile_fail_napi(env, name);
  return false;
}

/* Below it a mapping would catch the null pointers of other code, which shall go on to fault. */
#define LOWEST_ADDRESS ((uint64_t)0x10000)

static bool power_of_two(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

static bool read_replaced(napi_env env, napi_value value, const char *call, map_request *request) {
  napi_valuetype type;
  request->replaced = NULL;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_null) return true;
  if (!sectile_mapping_read(env, value, call, &request->replaced)) return false;
  if (request->replaced->anonymous) return true;
  sectile_fail_argument(env, call, "what it replaces is no reserved range");
  return false;
}

static bool read_request(napi_env env, napi_value object, const char *call, map_request *request) {
  napi_value value;
  if (!get(env, object, "offset", &value) || !sectile_read_size(env, value, call, "offset", &request->offset) ||
      !get(env, object, "length", &value) || !sectile_read_size(env, value, call, "length", &request->length) ||
      !get(env, object, "protection", &value) || !sectile_read_uint32(env, value, call, "protection", &request->protection) ||
      !get(env, object, "private", &value) || !sectile_read_bool(env, value, call, "private", &request->private_copy) ||
      !get(env, object, "address", &value) || !sectile_read_address(env, value, call, "address", &request->address) ||
      !get(env, object, "alignment", &value) || !sectile_read_size(env, value, call, "alignment", &request->alignment) ||
      !get(env, object, "pageSize", &value) || !sectile_read_size(env, value, call, "pageSize", &request->page_size) ||
      !get(env, object, "advanceHuge", &value) || !sectile_read_bool(env, value, call, "advanceHuge", &request->huge) ||
      !get(env, object, "commit", &value) || !sectile_read_uint32(env, value, call, "commit", &request->commit) ||
      !get(env, object, "keepDescriptor", &value) ||
      !sectile_read_bool(env, value, call, "keepDescriptor", &request->keep_descriptor) ||
      !get(env, object, "replaces", &value) || !read_replaced(env, value, call, request)) {
    return false;
  }
  uint64_t host_page = (uint64_t)sysconf(_SC_PAGESIZE);
  if (request->length == 0 || request->protection > (PROT_READ | PROT_WRITE | PROT_EXEC) || !power_of_two(request->page_size) ||
      request->page_size < host_page || (request->alignment != 0 && !power_of_two(request->alignment)) ||
      request->commit > SECTILE_COMMITTED_MAP) {
    sectile_fail_argument(env, call, "length, protection, commit rule, page size or alignment is out of range");
    return false;
  }
  uint64_t before = request->offset & (request->page_size - 1);
  if (request->address != 0 &&
      (((request->address - before) & (request->page_size - 1)) != 0 || request->address < before + LOWEST_ADDRESS)) {
    sectile_fail_argument(env, call, "the address is too low or does not fit the offset");
    return false;
  }
  if (request->replaced != NULL &&
      (request->address - before != request->replaced->base ||
       ((before + request->length + request->page_size - 1) & ~(request->page_size - 1)) != request->replaced->mapped)) {
    sectile_fail_argument(env, call, "it is not as large as what it replaces");
    return false;
  }
  return true;
}

/* Reserves addresses where a placement is asked for. MAP_FAILED: errno is set. NULL: no wish. */
static void *reserve(const map_request *request, uint64_t before, size_t mapped) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (request->replaced != NULL) return (void *)request->replaced->base;
  if (request->address != 0) {
    void *wish = (void *)(uintptr_t)(request->address - before);
    int error = sectile_reserve_at((uintptr_t)wish, mapped);
    if (error == EEXIST && sectile_quarantine_give_up((uintptr_t)wish, mapped)) {
      error = sectile_reserve_at((uintptr_t)wish, mapped);
    }
    if (error == 0) return wish;
    errno = error;
    return MAP_FAILED;
  }
  if (request->alignment <= request->page_size) return NULL;
  size_t room = mapped + request->alignment;
  char *start = mmap(NULL, room, PROT_NONE, flags, -1, 0);
  if (start == MAP_FAILED) return MAP_FAILED;
  size_t skip = (size_t)(-(uintptr_t)start & (request->alignment - 1));
  if (skip != 0) munmap(start, skip);
  munmap(start + skip + mapped, room - skip - mapped);
  return start + skip;
}

static void *map_source_at(const map_source *source, const map_request *request, void *place_at, uint64_t from, size_t mapped,
                           int protection) {
  int flags = (request->private_copy ? MAP_PRIVATE : MAP_SHARED) | (place_at != NULL ? MAP_FIXED : 0);
  if (source->mapping == NULL && source->fd < 0) {
    return mmap(place_at, mapped, protection, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  if (source->mapping == NULL) return mmap(place_at, mapped, protection, flags, source->fd, (off_t)from);
  void *old = (void *)(source->mapping->base + from);
  void *base = sectile_duplicate_mapping(old, mapped, place_at, source->fd, source->mapping->offset + (int64_t)from);
  if (base != MAP_FAILED && protection != source->mapping->protection && mprotect(base, mapped, protection) != 0) {
    int error = errno;
    if (request->replaced == NULL) munmap(base, mapped);
    errno = error;
    return MAP_FAILED;
  }
  return base;
}

/* MAP_FAILED: errno is set. */
static void *place(const map_source *source, const map_request *request, uint64_t before, size_t mapped, int protection) {
  void *place_at = reserve(request, before, mapped);
  if (place_at == MAP_FAILED) return MAP_FAILED;
  void *base = map_source_at(source, request, place_at, request->offset - before, mapped, protection);
  if (base == MAP_FAILED && place_at != NULL && request->replaced == NULL) {
    int error = errno;
    munmap(place_at, mapped);
    errno = error;
  }
  return base;
}

static void mapping_finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  sectile_mapping *self = data;
  if (self->buffer != NULL) napi_delete_reference(env, self->buffer);
  self->buffer = NULL;
  /* Collected without a close: nobody reaches it any more, so nobody can be at work on it either. */
  if (!self->closed) sectile_mapping_release(self);
  sectile_mapping_forget(self);
}

/* The descriptor that the guard needs, and what is done to single pages. */
static int keep_descriptor(const map_source *source, const map_request *request, int *kept) {
  *kept = -1;
  if (source->fd < 0 || ((request->protection & PROT_WRITE) && !request->keep_descriptor)) return 0;
  *kept = sectile_duplicate(source->fd);
  return *kept < 0 ? errno : 0;
}

/* A mapping record with its descriptor and its one run, but without memory. NULL: errno is set. */
static sectile_mapping *prepare(const map_source *source, const map_request *request, uint64_t before, uint64_t mapped) {
  sectile_mapping *self = calloc(1, sizeof *self);
  sectile_page_run *runs = calloc(1, sizeof *runs);
  int kept = -1;
  int error = self == NULL || runs == NULL || !has_room() ? ENOMEM : keep_descriptor(source, request, &kept);
  bool anonymous = source->fd < 0 && source->mapping == NULL;
  if (error != 0 || (!anonymous && request->commit == SECTILE_COMMITTED_ALL)) {
    free(runs);
    runs = NULL;
  }
  if (error != 0) {
    free(self);
    errno = error;
    return NULL;
  }
  *self = (sectile_mapping){
      .mapped = mapped,
      .before = before,
      .length = request->length,
      .page_size = request->page_size,
      .protection = (int)request->protection,
      .private_copy = request->private_copy,
      .anonymous = anonymous,
      .commit = (sectile_commit_rule)request->commit,
      .offset = (int64_t)(request->offset - before),
      .fd = kept,
      .runs = runs,
      .run_count = runs != NULL,
      .users = 1,
      .references = 1,
  };
  return self;
}

static void unprepare(sectile_mapping *self) {
  int error = errno;
  if (self->fd >= 0) sectile_close(self->fd);
  free(self->runs);
  free(self);
  errno = error;
}

sectile_guard_range sectile_mapping_guard_range(const sectile_mapping *self) {
  return (sectile_guard_range){
      .base = self->base,
      .length = self->mapped,
      .page_size = self->page_size,
      .protection = self->protection,
      .fd = self->fd,
      .offset = self->offset,
      .commit = self->commit,
      .runs = self->runs,
      .run_count = self->run_count,
  };
}

napi_value sectile_mapping_wrap(napi_env env, sectile_mapping *self) {
  atomic_fetch_add(&standing, 1);
  sectile_guard_range range = sectile_mapping_guard_range(self);
  self->guarded = sectile_guard_add(&range);
  if (self->guarded == NULL) {
    int error = errno;
    sectile_mapping_release(self); /* frees it too: there is no handle yet */
    return sectile_fail_errno(env, "sigaction", error);
  }
  atomic_fetch_add(&self->references, 1); /* the handle's */
  return sectile_wrap(env, self, &sectile_tag_mapping, mapping_finalize);
}

static napi_value make(napi_env env, const char *call, map_source source, const map_request *request) {
  uint64_t before = request->offset & (request->page_size - 1);
  uint64_t mapped = (before + request->length + request->page_size - 1) & ~(request->page_size - 1);
  sectile_mapping *self = prepare(&source, request, before, mapped);
  if (self == NULL) return sectile_fail_errno(env, call, errno);
  /* Where pages are to be committed first, none is accessible yet. */
  int protection = self->commit == SECTILE_COMMITTED_ALL ? self->protection : PROT_NONE;
  if (request->replaced != NULL) sectile_guard_hold(request->replaced->guarded);
  void *base = place(&source, request, before, mapped, protection);
  if (base == MAP_FAILED) {
    unprepare(self);
    if (request->replaced != NULL) {
      sectile_guard_range as_before = sectile_mapping_guard_range(request->replaced);
      sectile_guard_resume(request->replaced->guarded, &as_before);
    }
    return sectile_fail_errno(env, call, errno);
  }
  if (request->replaced != NULL) sectile_mapping_give_up(request->replaced);
  self->base = (uintptr_t)base;
  if (self->runs != NULL) {
    self->runs[0] = (sectile_page_run){self->base + mapped, self->protection, self->private_copy};
  }
  if (self->commit == SECTILE_COMMITTED_DATA) {
    sectile_advise_huge(base, mapped, false); /* a huge page would commit its neighbours */
  } else if (request->huge) {
    sectile_advise_huge(base, mapped, true);
  }
  napi_value result = sectile_mapping_wrap(env, self);
  if (result != NULL) sectile_mapping_show(self, self->base, self->base + mapped);
  return result;
}

static napi_value map(napi_env env, napi_callback_info info) {
  static const char call[] = "mmap";
  napi_value argument[2];
  int fd;
  map_request request;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !read_request(env, argument[1], call, &request)) {
    return NULL;
  }
  return make(env, call, (map_source){fd, NULL}, &request);
}

static napi_value map_private(napi_env env, napi_callback_info info) {
  static const char call[] = "mmap MAP_ANONYMOUS";
  napi_value argument[1];
  map_request request;
  if (!sectile_arguments(env, info, call, 1, argument) || !read_request(env, argument[0], call, &request)) return NULL;
  if (!request.private_copy || request.commit != SECTILE_COMMITTED_ALL || request.offset != 0) {
    return sectile_fail_argument(env, call, "private memory has neither offset nor commit rule");
  }
  return make(env, call, (map_source){-1, NULL}, &request);
}

static napi_value map_again(napi_env env, napi_callback_info info) {
  static const char call[] = "mremap";
  napi_value argument[3];
  int fd;
  sectile_mapping *source;
  map_request request;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_mapping_read(env, argument[0], call, &source) ||
      !sectile_descriptor_read(env, argument[1], call, "descriptor", &fd) || !read_request(env, argument[2], call, &request)) {
    return NULL;
  }
  if (source->private_copy || source->before != 0 || request.private_copy || source->anonymous ||
      request.page_size != source->page_size || request.offset > source->length ||
      request.length > source->length - request.offset) {
    return sectile_fail_argument(env, call, "the range is not within a whole shared mapping");
  }
  return make(env, call, (map_source){fd, source}, &request);
}

const sectile_export sectile_mapping_exports[] = {
    {"map", map},
    {"mapPrivate", map_private},
    {"mapAgain", map_again},
    {NULL, NULL},
};
