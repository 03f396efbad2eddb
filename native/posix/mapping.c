/*
 * Mappings: made, read, written, protected, closed. Each is guarded (guard.h) for as long as anybody
 * may hold a pointer into it.
 *
 * A closed mapping gives its memory back at once; its addresses go into quarantine (quarantine.c).
 */
#include "mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Mappings that stand. V8 aborts the process when it finds no room for one of its own, so we stop before. */
static _Atomic int64_t standing;
enum { LEFT_FOR_OTHERS = 4096 };

static int64_t most_mappings(void) {
  static _Atomic int64_t known;
  int64_t most = atomic_load(&known);
  if (most != 0) return most;
  char text[24] = "";
  int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  most = (length > 0 ? strtoll(text, NULL, 10) : 65530) - LEFT_FOR_OTHERS;
  if (most < LEFT_FOR_OTHERS) most = LEFT_FOR_OTHERS;
  atomic_store(&known, most);
  return most;
}

static void forget(sectile_mapping *self) {
  if (atomic_fetch_sub(&self->references, 1) == 1) free(self);
}

void sectile_mapping_retain(sectile_mapping *self) { atomic_fetch_add(&self->users, 1); }

void sectile_mapping_release(sectile_mapping *self) {
  if (atomic_fetch_sub(&self->users, 1) != 1) return;
  if (self->guarded != NULL) sectile_guard_remove(self->guarded);
  munmap((void *)self->base, self->mapped);
  if (!self->retired) atomic_fetch_sub(&standing, 1);
  if (self->fd >= 0) close(self->fd);
  forget(self);
}

/* ------------------------------------------------------------------------------------ mapping ---- */

typedef struct {
  uint64_t offset, length, address, alignment, page_size;
  uint32_t protection;
  bool private_copy, huge;
} map_request;

static bool get(napi_env env, napi_value object, const char *name, napi_value *value) {
  if (napi_get_named_property(env, object, name, value) == napi_ok) return true;
  sectile_fail_napi(env, name);
  return false;
}

/* Below it a mapping would catch the null pointers of other code, which shall go on to fault. */
#define LOWEST_ADDRESS ((uint64_t)0x10000)

static bool power_of_two(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

static bool read_request(napi_env env, napi_value object, const char *call, map_request *request) {
  napi_value value;
  if (!get(env, object, "offset", &value) || !sectile_read_size(env, value, call, "offset", &request->offset) ||
      !get(env, object, "length", &value) || !sectile_read_size(env, value, call, "length", &request->length) ||
      !get(env, object, "protection", &value) || !sectile_read_uint32(env, value, call, "protection", &request->protection) ||
      !get(env, object, "private", &value) || !sectile_read_bool(env, value, call, "private", &request->private_copy) ||
      !get(env, object, "address", &value) || !sectile_read_address(env, value, call, "address", &request->address) ||
      !get(env, object, "alignment", &value) || !sectile_read_size(env, value, call, "alignment", &request->alignment) ||
      !get(env, object, "pageSize", &value) || !sectile_read_size(env, value, call, "pageSize", &request->page_size) ||
      !get(env, object, "advanceHuge", &value) || !sectile_read_bool(env, value, call, "advanceHuge", &request->huge)) {
    return false;
  }
  uint64_t host_page = (uint64_t)sysconf(_SC_PAGESIZE);
  if (request->length == 0 || request->protection > (PROT_READ | PROT_WRITE | PROT_EXEC) || !power_of_two(request->page_size) ||
      request->page_size < host_page || (request->alignment != 0 && !power_of_two(request->alignment))) {
    sectile_fail_argument(env, call, "length, protection, page size or alignment is out of range");
    return false;
  }
  uint64_t before = request->offset & (request->page_size - 1);
  if (request->address != 0 &&
      (((request->address - before) & (request->page_size - 1)) != 0 || request->address < before + LOWEST_ADDRESS)) {
    sectile_fail_argument(env, call, "the address is too low or does not fit the offset");
    return false;
  }
  return true;
}

/* Reserves addresses where a placement is asked for. MAP_FAILED: errno is set. NULL: no wish. */
static void *reserve(const map_request *request, uint64_t before, size_t mapped) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  if (request->address != 0) {
    void *wish = (void *)(uintptr_t)(request->address - before);
    void *got = mmap(wish, mapped, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED && errno == EEXIST && sectile_quarantine_give_up((uintptr_t)wish, mapped)) {
      got = mmap(wish, mapped, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0);
    }
    if (got == MAP_FAILED || got == wish) return got;
    munmap(got, mapped); /* a kernel before 4.17 takes the wish for a hint */
    errno = EEXIST;
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

/* Maps what `fd` names, or again what `source` maps. MAP_FAILED: errno is set. */
static void *place(int fd, const sectile_mapping *source, const map_request *request, uint64_t before, size_t mapped) {
  void *place_at = reserve(request, before, mapped);
  if (place_at == MAP_FAILED) return MAP_FAILED;
  uint64_t from = request->offset - before;
  int protection = (int)request->protection;
  void *base;
  if (source == NULL) {
    int flags = (request->private_copy ? MAP_PRIVATE : MAP_SHARED) | (place_at != NULL ? MAP_FIXED : 0);
    base = mmap(place_at, mapped, protection, flags, fd, (off_t)from);
  } else {
    /* Old size 0 duplicates a shared mapping; the object's seals are not asked again (mremap(2)). */
    void *old = (void *)(source->base + from);
    base = place_at != NULL ? mremap(old, 0, mapped, MREMAP_MAYMOVE | MREMAP_FIXED, place_at)
                            : mremap(old, 0, mapped, MREMAP_MAYMOVE);
    if (base != MAP_FAILED && protection != source->protection && mprotect(base, mapped, protection) != 0) {
      int error = errno;
      munmap(base, mapped);
      errno = error;
      return MAP_FAILED;
    }
  }
  if (base == MAP_FAILED && place_at != NULL) {
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
  forget(self);
}

static napi_value make(napi_env env, const char *call, int fd, const sectile_mapping *source, const map_request *request) {
  uint64_t before = request->offset & (request->page_size - 1);
  uint64_t mapped = (before + request->length + request->page_size - 1) & ~(request->page_size - 1);
  sectile_mapping *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, "malloc", ENOMEM);
  if (atomic_load(&standing) >= most_mappings()) {
    free(self);
    return sectile_fail_errno(env, call, ENOMEM);
  }
  void *base = place(fd, source, request, before, mapped);
  if (base == MAP_FAILED) {
    int error = errno;
    free(self);
    return sectile_fail_errno(env, call, error);
  }
  *self = (sectile_mapping){
      .base = (uintptr_t)base,
      .mapped = mapped,
      .before = before,
      .length = request->length,
      .page_size = request->page_size,
      .protection = (int)request->protection,
      .private_copy = request->private_copy,
      .fd = -1,
      .users = 1,
      .references = 1,
  };
  if (!(request->protection & PROT_WRITE) && fd >= 0) {
    self->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (self->fd < 0) {
      int error = errno;
      sectile_mapping_release(self); /* frees it too: there is no handle yet */
      return sectile_fail_errno(env, "fcntl F_DUPFD_CLOEXEC", error);
    }
  }
  if (request->huge) madvise(base, mapped, MADV_HUGEPAGE); /* a wish */
  self->guarded = sectile_guard_add(&(sectile_guard_range){
      .base = self->base,
      .length = self->mapped,
      .page_size = self->page_size,
      .protection = self->protection,
      .fd = self->fd,
      .offset = (int64_t)(request->offset - before),
  });
  if (self->guarded == NULL) {
    int error = errno;
    sectile_mapping_release(self);
    return sectile_fail_errno(env, "sigaction", error);
  }
  atomic_fetch_add(&self->references, 1); /* the handle's */
  return sectile_wrap(env, self, &sectile_tag_mapping, mapping_finalize);
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
  return make(env, call, fd, NULL, &request);
}

bool sectile_mapping_read(napi_env env, napi_value value, const char *call, sectile_mapping **mapping) {
  void *pointer;
  if (!sectile_unwrap(env, value, call, "mapping", &sectile_tag_mapping, &pointer)) return false;
  *mapping = pointer;
  if (!(*mapping)->closed) return true;
  sectile_fail_errno(env, call, EBADF);
  return false;
}

static napi_value map_again(napi_env env, napi_callback_info info) {
  static const char call[] = "mremap";
  napi_value argument[2];
  sectile_mapping *source;
  map_request request;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_mapping_read(env, argument[0], call, &source) ||
      !read_request(env, argument[1], call, &request)) {
    return NULL;
  }
  if (source->private_copy || source->before != 0 || request.private_copy || request.page_size != source->page_size ||
      request.offset > source->length || request.length > source->length - request.offset) {
    return sectile_fail_argument(env, call, "the range is not within a whole shared mapping");
  }
  return make(env, call, -1, source, &request);
}

/* --------------------------------------------------------------------------------- using one ---- */

static napi_value mapping_address(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingAddress";
  napi_value argument[1], result;
  sectile_mapping *self;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_mapping_read(env, argument[0], call, &self)) return NULL;
  if (napi_create_bigint_uint64(env, self->base + self->before, &result) != napi_ok) return sectile_fail_napi(env, call);
  return result;
}

static void buffer_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  sectile_mapping *self = hint;
  if (self->buffer_uses) sectile_mapping_release(self);
  forget(self);
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
  self->buffer_uses = true;
  napi_status status =
      napi_create_external_arraybuffer(env, (void *)(self->base + self->before), self->length, buffer_finalize, self, &result);
  if (status != napi_ok) {
    buffer_finalize(env, NULL, self);
    self->buffer_uses = false;
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
  if (!out_of_mapping && !(self->protection & PROT_WRITE)) return sectile_fail_errno(env, call, EACCES);
  uint64_t before = sectile_guard_read(self->guarded).count;
  sectile_copy(out_of_mapping ? bytes : memory, out_of_mapping ? memory : bytes, length);
  uint64_t faults = sectile_guard_read(self->guarded).count - before;
  /* Pages that were lost earlier fault no more, but what is copied there is not the section's either. */
  if (faults == 0 && sectile_guard_has_lost(self->guarded, (uintptr_t)memory, length)) faults = 1;
  return sectile_number(env, (double)faults);
}

static napi_value mapping_read(napi_env env, napi_callback_info info) { return transfer(env, info, "mappingRead", true); }

static napi_value mapping_write(napi_env env, napi_callback_info info) { return transfer(env, info, "mappingWrite", false); }

static napi_value mapping_protect(napi_env env, napi_callback_info info) {
  static const char call[] = "mprotect";
  napi_value argument[2];
  sectile_mapping *self;
  uint32_t protection;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_mapping_read(env, argument[0], call, &self) ||
      !sectile_read_uint32(env, argument[1], call, "protection", &protection)) {
    return NULL;
  }
  if (protection > (PROT_READ | PROT_WRITE | PROT_EXEC)) return sectile_fail_argument(env, call, "unknown protection");
  if (mprotect((void *)self->base, self->mapped, (int)protection) != 0) return sectile_fail_errno(env, call, errno);
  self->protection = (int)protection;
  sectile_guard_protect(self->guarded, self->protection);
  return sectile_undefined(env);
}

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

static napi_value mapping_close(napi_env env, napi_callback_info info) {
  static const char call[] = "munmap";
  napi_value argument[1], buffer = NULL;
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "mapping", &sectile_tag_mapping, &pointer)) {
    return NULL;
  }
  sectile_mapping *self = pointer;
  if (atomic_exchange(&self->closed, true)) return sectile_undefined(env);
  self->fault_at_close = sectile_guard_read(self->guarded);
  /* The handle's use goes over to the quarantine. */
  if (self->buffer_uses) {
    bool detached = true;
    if (napi_get_reference_value(env, self->buffer, &buffer) == napi_ok && buffer != NULL &&
        napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && !detached &&
        napi_detach_arraybuffer(env, buffer) == napi_ok) {
      self->buffer_uses = false;
      sectile_mapping_release(self);
    }
    /* Else its memory was moved into another buffer (ArrayBuffer.prototype.transfer): the addresses stay
     * reserved, and show zeros, until that one is collected. */
  }
  if (self->buffer == NULL && atomic_load(&self->users) == 1) {
    sectile_mapping_release(self); /* nobody ever had a pointer into it */
    return sectile_undefined(env);
  }
  if (!sectile_guard_retire(self->guarded)) {
    int error = errno;
    sectile_mapping_release(self);
    return sectile_fail_errno(env, call, error);
  }
  self->retired = true;
  atomic_fetch_sub(&standing, 1);
  if (self->fd >= 0) close(self->fd);
  self->fd = -1;
  sectile_quarantine_add(self);
  return sectile_undefined(env);
}

const sectile_export sectile_mapping_exports[] = {
    {"map", map},
    {"mapAgain", map_again},
    {"mappingAddress", mapping_address},
    {"mappingBuffer", mapping_buffer},
    {"mappingRead", mapping_read},
    {"mappingWrite", mapping_write},
    {"mappingProtect", mapping_protect},
    {"mappingFault", mapping_fault},
    {"mappingClose", mapping_close},
    {NULL, NULL},
};
