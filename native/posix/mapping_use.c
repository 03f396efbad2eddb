/*
 * What is done with a mapping once it is there: its address, its buffer, checked copies, its faults, and
 * its end. A closed mapping gives its memory back at once; its addresses go into quarantine (quarantine.c).
 */
#include "mapping.h"
#include "words.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

bool sectile_mapping_read(napi_env env, napi_value value, const char *call, sectile_mapping **mapping) {
  void *pointer;
  if (!sectile_unwrap(env, value, call, "mapping", &sectile_tag_mapping, &pointer)) return false;
  *mapping = pointer;
  return sectile_mapping_must_be_open(env, call, *mapping);
}

bool sectile_mapping_must_be_open(napi_env env, const char *call, sectile_mapping *mapping) {
  if (!mapping->closed) return true;
  sectile_fail_errno(env, call, EBADF);
  return false;
}

bool sectile_mapping_is_closed(const sectile_mapping *mapping) { return mapping->closed; }

static napi_value mapping_address(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingAddress";
  napi_value argument[1], result;
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "mapping", &sectile_tag_mapping, &pointer)) {
    return NULL;
  }
  const sectile_mapping *self = pointer; /* may be closed: where it was can still be asked */
  if (napi_create_bigint_uint64(env, self->base + self->before, &result) != napi_ok) return sectile_fail_napi(env, call);
  return result;
}

/* Any thread, and in some runtimes from within napi_detach_arraybuffer. */
static void buffer_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  sectile_mapping *self = hint;
  if (atomic_exchange(&self->buffer_uses, false)) sectile_mapping_release(self);
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
  atomic_fetch_add(&self->references, 1);
  atomic_store(&self->buffer_uses, true);
  napi_status status =
      sectile_external_buffer(env, (void *)(self->base + self->before), self->length, buffer_finalize, self, &result);
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
  uint8_t *memory = (uint8_t *)(self->base + self->before + offset);
  if (!out_of_mapping && self->runs == NULL && !(self->protection & PROT_WRITE)) return sectile_fail_errno(env, call, EACCES);
  uint64_t before = sectile_guard_read(self->guarded).count;
  sectile_copy(out_of_mapping ? bytes : memory, out_of_mapping ? memory : bytes, length);
  uint64_t faults = sectile_guard_read(self->guarded).count - before;
  /* Pages that were lost earlier fault no more, but what is copied there is not the section's either. */
  if (faults == 0 && sectile_guard_has_lost(self->guarded, (uintptr_t)memory, length)) faults = 1;
  return sectile_number(env, (double)faults);
}

static napi_value mapping_read(napi_env env, napi_callback_info info) { return transfer(env, info, "mappingRead", true); }

static napi_value mapping_write(napi_env env, napi_callback_info info) { return transfer(env, info, "mappingWrite", false); }

static napi_value mapping_fault(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingFault";
  static const char *const kinds[] = {"", "write-to-read-only", "no-access", "backing-lost", "hardware"};
  napi_value argument[1], result, kind;
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "mapping", &sectile_tag_mapping, &pointer)) {
    return NULL;
  }
  sectile_mapping *self = pointer; /* may be closed: what happened to it can still be asked */
  sectile_guard_fault fault = self->closed ? self->fault_at_close : sectile_guard_read(self->guarded);
  if (fault.count == 0) {
    napi_get_null(env, &result);
    return result;
  }
  double offset = (double)((int64_t)fault.address - (int64_t)(self->base + self->before));
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

/*
 * Takes the buffer back from JavaScript, so that its memory is nobody's. Where that fails (its memory was moved into
 * another buffer by ArrayBuffer.prototype.transfer; the runtime holds on to it for a call that is under way, and says
 * that all went well) the addresses stay reserved, and show zeros, until the buffer is collected.
 */
static void detach(napi_env env, sectile_mapping *self) {
  napi_value buffer = NULL;
  bool detached = true;
  if (!atomic_load(&self->buffer_uses) || napi_get_reference_value(env, self->buffer, &buffer) != napi_ok || buffer == NULL ||
      napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached ||
      napi_detach_arraybuffer(env, buffer) != napi_ok || napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok ||
      !detached) {
    return;
  }
  if (atomic_exchange(&self->buffer_uses, false)) sectile_mapping_release(self);
}

bool sectile_mapping_begin_close(napi_env env, sectile_mapping *self) {
  if (atomic_exchange(&self->closed, true)) return false;
  self->fault_at_close = sectile_guard_read(self->guarded);
  detach(env, self);
  return true;
}

static napi_value mapping_close(napi_env env, napi_callback_info info) {
  static const char call[] = "munmap";
  napi_value argument[1];
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "mapping", &sectile_tag_mapping, &pointer)) {
    return NULL;
  }
  sectile_mapping *self = pointer;
  if (!sectile_mapping_begin_close(env, self)) return sectile_undefined(env);
  /* The handle's use goes over to the quarantine. */
  if (self->buffer == NULL && atomic_load(&self->users) == 1) {
    sectile_mapping_release(self); /* nobody ever had a pointer into it */
    return sectile_undefined(env);
  }
  if (!sectile_guard_retire(self->guarded)) {
    int error = errno;
    sectile_mapping_release(self);
    return sectile_fail_errno(env, call, error);
  }
  sectile_mapping_retired(self);
  sectile_quarantine_add(self);
  return sectile_undefined(env);
}

const sectile_export sectile_mapping_use_exports[] = {
    {"mappingAddress", mapping_address},
    {"mappingBuffer", mapping_buffer},
    {"mappingRead", mapping_read},
    {"mappingWrite", mapping_write},
    {"mappingFault", mapping_fault},
    {"mappingClose", mapping_close},
    {NULL, NULL},
};
