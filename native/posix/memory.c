/*
 * Anonymous memory objects that only descriptors name: created, committed and sealed.
 */
#include "sectile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { COMMIT_NONE = 0, COMMIT_NOW = 1, COMMIT_NOW_HUGE = 2 };

/* Pages are allocated in steps, so that a signal undoes one step and not all of a large object. */
#define COMMIT_STEP ((uint64_t)64 << 20)

typedef struct {
  char label[200]; /* shown as /memfd:label in /proc; the kernel allows 249 bytes */
  uint64_t size;
  uint32_t commit;
  uint64_t large_page_size;
  int fd; /* the result */
  int error;
  const char *syscall;
  napi_async_work work;
  napi_deferred deferred;
} creation;

static int commit_by_allocation(int fd, uint64_t size) {
  for (uint64_t done = 0; done < size;) {
    uint64_t step = size - done < COMMIT_STEP ? size - done : COMMIT_STEP;
    if (fallocate(fd, 0, (off_t)done, (off_t)step) == 0) {
      done += step;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

/* Huge pages are given to a mapping that asked for them, when it is touched. */
static int commit_by_touch(int fd, uint64_t size) {
  char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return errno;
  madvise(base, size, MADV_HUGEPAGE); /* a wish: ordinary pages do as well */
  int error = 0;
  for (uint64_t done = 0; done < size && error == 0;) {
    uint64_t step = size - done < COMMIT_STEP ? size - done : COMMIT_STEP;
    if (madvise(base + done, step, MADV_POPULATE_WRITE) == 0) {
      done += step;
    } else if (errno != EINTR && errno != EAGAIN) {
      error = errno;
    }
  }
  munmap(base, size);
  /* Kernels before 5.14 do not know the advice. */
  return error == EINVAL ? commit_by_allocation(fd, size) : error;
}

/* Fills in fd, or error and syscall. Runs on any thread: touches no Node-API. */
static void create(creation *self) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (self->large_page_size != 0) {
    flags |= MFD_HUGETLB | ((unsigned)__builtin_ctzll(self->large_page_size) << MFD_HUGE_SHIFT);
  }
  self->syscall = "memfd_create";
  /* Nobody shall execute the object as a program; kernels before 6.3 do not know the flag. */
  int fd = memfd_create(self->label, flags | MFD_NOEXEC_SEAL);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(self->label, flags);
  if (fd < 0) {
    self->error = errno;
    return;
  }
  int result;
  do {
    errno = EFBIG;
    result = sectile_file_size_allowed(self->size) ? ftruncate(fd, (off_t)self->size) : -1;
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    self->error = errno;
    self->syscall = "ftruncate";
  } else if (self->commit != COMMIT_NONE) {
    self->syscall = "fallocate";
    self->error = self->commit == COMMIT_NOW_HUGE ? commit_by_touch(fd, self->size) : commit_by_allocation(fd, self->size);
  }
  if (self->error != 0) {
    close(fd);
  } else {
    self->fd = fd;
  }
}

static bool read_creation(napi_env env, napi_callback_info info, creation *self) {
  static const char call[] = "memfd_create";
  napi_value argument[4];
  *self = (creation){.fd = -1};
  if (!sectile_arguments(env, info, call, 4, argument) ||
      !sectile_read_string(env, argument[0], call, "label", self->label, sizeof self->label) ||
      !sectile_read_size(env, argument[1], call, "size", &self->size) ||
      !sectile_read_uint32(env, argument[2], call, "commit", &self->commit) ||
      !sectile_read_size(env, argument[3], call, "largePageSize", &self->large_page_size)) {
    return false;
  }
  if (self->size == 0 || self->commit > COMMIT_NOW_HUGE || (self->large_page_size & (self->large_page_size - 1)) != 0 ||
      (self->large_page_size != 0 && self->size % self->large_page_size != 0)) {
    sectile_fail_argument(env, call, "size, commit and large page size do not fit together");
    return false;
  }
  return true;
}

static napi_value memory_create(napi_env env, napi_callback_info info) {
  creation self;
  if (!read_creation(env, info, &self)) return NULL;
  create(&self);
  return self.fd < 0 ? sectile_fail_errno(env, self.syscall, self.error) : sectile_descriptor_wrap(env, self.fd);
}

static void create_execute(napi_env env, void *data) {
  (void)env;
  create(data);
}

static void create_complete(napi_env env, napi_status status, void *data) {
  creation *self = data;
  napi_value value = NULL;
  if (status != napi_ok) { /* the environment is going down */
    if (self->fd >= 0) close(self->fd);
  } else if (self->fd >= 0) {
    value = sectile_descriptor_wrap(env, self->fd);
    if (value != NULL) napi_resolve_deferred(env, self->deferred, value);
  } else {
    value = sectile_error_errno(env, self->syscall, self->error);
    if (value != NULL) napi_reject_deferred(env, self->deferred, value);
  }
  napi_delete_async_work(env, self->work);
  free(self);
}

static napi_value memory_create_async(napi_env env, napi_callback_info info) {
  static const char call[] = "memoryCreateAsync";
  creation request;
  if (!read_creation(env, info, &request)) return NULL;
  creation *self = malloc(sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, "malloc", ENOMEM);
  *self = request;
  napi_value name, promise;
  if (napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, create_execute, create_complete, self, &self->work) != napi_ok) {
    free(self);
    return sectile_fail_napi(env, call);
  }
  if (napi_create_promise(env, &self->deferred, &promise) != napi_ok || napi_queue_async_work(env, self->work) != napi_ok) {
    napi_delete_async_work(env, self->work);
    free(self);
    return sectile_fail_napi(env, call);
  }
  return promise;
}

static napi_value memory_seal(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_ADD_SEALS";
  napi_value argument[2];
  int fd;
  uint32_t seals;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !sectile_read_uint32(env, argument[1], call, "seals", &seals)) {
    return NULL;
  }
  const uint32_t known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
  if ((seals & ~known) != 0) return sectile_fail_argument(env, call, "unknown seal");
  return fcntl(fd, F_ADD_SEALS, seals) != 0 ? sectile_fail_errno(env, call, errno) : sectile_undefined(env);
}

static napi_value memory_seals(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_GET_SEALS";
  napi_value argument[1];
  int fd;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd)) {
    return NULL;
  }
  return sectile_number(env, fcntl(fd, F_GET_SEALS)); /* -1: the object knows no seals */
}

const sectile_export sectile_memory_exports[] = {
    {"memoryCreate", memory_create},
    {"memoryCreateAsync", memory_create_async},
    {"memorySeal", memory_seal},
    {"memorySeals", memory_seals},
    {NULL, NULL},
};
