/*
 * Descriptors: opened, reopened, read, written, resized and closed. A descriptor is an object of its
 * own in JavaScript, so that it closes once, by name or by the collector, and never by a stale number.
 */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  OPEN_WRITE = 1,
  OPEN_CREATE = 2,
  OPEN_EXCLUSIVE = 4,
  OPEN_NO_FOLLOW = 8,
  OPEN_DIRECTORY = 16,
  OPEN_NON_BLOCKING = 32,
  OPEN_WRITE_ONLY = 64,
  OPEN_PATH_ONLY = 128
};

typedef struct {
  int fd; /* -1 once closed */
} descriptor;

bool sectile_file_size_allowed(uint64_t end) {
  struct rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || end <= limit.rlim_cur;
}

static void descriptor_finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  descriptor *self = data;
  if (self->fd >= 0) sectile_close(self->fd);
  free(self);
}

napi_value sectile_descriptor_wrap(napi_env env, int fd) {
  descriptor *self = malloc(sizeof *self);
  if (self == NULL) {
    sectile_close(fd);
    return sectile_fail_errno(env, "malloc", ENOMEM);
  }
  self->fd = fd;
  return sectile_wrap(env, self, &sectile_tag_descriptor, descriptor_finalize);
}

bool sectile_descriptor_read(napi_env env, napi_value value, const char *call, const char *name, int *fd) {
  void *pointer;
  if (!sectile_unwrap(env, value, call, name, &sectile_tag_descriptor, &pointer)) return false;
  *fd = ((descriptor *)pointer)->fd;
  if (*fd >= 0) return true;
  sectile_fail_errno(env, call, EBADF);
  return false;
}

static napi_value descriptor_open(napi_env env, napi_callback_info info) {
  static const char call[] = "open";
  napi_value argument[3];
  char path[PATH_MAX];
  uint32_t flags, mode;
  if (!sectile_arguments(env, info, call, 3, argument) ||
      !sectile_read_string(env, argument[0], call, "path", path, sizeof path) ||
      !sectile_read_uint32(env, argument[1], call, "flags", &flags) ||
      !sectile_read_uint32(env, argument[2], call, "mode", &mode)) {
    return NULL;
  }
  int how = O_CLOEXEC | O_NOCTTY | (flags & OPEN_WRITE ? O_RDWR : O_RDONLY);
  if (flags & OPEN_CREATE) how |= O_CREAT;
  if (flags & OPEN_EXCLUSIVE) how |= O_EXCL;
  if (flags & OPEN_NO_FOLLOW) how |= O_NOFOLLOW;
  if (flags & OPEN_DIRECTORY) how |= O_DIRECTORY;
  if (flags & OPEN_NON_BLOCKING) how |= O_NONBLOCK; /* a FIFO or a device must not hang the caller */
  if (flags & OPEN_WRITE_ONLY) how = (how & ~O_ACCMODE) | O_WRONLY;
  if (flags & OPEN_PATH_ONLY) how |= sectile_path_only_flags((flags & OPEN_NO_FOLLOW) != 0);
  int fd;
  do {
    fd = open(path, how, mode & 07777);
  } while (fd < 0 && errno == EINTR);
  return fd < 0 ? sectile_fail_errno(env, call, errno) : sectile_descriptor_wrap(env, fd);
}

static napi_value descriptor_reopen(napi_env env, napi_callback_info info) {
  static const char call[] = "open again";
  napi_value argument[2];
  int fd;
  bool write_access;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !sectile_read_bool(env, argument[1], call, "write", &write_access)) {
    return NULL;
  }
  int fresh = sectile_reopen(fd, write_access);
  return fresh < 0 ? sectile_fail_errno(env, call, errno) : sectile_descriptor_wrap(env, fresh);
}

static napi_value descriptor_path(napi_env env, napi_callback_info info) {
  static const char call[] = "descriptorPath";
  napi_value argument[1], result;
  int fd;
  char path[PATH_MAX + sizeof " (deleted)"];
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd)) {
    return NULL;
  }
  int error = sectile_descriptor_path(fd, path, sizeof path);
  if (error != 0) return sectile_fail_errno(env, call, error);
  if (napi_create_string_utf8(env, path, NAPI_AUTO_LENGTH, &result) != napi_ok) return sectile_fail_napi(env, call);
  return result;
}

static napi_value posix_object_open(napi_env env, napi_callback_info info) {
  static const char call[] = "shm_open";
  napi_value argument[2];
  char name[NAME_MAX + 1];
  bool writes;
  if (!sectile_arguments(env, info, call, 2, argument) ||
      !sectile_read_string(env, argument[0], call, "name", name, sizeof name) ||
      !sectile_read_bool(env, argument[1], call, "write", &writes)) {
    return NULL;
  }
  int fd = sectile_posix_object_open(name, writes);
  return fd < 0 ? sectile_fail_errno(env, call, errno) : sectile_descriptor_wrap(env, fd);
}

static napi_value temporary_folder(napi_env env, napi_callback_info info) {
  static const char call[] = "temporaryFolder";
  char path[PATH_MAX];
  napi_value result;
  (void)info;
  if (!sectile_temporary_folder(path, sizeof path)) return sectile_fail_errno(env, call, ENAMETOOLONG);
  if (napi_create_string_utf8(env, path, NAPI_AUTO_LENGTH, &result) != napi_ok) return sectile_fail_napi(env, call);
  return result;
}

static napi_value descriptor_from_number(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_DUPFD_CLOEXEC";
  napi_value argument[1];
  int32_t number;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_int32(env, argument[0], call, "number", &number)) {
    return NULL;
  }
  int fd = sectile_duplicate(number);
  return fd < 0 ? sectile_fail_errno(env, call, errno) : sectile_descriptor_wrap(env, fd);
}

/* Takes the number itself over: the caller has said that nobody else in this process uses it. */
static napi_value descriptor_adopt(napi_env env, napi_callback_info info) {
  static const char call[] = "fcntl F_SETFD";
  napi_value argument[1];
  int32_t number;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_int32(env, argument[0], call, "number", &number)) {
    return NULL;
  }
  if (number < 3) return sectile_fail_argument(env, call, "number must not be a standard stream's");
  int flags = fcntl(number, F_GETFD);
  if (flags < 0 || fcntl(number, F_SETFD, flags | FD_CLOEXEC) != 0) return sectile_fail_errno(env, call, errno);
  return sectile_descriptor_wrap(env, number);
}

static napi_value descriptor_number(napi_env env, napi_callback_info info) {
  static const char call[] = "descriptorNumber";
  napi_value argument[1];
  int fd;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd)) {
    return NULL;
  }
  return sectile_number(env, fd);
}

static napi_value bigint(napi_env env, uint64_t value) {
  napi_value result = NULL;
  napi_create_bigint_uint64(env, value, &result);
  return result;
}

static napi_value descriptor_stat(napi_env env, napi_callback_info info) {
  static const char call[] = "fstat";
  napi_value argument[1], result;
  int fd;
  struct stat facts;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd)) {
    return NULL;
  }
  if (fstat(fd, &facts) != 0) return sectile_fail_errno(env, call, errno);
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return sectile_fail_errno(env, "fcntl F_GETFL", errno);
  bool path_only = sectile_is_path_only(flags);
  int access = flags & O_ACCMODE;
  if (napi_create_object(env, &result) != napi_ok) return sectile_fail_napi(env, call);
  if (!sectile_set(env, result, "device", bigint(env, facts.st_dev)) ||
      !sectile_set(env, result, "inode", bigint(env, facts.st_ino)) ||
      !sectile_set(env, result, "size", sectile_number(env, (double)facts.st_size)) ||
      !sectile_set(env, result, "mode", sectile_number(env, facts.st_mode)) ||
      !sectile_set(env, result, "special", bigint(env, (uint64_t)facts.st_rdev)) ||
      !sectile_set(env, result, "uid", sectile_number(env, facts.st_uid)) ||
      !sectile_set(env, result, "links", sectile_number(env, (double)facts.st_nlink)) ||
      !sectile_set(env, result, "allocated", sectile_number(env, (double)facts.st_blocks * 512)) ||
      !sectile_set(env, result, "readable", sectile_boolean(env, !path_only && access != O_WRONLY)) ||
      !sectile_set(env, result, "writable", sectile_boolean(env, !path_only && access != O_RDONLY))) {
    return NULL;
  }
  return result;
}

static bool read_transfer(napi_env env, napi_callback_info info, const char *call, int *fd, uint8_t **bytes, size_t *length,
                          uint64_t *position) {
  napi_value argument[3];
  return sectile_arguments(env, info, call, 3, argument) && sectile_descriptor_read(env, argument[0], call, "descriptor", fd) &&
         sectile_read_bytes(env, argument[1], call, "bytes", bytes, length) &&
         sectile_read_size(env, argument[2], call, "position", position);
}

static napi_value descriptor_read(napi_env env, napi_callback_info info) {
  static const char call[] = "pread";
  int fd;
  uint8_t *bytes;
  size_t length, done = 0;
  uint64_t position;
  if (!read_transfer(env, info, call, &fd, &bytes, &length, &position)) return NULL;
  while (done < length) {
    ssize_t count = pread(fd, bytes + done, length - done, (off_t)(position + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sectile_fail_errno(env, call, errno);
    if (count == 0) break;
    done += (size_t)count;
  }
  return sectile_number(env, (double)done);
}

static napi_value descriptor_write(napi_env env, napi_callback_info info) {
  static const char call[] = "pwrite";
  int fd;
  uint8_t *bytes;
  size_t length, done = 0;
  uint64_t position;
  if (!read_transfer(env, info, call, &fd, &bytes, &length, &position)) return NULL;
  if (!sectile_file_size_allowed(position + length)) return sectile_fail_errno(env, call, EFBIG);
  while (done < length) {
    ssize_t count = pwrite(fd, bytes + done, length - done, (off_t)(position + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return sectile_fail_errno(env, call, count < 0 ? errno : EIO);
    done += (size_t)count;
  }
  return sectile_undefined(env);
}

static napi_value descriptor_resize(napi_env env, napi_callback_info info) {
  static const char call[] = "ftruncate";
  napi_value argument[2];
  int fd, result;
  uint64_t size;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !sectile_read_size(env, argument[1], call, "size", &size)) {
    return NULL;
  }
  if (!sectile_file_size_allowed(size)) return sectile_fail_errno(env, call, EFBIG);
  do {
    result = ftruncate(fd, (off_t)size);
  } while (result != 0 && errno == EINTR);
  return result != 0 ? sectile_fail_errno(env, call, errno) : sectile_undefined(env);
}

static napi_value descriptor_allocate(napi_env env, napi_callback_info info) {
  static const char call[] = "allocate";
  napi_value argument[3];
  int fd, error;
  uint64_t offset, length;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !sectile_read_size(env, argument[1], call, "offset", &offset) ||
      !sectile_read_size(env, argument[2], call, "length", &length)) {
    return NULL;
  }
  if (length == 0) return sectile_undefined(env);
  if (!sectile_file_size_allowed(offset + length)) return sectile_fail_errno(env, call, EFBIG);
  do {
    error = sectile_allocate(fd, (int64_t)offset, (int64_t)length);
  } while (error == EINTR);
  return error != 0 ? sectile_fail_errno(env, call, error) : sectile_undefined(env);
}

static napi_value descriptor_set_mode(napi_env env, napi_callback_info info) {
  static const char call[] = "fchmod";
  napi_value argument[2];
  int fd;
  uint32_t mode;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_descriptor_read(env, argument[0], call, "descriptor", &fd) ||
      !sectile_read_uint32(env, argument[1], call, "mode", &mode)) {
    return NULL;
  }
  return fchmod(fd, mode & 07777) != 0 ? sectile_fail_errno(env, call, errno) : sectile_undefined(env);
}

static napi_value descriptor_close(napi_env env, napi_callback_info info) {
  static const char call[] = "close";
  napi_value argument[1];
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "descriptor", &sectile_tag_descriptor, &pointer)) {
    return NULL;
  }
  descriptor *self = pointer;
  if (self->fd >= 0) sectile_close(self->fd); /* the number is released whatever close answers */
  self->fd = -1;
  return sectile_undefined(env);
}

/* Hands the number over to somebody who closes it himself, such as the runtime's own streams. */
static napi_value descriptor_release(napi_env env, napi_callback_info info) {
  static const char call[] = "descriptorRelease";
  napi_value argument[1];
  void *pointer;
  if (!sectile_arguments(env, info, call, 1, argument) ||
      !sectile_unwrap(env, argument[0], call, "descriptor", &sectile_tag_descriptor, &pointer)) {
    return NULL;
  }
  descriptor *self = pointer;
  if (self->fd < 0) return sectile_fail_errno(env, call, EBADF);
  napi_value number = sectile_number(env, self->fd);
  if (number == NULL) return NULL;
  sectile_forget(self->fd);
  self->fd = -1;
  return number;
}

/* [reader, writer]: what the reader sees is that the writer has been closed, whoever closed it. */
static napi_value pipe_create(napi_env env, napi_callback_info info) {
  static const char call[] = "pipe";
  int ends[2];
  if (!sectile_arguments(env, info, call, 0, NULL)) return NULL;
  if (sectile_pipe(ends) != 0) return sectile_fail_errno(env, call, errno);
  napi_value reader = sectile_descriptor_wrap(env, ends[0]);
  if (reader == NULL) {
    close(ends[1]);
    return NULL;
  }
  napi_value writer = sectile_descriptor_wrap(env, ends[1]);
  napi_value pair = NULL;
  if (writer == NULL) return NULL; /* the collector closes the reader */
  if (napi_create_array_with_length(env, 2, &pair) != napi_ok || napi_set_element(env, pair, 0, reader) != napi_ok ||
      napi_set_element(env, pair, 1, writer) != napi_ok) {
    return sectile_fail_napi(env, call);
  }
  return pair;
}

const sectile_export sectile_descriptor_exports[] = {
    {"descriptorOpen", descriptor_open},
    {"descriptorReopen", descriptor_reopen},
    {"descriptorAdopt", descriptor_adopt},
    {"descriptorFromNumber", descriptor_from_number},
    {"descriptorNumber", descriptor_number},
    {"descriptorPath", descriptor_path},
    {"descriptorStat", descriptor_stat},
    {"descriptorRead", descriptor_read},
    {"descriptorWrite", descriptor_write},
    {"descriptorResize", descriptor_resize},
    {"descriptorAllocate", descriptor_allocate},
    {"descriptorSetMode", descriptor_set_mode},
    {"descriptorClose", descriptor_close},
    {"descriptorRelease", descriptor_release},
    {"pipeCreate", pipe_create},
    {"posixObjectOpen", posix_object_open},
    {"temporaryFolder", temporary_folder},
    {NULL, NULL},
};
