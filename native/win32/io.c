/*
 * Reading, writing, locking and controlling by handles, by those too that were opened for overlapped I/O: each call ends
 * when the request has ended, so that the system never writes to memory that JavaScript has back. Also the form of
 * device control that goes on while JavaScript does something else; it works on copies of its own.
 */
#include "nt.h"
#include "sectile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef enum { READ, WRITE, LOCK, UNLOCK, CONTROL } operation;

typedef struct {
  operation operation;
  HANDLE handle;
  bool positioned; /* at `at`; else at the file's position */
  OVERLAPPED at;
  uint32_t code;  /* of a control request; flags of a lock */
  uint64_t range; /* bytes to lock */
  uint8_t *input, *output;
  uint32_t input_length, output_length;
  DWORD count; /* bytes that were transferred */
  DWORD error;
  NTSTATUS status; /* where there is an error */
} request;

static BOOL begin(request *self) {
  OVERLAPPED *at = self->positioned ? &self->at : NULL;
  DWORD low = (DWORD)self->range, high = (DWORD)(self->range >> 32);
  switch (self->operation) {
    case READ:
      return ReadFile(self->handle, self->output, self->output_length, &self->count, at);
    case WRITE:
      return WriteFile(self->handle, self->input, self->input_length, &self->count, at);
    case LOCK:
      return LockFileEx(self->handle, self->code, 0, low, high, at);
    case UNLOCK:
      return UnlockFileEx(self->handle, 0, low, high, at);
    default:
      return DeviceIoControl(self->handle, self->code, self->input, self->input_length, self->output, self->output_length,
                             &self->count, at);
  }
}

/* Carries it out, on any thread. */
static void carry_out(request *self) {
  if (self->positioned && (self->at.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)) == NULL) {
    self->error = GetLastError();
    self->status = RtlGetLastNtStatus();
    return;
  }
  self->error = begin(self) ? ERROR_SUCCESS : GetLastError();
  if (self->error == ERROR_IO_PENDING && self->positioned) {
    self->error = GetOverlappedResult(self->handle, &self->at, &self->count, TRUE) ? ERROR_SUCCESS : GetLastError();
  }
  if (self->error != ERROR_SUCCESS) self->status = RtlGetLastNtStatus();
  if (self->at.hEvent != NULL) CloseHandle(self->at.hEvent);
}

/* Bytes, or less than 0: the Win32 error. */
static double outcome(const request *self) { return self->error == ERROR_SUCCESS ? (double)self->count : -(double)self->error; }

static bool read_handle(napi_env env, napi_value value, const char *call, HANDLE *handle) {
  int32_t number;
  if (!sectile_read_int32(env, value, call, "handle", &number)) return false;
  *handle = (HANDLE)(intptr_t)number;
  return true;
}

static bool is_null(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && type == napi_null;
}

/* Where in the file: an offset, or null for the file's position. */
static bool read_position(napi_env env, napi_value value, const char *call, request *self, bool may_be_none) {
  uint64_t offset;
  if (may_be_none && is_null(env, value)) return true;
  if (!sectile_read_address(env, value, call, "offset", &offset)) return false;
  self->positioned = true;
  self->at.Offset = (DWORD)offset;
  self->at.OffsetHigh = (DWORD)(offset >> 32);
  return true;
}

/* A Uint8Array, or null for none. */
static bool read_memory(napi_env env, napi_value value, const char *call, uint8_t **bytes, uint32_t *length) {
  size_t size = 0;
  *bytes = NULL;
  *length = 0;
  if (is_null(env, value)) return true;
  if (!sectile_read_bytes(env, value, call, "memory", bytes, &size)) return false;
  if (size <= UINT32_MAX) {
    *length = (uint32_t)size;
    return true;
  }
  sectile_fail_argument(env, call, "memory is longer than 4 GiB");
  return false;
}

static napi_value transfer(napi_env env, napi_callback_info info, const char *call, operation what) {
  napi_value argument[3];
  request self = {.operation = what};
  if (!sectile_arguments(env, info, call, 3, argument) || !read_handle(env, argument[0], call, &self.handle) ||
      !(what == READ ? read_memory(env, argument[1], call, &self.output, &self.output_length)
                     : read_memory(env, argument[1], call, &self.input, &self.input_length)) ||
      !read_position(env, argument[2], call, &self, true)) {
    return NULL;
  }
  carry_out(&self);
  return sectile_number(env, outcome(&self));
}

/* (handle, memory, offset or null): bytes, or minus the error. */
static napi_value file_read(napi_env env, napi_callback_info info) { return transfer(env, info, "ReadFile", READ); }

static napi_value file_write(napi_env env, napi_callback_info info) { return transfer(env, info, "WriteFile", WRITE); }

/* (handle, flags, offset, length): 0, or minus the error. */
static napi_value lock(napi_env env, napi_callback_info info, const char *call, operation what) {
  napi_value argument[4];
  request self = {.operation = what};
  if (!sectile_arguments(env, info, call, 4, argument) || !read_handle(env, argument[0], call, &self.handle) ||
      !sectile_read_uint32(env, argument[1], call, "flags", &self.code) || !read_position(env, argument[2], call, &self, false) ||
      !sectile_read_address(env, argument[3], call, "length", &self.range)) {
    return NULL;
  }
  carry_out(&self);
  return sectile_number(env, outcome(&self));
}

static napi_value file_lock(napi_env env, napi_callback_info info) { return lock(env, info, "LockFileEx", LOCK); }

static napi_value file_unlock(napi_env env, napi_callback_info info) { return lock(env, info, "UnlockFileEx", UNLOCK); }

static const char control_call[] = "DeviceIoControl";

/* (handle, code, input or null, output or null). */
static bool read_control(napi_env env, napi_callback_info info, request *self) {
  napi_value argument[4];
  *self = (request){.operation = CONTROL, .positioned = true};
  return sectile_arguments(env, info, control_call, 4, argument) && read_handle(env, argument[0], control_call, &self->handle) &&
         sectile_read_uint32(env, argument[1], control_call, "code", &self->code) &&
         read_memory(env, argument[2], control_call, &self->input, &self->input_length) &&
         read_memory(env, argument[3], control_call, &self->output, &self->output_length);
}

/* Bytes, or minus the error. */
static napi_value device_control(napi_env env, napi_callback_info info) {
  request self;
  if (!read_control(env, info, &self)) return NULL;
  carry_out(&self);
  return sectile_number(env, outcome(&self));
}

/* ------------------------------------------------------------------------------ meanwhile ---- */

typedef struct {
  request request; /* its memory is its own */
  napi_deferred deferred;
  napi_threadsafe_function done;
  bool alone; /* the environment has ended, and its function with it */
} pending;

/* Of all requests: `alone`, and whether a thread is at work on `done`. */
static SRWLOCK ends = SRWLOCK_INIT;

static void free_pending(pending *self) {
  free(self->request.input);
  free(self->request.output);
  free(self);
}

static DWORD WINAPI work(void *data) {
  pending *self = data;
  carry_out(&self->request);
  AcquireSRWLockExclusive(&ends);
  bool handed_over = false;
  if (!self->alone) {
    napi_threadsafe_function done = self->done;
    handed_over = napi_call_threadsafe_function(done, self, napi_tsfn_nonblocking) == napi_ok;
    napi_release_threadsafe_function(done, napi_tsfn_release);
  }
  ReleaseSRWLockExclusive(&ends);
  if (!handed_over) free_pending(self);
  return 0;
}

/* The environment ends: Node.js takes the function away, whoever still has it. */
static void leave_alone(void *data) {
  pending *self = data;
  AcquireSRWLockExclusive(&ends);
  self->alone = true;
  ReleaseSRWLockExclusive(&ends);
}

/* What came back, or an NTSTATUS. */
static napi_value answer(napi_env env, const request *self) {
  void *room;
  napi_value buffer, array;
  if (self->error != ERROR_SUCCESS) return sectile_number(env, (double)(uint32_t)self->status);
  size_t length = self->count < self->output_length ? self->count : self->output_length;
  if (napi_create_arraybuffer(env, length, &room, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) != napi_ok) {
    return sectile_number(env, (double)(uint32_t)STATUS_NO_MEMORY);
  }
  if (length != 0) memcpy(room, self->output, length);
  return array;
}

static void settle(napi_env env, napi_value callback, void *context, void *data) {
  (void)callback;
  (void)context;
  pending *self = data;
  /* Not before the other thread has let go of the function. */
  AcquireSRWLockExclusive(&ends);
  ReleaseSRWLockExclusive(&ends);
  if (env != NULL) {
    napi_remove_env_cleanup_hook(env, leave_alone, self);
    napi_resolve_deferred(env, self->deferred, answer(env, &self->request));
  }
  free_pending(self);
}

/* The request with memory of its own: that of JavaScript may go while it lasts. */
static pending *own_copy(const request *given) {
  pending *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  self->request = *given;
  self->request.input = malloc(given->input_length + (size_t)1);
  self->request.output = malloc(given->output_length + (size_t)1);
  if (self->request.input == NULL || self->request.output == NULL) {
    free_pending(self);
    return NULL;
  }
  /* A driver may read what it is to write over. */
  if (given->input_length != 0) memcpy(self->request.input, given->input, given->input_length);
  if (given->output_length != 0) memcpy(self->request.output, given->output, given->output_length);
  return self;
}

/* As the other form; a promise of what came back, a Uint8Array, or of the status of its failure. */
static napi_value device_control_async(napi_env env, napi_callback_info info) {
  request given;
  napi_value name, promise;
  if (!read_control(env, info, &given)) return NULL;
  pending *self = own_copy(&given);
  if (self == NULL) return sectile_fail_errno(env, control_call, ENOMEM);
  if (napi_create_string_utf8(env, control_call, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_promise(env, &self->deferred, &promise) != napi_ok ||
      napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, settle, &self->done) != napi_ok) {
    free_pending(self);
    return sectile_fail_napi(env, control_call);
  }
  /* The thread's code must be there when the driver is done, also where the last environment has ended. */
  HMODULE code;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN, (const WCHAR *)(void *)&ends, &code);
  napi_add_env_cleanup_hook(env, leave_alone, self);
  /* Not a thread of the runtime: a driver may take its time. */
  if (QueueUserWorkItem(work, self, WT_EXECUTELONGFUNCTION)) return promise;
  self->request.error = GetLastError();
  self->request.status = STATUS_NO_MEMORY;
  napi_remove_env_cleanup_hook(env, leave_alone, self);
  napi_release_threadsafe_function(self->done, napi_tsfn_abort);
  napi_resolve_deferred(env, self->deferred, answer(env, &self->request));
  free_pending(self);
  return promise;
}

const sectile_export sectile_io_exports[] = {
    {"fileRead", file_read},
    {"fileWrite", file_write},
    {"fileLock", file_lock},
    {"fileUnlock", file_unlock},
    {"deviceControl", device_control},
    {"deviceControlAsync", device_control_async},
    {NULL, NULL},
};
