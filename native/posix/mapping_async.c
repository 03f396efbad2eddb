/*
 * What is done to a mapping off the JavaScript thread, each as a promise: reading it in and writing it
 * to the disk. Also the blocking form of the latter.
 */
#include "mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Work is done in steps, and a close of the mapping is noticed between two. */
#define STEP ((size_t)32 << 20)

typedef enum { PREFETCH, PREFETCH_FOR_WRITING, FLUSH } operation;
static const char *const names[] = {"madvise MADV_POPULATE_READ", "madvise MADV_POPULATE_WRITE", "msync"};

typedef struct {
  sectile_mapping *mapping; /* retained */
  operation operation;
  sectile_stretch *parts; /* of whole pages */
  size_t part_count;
  bool differ; /* its pages may change meanwhile: what cannot be read in then is left out */
  int error;
  napi_async_work work;
  napi_deferred deferred;
} job;

/* Where the system has no call for it: touches each page; the guard stands by. */
static void touch(uintptr_t start, size_t length, size_t page_size) {
  for (size_t done = 0; done < length; done += page_size) {
    (void)*(volatile const unsigned char *)(start + done);
  }
}

static int run_step(const job *self, uintptr_t start, size_t length) {
  if (self->operation == FLUSH) return msync((void *)start, length, MS_SYNC) == 0 ? 0 : errno;
  int error = sectile_populate((void *)start, length, self->operation == PREFETCH_FOR_WRITING);
  if (error != EINVAL) return error;
  if (self->differ) return 0;
  uint64_t faults = sectile_guard_read(self->mapping->guarded).count;
  touch(start, length, self->mapping->page_size);
  return sectile_guard_read(self->mapping->guarded).count == faults ? 0 : EFAULT;
}

static void run_part(job *self, const sectile_stretch *part) {
  for (size_t done = 0; done < part->length && self->error == 0;) {
    if (self->mapping->closed) {
      self->error = ECANCELED;
      return;
    }
    size_t step = part->length - done < STEP ? part->length - done : STEP;
    int error = run_step(self, part->start + done, step);
    if (error == EINTR || error == EAGAIN) continue;
    self->error = error;
    done += step;
  }
}

static void execute(napi_env env, void *data) {
  (void)env;
  job *self = data;
  for (size_t i = 0; i < self->part_count && self->error == 0; i++) run_part(self, &self->parts[i]);
  if (self->error != 0 && self->mapping->closed) self->error = ECANCELED;
}

static void dispose(job *self) {
  free(self->parts);
  free(self);
}

static void complete(napi_env env, napi_status status, void *data) {
  job *self = data;
  if (status == napi_ok) {
    napi_value value = self->error == 0 ? sectile_undefined(env) : sectile_error_errno(env, names[self->operation], self->error);
    if (value != NULL && self->error == 0) napi_resolve_deferred(env, self->deferred, value);
    if (value != NULL && self->error != 0) napi_reject_deferred(env, self->deferred, value);
  }
  napi_delete_async_work(env, self->work);
  sectile_mapping_release(self->mapping);
  dispose(self);
}

static napi_value begin(napi_env env, sectile_mapping *mapping, operation what, uint64_t offset, uint64_t length) {
  job *self = calloc(1, sizeof *self);
  bool differ = mapping->runs != NULL && what != FLUSH;
  sectile_stretch *parts = calloc(differ ? SECTILE_MOST_STRETCHES : 1, sizeof *parts);
  if (self == NULL || parts == NULL) {
    free(self);
    free(parts);
    return sectile_fail_errno(env, "malloc", ENOMEM);
  }
  uintptr_t first = mapping->base + mapping->before + offset;
  uintptr_t start = first & ~(uintptr_t)(mapping->page_size - 1);
  uintptr_t end = (first + length + mapping->page_size - 1) & ~(uintptr_t)(mapping->page_size - 1);
  size_t count = length == 0 ? 0 : 1;
  if (differ) {
    count = sectile_mapping_stretches(mapping, start, end, parts, SECTILE_MOST_STRETCHES);
  } else {
    parts[0] = (sectile_stretch){start, end - start, PROT_READ};
  }
  *self = (job){.mapping = mapping, .operation = what, .parts = parts, .part_count = count, .differ = differ};
  napi_value name, promise;
  if (napi_create_string_utf8(env, names[what], NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, execute, complete, self, &self->work) != napi_ok) {
    dispose(self);
    return sectile_fail_napi(env, names[what]);
  }
  sectile_mapping_retain(mapping);
  if (napi_create_promise(env, &self->deferred, &promise) != napi_ok || napi_queue_async_work(env, self->work) != napi_ok) {
    napi_delete_async_work(env, self->work);
    sectile_mapping_release(mapping);
    dispose(self);
    return sectile_fail_napi(env, names[what]);
  }
  return promise;
}

static napi_value mapping_prefetch(napi_env env, napi_callback_info info) {
  napi_value argument[2];
  sectile_mapping *mapping;
  bool for_writing;
  if (!sectile_arguments(env, info, names[PREFETCH], 2, argument) ||
      !sectile_mapping_read(env, argument[0], names[PREFETCH], &mapping) ||
      !sectile_read_bool(env, argument[1], names[PREFETCH], "forWriting", &for_writing)) {
    return NULL;
  }
  return begin(env, mapping, for_writing ? PREFETCH_FOR_WRITING : PREFETCH, 0, mapping->length);
}

static bool read_flush(napi_env env, napi_callback_info info, sectile_mapping **mapping, uint64_t *offset, uint64_t *length) {
  napi_value argument[3];
  return sectile_arguments(env, info, names[FLUSH], 3, argument) &&
         sectile_mapping_read(env, argument[0], names[FLUSH], mapping) &&
         sectile_mapping_range(env, argument + 1, names[FLUSH], *mapping, offset, length);
}

static napi_value mapping_flush_async(napi_env env, napi_callback_info info) {
  sectile_mapping *mapping;
  uint64_t offset, length;
  if (!read_flush(env, info, &mapping, &offset, &length)) return NULL;
  return begin(env, mapping, FLUSH, offset, length);
}

static napi_value mapping_flush_sync(napi_env env, napi_callback_info info) {
  sectile_mapping *mapping;
  uint64_t offset, length;
  if (!read_flush(env, info, &mapping, &offset, &length)) return NULL;
  uintptr_t first = mapping->base + mapping->before + offset;
  uintptr_t start = first & ~(uintptr_t)(mapping->page_size - 1);
  if (length != 0 && msync((void *)start, (size_t)(first + length - start), MS_SYNC) != 0) {
    return sectile_fail_errno(env, names[FLUSH], errno);
  }
  return sectile_undefined(env);
}

const sectile_export sectile_mapping_async_exports[] = {
    {"mappingPrefetch", mapping_prefetch},
    {"mappingFlushAsync", mapping_flush_async},
    {"mappingFlushSync", mapping_flush_sync},
    {NULL, NULL},
};
