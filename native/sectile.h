/*
 * What the native side shares between its files: the failure record, the argument readers and the
 * entry points. Mechanism only: no policy, no names, no rights are decided below this line.
 *
 * Every entry point checks its arguments here although TypeScript has checked them before: a bug
 * above must end in an exception, never in memory.
 */
#ifndef SECTILE_H
#define SECTILE_H

#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TypeScript and native name this number to each other and refuse to work where it differs. */
#define SECTILE_CONTRACT 6

/* Largest object, offset or length that any call takes: 2^46 bytes. */
#define SECTILE_MAX_SIZE ((uint64_t)1 << 46)
/* Up to here each whole number is a double of its own. */
#define SECTILE_MAX_KEY ((uint64_t)1 << 53)

/*
 * What runs for each wait and each wake-up: the linker puts it together, on few pages. When a thread comes back from a switch,
 * each page that it touches is looked up anew.
 */
#define SECTILE_HOT __attribute__((hot))

/* ---- failures: each throws and returns NULL, so that `return sectile_fail(...)` ends a call ---- */

/* Throws an Error with code, errno and syscall of a system call that failed with `error`. */
napi_value sectile_fail_errno(napi_env env, const char *syscall, int error);
/* Throws a TypeError: an argument is not what the contract says. */
napi_value sectile_fail_argument(napi_env env, const char *call, const char *what);
/* Throws for a Node-API call that failed, unless an exception is pending already. */
napi_value sectile_fail_napi(napi_env env, const char *call);
/* An Error object as sectile_fail_errno throws it, for rejecting a promise. */
napi_value sectile_error_errno(napi_env env, const char *syscall, int error);

/* ---- argument readers: false means that an exception is pending ---- */

/* Reads exactly `count` arguments. */
bool sectile_arguments(napi_env env, napi_callback_info info, const char *call, size_t count, napi_value *values);
bool sectile_read_uint32(napi_env env, napi_value value, const char *call, const char *name, uint32_t *result);
bool sectile_read_int32(napi_env env, napi_value value, const char *call, const char *name, int32_t *result);
/* Whether it is a whole number within [minimum, maximum], which are exact as doubles. */
SECTILE_HOT bool sectile_is_whole(napi_env env, double value, const char *call, const char *name, double minimum, double maximum);
/* A byte count: a whole, non-negative number up to SECTILE_MAX_SIZE. */
bool sectile_read_size(napi_env env, napi_value value, const char *call, const char *name, uint64_t *result);
bool sectile_read_address(napi_env env, napi_value value, const char *call, const char *name, uint64_t *result);
/* Milliseconds, a fraction too, or Infinity. */
bool sectile_read_timeout(napi_env env, napi_value value, const char *call, double *milliseconds);
SECTILE_HOT bool sectile_timeout_is_sound(napi_env env, const char *call, double milliseconds);
bool sectile_read_bool(napi_env env, napi_value value, const char *call, const char *name, bool *result);
/* A string without NUL that fits in `capacity` bytes with its terminator. */
bool sectile_read_string(napi_env env, napi_value value, const char *call, const char *name, char *buffer, size_t capacity);
/* The memory of a Uint8Array; it is valid until the call returns to JavaScript. */
bool sectile_read_bytes(napi_env env, napi_value value, const char *call, const char *name, uint8_t **bytes, size_t *length);

/* ---- results ---- */
napi_value sectile_undefined(napi_env env);
napi_value sectile_number(napi_env env, double value);
napi_value sectile_boolean(napi_env env, bool value);
/* object[name] = value; false means that an exception is pending. */
bool sectile_set(napi_env env, napi_value object, const char *name, napi_value value);

/*
 * An ArrayBuffer over memory of ours. Where a build defines NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED there is none, as in
 * runtimes that cage their memory (Electron): napi_no_external_buffers_allowed, and the finalizer is not called.
 */
napi_status sectile_external_buffer(napi_env env, void *memory, size_t length, napi_finalize finalize, void *hint,
                                    napi_value *result);

/*
 * ---- tagged externals: a pointer of one kind is never taken for another ----
 * In one build no two tags end in the same 4 bits.
 */
extern const napi_type_tag sectile_tag_descriptor;
extern const napi_type_tag sectile_tag_mapping;
extern const napi_type_tag sectile_tag_server;
napi_value sectile_wrap(napi_env env, void *pointer, const napi_type_tag *tag, napi_finalize finalize);
/* Whether a pointer, of any value, is one of a kind that was met lately; false may be wrong, and true is not. */
SECTILE_HOT bool sectile_is_known(const void *pointer, const napi_type_tag *tag);
/* As sectile_unwrap, and no exception. */
bool sectile_is(napi_env env, napi_value value, const napi_type_tag *tag, void **pointer);
bool sectile_unwrap(napi_env env, napi_value value, const char *call, const char *name, const napi_type_tag *tag, void **pointer);

/* ---- descriptors ---- */
/* Takes ownership of `fd`; closes it on failure. */
napi_value sectile_descriptor_wrap(napi_env env, int fd);
/* The open descriptor number, or an exception when the value is no descriptor or is closed. */
bool sectile_descriptor_read(napi_env env, napi_value value, const char *call, const char *name, int *fd);

/* Whether the limit of file sizes (RLIMIT_FSIZE) lets an object reach `end`: beyond it the kernel answers with a signal. */
bool sectile_file_size_allowed(uint64_t end);

/* memmove, around the cache where that is faster. */
void sectile_copy(uint8_t *target, const uint8_t *source, size_t length);

/* ---- what each platform's exports.c provides ---- */

/* One list of entry points per file, then NULL; module.c exports them all. */
typedef struct {
  const char *name;
  napi_callback call;
} sectile_export;

extern const sectile_export *const sectile_exports[];
/* Bytes per page. */
double sectile_page_size(void);
/* The symbol of an error number (`ENOSPC`), or "EUNKNOWN"; the numbers that the platform's calls can meet. */
const char *sectile_errno_symbol(int error);

/* Nanoseconds of a clock that goes on evenly; each system's own. */
int64_t sectile_now(void);

/* Those of this folder; each ends with {NULL, NULL}. */
extern const sectile_export sectile_registers_exports[];
extern const sectile_export sectile_word_calls_exports[];
extern const sectile_export sectile_mutex_exports[];

/* Those of posix/. */
extern const sectile_export sectile_descriptor_exports[];
extern const sectile_export sectile_address_ranges_exports[];
extern const sectile_export sectile_memory_exports[];
extern const sectile_export sectile_mapping_exports[];
extern const sectile_export sectile_mapping_use_exports[];
extern const sectile_export sectile_words_exports[];
extern const sectile_export sectile_waits_exports[];
extern const sectile_export sectile_mapping_async_exports[];
extern const sectile_export sectile_pages_exports[];
extern const sectile_export sectile_placeholder_exports[];
extern const sectile_export sectile_guard_exports[];
extern const sectile_export sectile_lock_exports[];
extern const sectile_export sectile_socket_exports[];
extern const sectile_export sectile_server_exports[];
extern const sectile_export sectile_process_exports[];

#endif
