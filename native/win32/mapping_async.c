/*
 * What is done to a mapping off the JavaScript thread, each as a promise: reading it in and writing it to the disk.
 * Also the blocking form of the latter.
 */
#include "mapping.h"

#include <errno.h>
#include <stdlib.h>

/* Work is done in steps, and a close of the mapping is noticed between two. */
#define STEP ((size_t)32 << 20)
enum { PAGE = 4096 };

typedef enum { PREFETCH, FLUSH } operation;
static const char *const names[] = {"PrefetchVirtualMemory", "FlushViewOfFile"};

typedef struct {
  sectile_mapping *mapping; /* retained */
  operation operation;
  uintptr_t start;
  size_t length;
  int error; /* errno */
  napi_async_work work;
  napi_deferred deferred;
} job;

/* The error numbers that TypeScript knows, for those that these calls can meet. */
static int errno_of(DWORD error) {
  switch (error) {
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_COMMITMENT_LIMIT:
      return ENOMEM;
    case ERROR_ACCESS_DENIED:
      return EACCES;
    case ERROR_DISK_FULL:
      return ENOSPC;
    case ERROR_INVALID_ADDRESS:
    case ERROR_INVALID_PARAMETER:
      return EINVAL;
    default:
      return EIO;
  }
}

/* Touches each page that can be read; the guard stands by for the others. */
static void touch(uintptr_t start, size_t length) {
  MEMORY_BASIC_INFORMATION part;
  for (uintptr_t at = start; at < start + length;) {
    if (VirtualQuery((void *)at, &part, sizeof part) == 0) return;
    uintptr_t end = (uintptr_t)part.BaseAddress + part.RegionSize;
    if (end > start + length) end = start + length;
    bool readable = part.State == MEM_COMMIT && (part.Protect & (PAGE_NOACCESS | PAGE_GUARD)) == 0;
    for (; at < end; at += PAGE) {
      if (readable) (void)*(volatile const unsigned char *)at;
    }
  }
}

/* FlushViewOfFile begins the writing, FlushFileBuffers waits until it is done. */
static int flush_file(const sectile_mapping *mapping) {
  return mapping->file == NULL || FlushFileBuffers(mapping->file) ? 0 : errno_of(GetLastError());
}

static int flush_step(uintptr_t start, size_t length) {
  return FlushViewOfFile((void *)start, length) ? 0 : errno_of(GetLastError());
}

static void execute(napi_env env, void *data) {
  (void)env;
  job *self = data;
  for (size_t done = 0; done < self->length && self->error == 0;) {
    if (self->mapping->closed) {
      self->error = ECANCELED;
      return;
    }
    size_t step = self->length - done < STEP ? self->length - done : STEP;
    if (self->operation == FLUSH) {
      self->error = flush_step(self->start + done, step);
    } else {
      touch(self->start + done, step);
    }
    done += step;
  }
  if (self->operation == FLUSH && self->error == 0) self->error = flush_file(self->mapping);
  if (self->operation == PREFETCH && sectile_guard_has_lost(&self->mapping->guarded)) self->error = EFAULT;
  if (self->error != 0 && self->mapping->closed) self->error = ECANCELED;
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
  free(self);
}

static napi_value begin(napi_env env, sectile_mapping *mapping, operation what, uint64_t offset, uint64_t length) {
  job *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, names[what], ENOMEM);
  uintptr_t from = mapping->guarded.base + mapping->before + offset;
  uintptr_t start = from & ~(uintptr_t)(PAGE - 1);
  *self = (job){.mapping = mapping, .operation = what, .start = start, .length = length == 0 ? 0 : from + length - start};
  napi_value name, promise;
  if (napi_create_string_utf8(env, names[what], NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, execute, complete, self, &self->work) != napi_ok) {
    free(self);
    return sectile_fail_napi(env, names[what]);
  }
  sectile_mapping_retain(mapping);
  if (napi_create_promise(env, &self->deferred, &promise) != napi_ok || napi_queue_async_work(env, self->work) != napi_ok) {
    napi_delete_async_work(env, self->work);
    sectile_mapping_release(mapping);
    free(self);
    return sectile_fail_napi(env, names[what]);
  }
  return promise;
}

static napi_value mapping_prefetch(napi_env env, napi_callback_info info) {
  napi_value argument[2];
  sectile_mapping *mapping;
  bool for_writing; /* the kernel has no such wish: pages are made ready for reading */
  if (!sectile_arguments(env, info, names[PREFETCH], 2, argument) ||
      !sectile_mapping_read(env, argument[0], names[PREFETCH], &mapping) ||
      !sectile_read_bool(env, argument[1], names[PREFETCH], "forWriting", &for_writing)) {
    return NULL;
  }
  return begin(env, mapping, PREFETCH, 0, mapping->length);
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
  uintptr_t from = mapping->guarded.base + mapping->before + offset;
  uintptr_t start = from & ~(uintptr_t)(PAGE - 1);
  int error = length == 0 ? 0 : flush_step(start, (size_t)(from + length - start));
  if (error == 0) error = flush_file(mapping);
  return error == 0 ? sectile_undefined(env) : sectile_fail_errno(env, names[FLUSH], error);
}

const sectile_export sectile_mapping_async_exports[] = {
    {"mappingPrefetch", mapping_prefetch},
    {"mappingFlushAsync", mapping_flush_async},
    {"mappingFlushSync", mapping_flush_sync},
    {NULL, NULL},
};
