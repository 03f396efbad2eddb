/*
 * What is done with a mapping once it is there: its address, its buffer, checked copies, its faults, and its end. A
 * closed view is unmapped at once; its addresses go into quarantine (quarantine.c).
 */
#include "mapping.h"
#include "words.h"

#include <errno.h>

/*
 * Takes the buffer back from JavaScript, so that its memory is nobody's. Where that fails (its memory was moved into
 * another buffer by ArrayBuffer.prototype.transfer; the runtime holds on to it for a call that is under way, and says
 * that all went well) the addresses stay reserved, and show zeros, until the buffer is collected.
 */
static void detach(napi_env env, sectile_mapping *self) {
  napi_value buffer = NULL;
  bool detached = true;
  if (!self->buffer_uses || napi_get_reference_value(env, self->buffer, &buffer) != napi_ok || buffer == NULL ||
      napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached ||
      napi_detach_arraybuffer(env, buffer) != napi_ok || napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok ||
      !detached) {
    return;
  }
  if (InterlockedExchange(&self->buffer_uses, 0)) sectile_mapping_release(self);
}

bool sectile_mapping_of(napi_env env, napi_value value, const char *call, const char *name, sectile_mapping **mapping) {
  void *pointer;
  if (!sectile_unwrap(env, value, call, name, &sectile_tag_mapping, &pointer)) return false;
  *mapping = pointer;
  return true;
}

bool sectile_mapping_read(napi_env env, napi_value value, const char *call, sectile_mapping **mapping) {
  return sectile_mapping_of(env, value, call, "mapping", mapping) && sectile_mapping_must_be_open(env, call, *mapping);
}

bool sectile_mapping_must_be_open(napi_env env, const char *call, sectile_mapping *self) {
  if (!self->closed && self->guarded.state != SECTILE_GUARD_VACATED) return true;
  /* Its addresses may have become somebody else's before it was closed. */
  detach(env, self);
  sectile_fail_errno(env, call, EBADF);
  return false;
}

bool sectile_mapping_is_closed(const sectile_mapping *mapping) { return mapping->closed != 0; }

static uintptr_t start_of(const sectile_mapping *self) { return self->guarded.base + self->before; }

static napi_value mapping_address(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingAddress";
  napi_value argument[1], result;
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_of(env, argument[0], call, "mapping", &self)) {
    return NULL;
  }
  /* May be closed: where it was can still be asked. */
  if (napi_create_bigint_uint64(env, start_of(self), &result) != napi_ok) return sectile_fail_napi(env, call);
  return result;
}

static napi_value mapping_length(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingLength";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  return sectile_number(env, (double)self->length);
}

/* Any thread, and in some runtimes from within napi_detach_arraybuffer. */
static void buffer_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  sectile_mapping *self = hint;
  if (InterlockedExchange(&self->buffer_uses, 0)) sectile_mapping_release(self);
  sectile_mapping_forget(self);
}

static napi_value mapping_buffer(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingBuffer";
  napi_value argument[1], result = NULL;
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  if (self->buffer != NULL) {
    if (napi_get_reference_value(env, self->buffer, &result) != napi_ok) return sectile_fail_napi(env, call);
    /* V8 cannot have two buffers over one address, and the memory of the first may still be alive. */
    return result != NULL ? result : sectile_fail_argument(env, call, "the buffer was collected");
  }
  sectile_mapping_retain(self);
  InterlockedIncrement(&self->references);
  InterlockedExchange(&self->buffer_uses, 1);
  napi_status status = sectile_external_buffer(env, (void *)start_of(self), self->length, buffer_finalize, self, &result);
  if (status != napi_ok) {
    buffer_finalize(env, NULL, self);
    return status == napi_no_external_buffers_allowed ? sectile_fail_errno(env, call, EOPNOTSUPP) : sectile_fail_napi(env, call);
  }
  if (napi_create_reference(env, result, 0, &self->buffer) != napi_ok) return sectile_fail_napi(env, call);
  return result;
}

bool sectile_mapping_range(napi_env env, const napi_value *values, const char *call, const sectile_mapping *self,
                           uint64_t *offset, uint64_t *length) {
  if (!sectile_read_size(env, values[0], call, "offset", offset) || !sectile_read_size(env, values[1], call, "length", length)) {
    return false;
  }
  if (*offset <= self->length && *length <= self->length - *offset) return true;
  sectile_fail_argument(env, call, "the range is outside the mapping");
  return false;
}

static napi_value transfer(napi_env env, napi_callback_info info, const char *call, bool out_of_mapping) {
  napi_value argument[3];
  sectile_mapping *self;
  uint64_t offset;
  uint8_t *bytes;
  size_t length;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_mapping_read(env, argument[0], call, &self) ||
      !sectile_read_size(env, argument[1], call, "offset", &offset) ||
      !sectile_read_bytes(env, argument[2], call, "bytes", &bytes, &length)) {
    return NULL;
  }
  if (offset > self->length || length > self->length - offset) {
    return sectile_fail_argument(env, call, "the range is outside the mapping");
  }
  uint8_t *memory = (uint8_t *)(start_of(self) + offset);
  uint64_t before = sectile_guard_read(&self->guarded).count;
  sectile_copy(out_of_mapping ? bytes : memory, out_of_mapping ? memory : bytes, length);
  uint64_t faults = sectile_guard_read(&self->guarded).count - before;
  /* What was lost earlier faults no more, but what is copied there is not the section's either. */
  if (faults == 0 && sectile_guard_has_lost(&self->guarded)) faults = 1;
  return sectile_number(env, (double)faults);
}

static napi_value mapping_read(napi_env env, napi_callback_info info) { return transfer(env, info, "mappingRead", true); }

static napi_value mapping_write(napi_env env, napi_callback_info info) { return transfer(env, info, "mappingWrite", false); }

static napi_value mapping_fault(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingFault";
  static const char *const kinds[] = {"", "write-to-read-only", "no-access", "backing-lost", "hardware"};
  napi_value argument[1], result, kind;
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_of(env, argument[0], call, "mapping", &self)) {
    return NULL;
  }
  /* May be closed: what happened to it can still be asked. */
  sectile_guard_fault fault = sectile_guard_read(&self->guarded);
  if (fault.count == 0) {
    napi_get_null(env, &result);
    return result;
  }
  double offset = (double)((int64_t)fault.address - (int64_t)start_of(self));
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_string_utf8(env, kinds[fault.kind], NAPI_AUTO_LENGTH, &kind) != napi_ok) {
    return sectile_fail_napi(env, call);
  }
  if (!sectile_set(env, result, "kind", kind) || !sectile_set(env, result, "offset", sectile_number(env, offset)) ||
      !sectile_set(env, result, "count", sectile_number(env, (double)fault.count))) {
    return NULL;
  }
  return result;
}

/* (mapping, file): flushes of the mapping wait until that file is on the disk. */
static napi_value mapping_flushes_file(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingFlushesFile";
  napi_value argument[2];
  sectile_mapping *self;
  int32_t file;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_mapping_read(env, argument[0], call, &self) ||
      !sectile_read_int32(env, argument[1], call, "file", &file)) {
    return NULL;
  }
  HANDLE process = GetCurrentProcess();
  if (self->file != NULL) return sectile_fail_argument(env, call, "it has a file");
  if (!DuplicateHandle(process, (HANDLE)(intptr_t)file, process, &self->file, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
    self->file = NULL;
    return sectile_fail_errno(env, call, EBADF);
  }
  return sectile_undefined(env);
}

/* The program is about to change protections of single pages. */
static napi_value mapping_pages_differ(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingPagesDiffer";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  sectile_guard_pages_differ(&self->guarded);
  return sectile_undefined(env);
}

/* (mapping): where it was, when nothing but its handle is left, which can be mapped into anew; else undefined. */
static napi_value mapping_close(napi_env env, napi_callback_info info) {
  static const char call[] = "NtUnmapViewOfSection";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_of(env, argument[0], call, "mapping", &self)) {
    return NULL;
  }
  if (InterlockedExchange(&self->closed, 1) != 0) return sectile_undefined(env);
  detach(env, self);
  /* Where nobody ever had a pointer into it, or its addresses cannot be kept, it ends here. */
  if (self->buffer == NULL && self->users == 1) {
    sectile_mapping_release(self);
    bool harmless = self->guarded.fault.count == 0; /* whoever asks for its fault later is told */
    return self->references == 1 && harmless ? sectile_number(env, (double)start_of(self)) : sectile_undefined(env);
  }
  if (!sectile_guard_retire(&self->guarded)) {
    sectile_mapping_release(self);
    return sectile_undefined(env);
  }
  sectile_quarantine_add(self); /* the handle's use goes over to the quarantine */
  return sectile_undefined(env);
}

/* (mapping): the handle on the section that the guard has, or 0: a closed one has none. */
static napi_value mapping_section(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingSection";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_of(env, argument[0], call, "mapping", &self)) {
    return NULL;
  }
  return sectile_number(env, self->closed ? 0 : (double)(int32_t)(intptr_t)self->guarded.section);
}

static napi_value mapping_let_go(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingLetGo";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  sectile_guard_let_go(&self->guarded);
  return sectile_undefined(env);
}

/* (mapping): closes it and leaves the placeholder whose place it took. An NTSTATUS: on failure it is open. */
static napi_value mapping_vacate(napi_env env, napi_callback_info info) {
  static const char call[] = "NtUnmapViewOfSectionEx";
  napi_value argument[1];
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  /* The handle and the buffer are users; whoever else is, is at work on it. */
  if (self->users > 1 + (self->buffer_uses ? 1 : 0)) return sectile_number(env, (double)(uint32_t)SECTILE_SHARING_VIOLATION);
  NTSTATUS status = sectile_guard_vacate(&self->guarded);
  if (SECTILE_SUCCESS(status)) {
    InterlockedExchange(&self->closed, 1);
    detach(env, self);
    sectile_mapping_release(self);
  }
  return sectile_number(env, (double)(uint32_t)status);
}

const sectile_export sectile_mapping_use_exports[] = {
    {"mappingAddress", mapping_address},
    {"mappingLength", mapping_length},
    {"mappingBuffer", mapping_buffer},
    {"mappingRead", mapping_read},
    {"mappingWrite", mapping_write},
    {"mappingFault", mapping_fault},
    {"mappingFlushesFile", mapping_flushes_file},
    {"mappingPagesDiffer", mapping_pages_differ},
    {"mappingClose", mapping_close},
    {"mappingSection", mapping_section},
    {"mappingLetGo", mapping_let_go},
    {"mappingVacate", mapping_vacate},
    {NULL, NULL},
};
