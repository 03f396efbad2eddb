/*
 * An addon that is not Sectile's and handles exceptions too, as test/fixtures/stranger.c does with signals: for the
 * tests of the fault guard's manners. It mends faults at one address by going on behind the access, and passes all
 * others on. Also raises what the system raises when a page of a file cannot be read.
 */
#define WIN32_LEAN_AND_MEAN
#include <node_api.h>
#include <stdint.h>
#include <windows.h>

static uintptr_t mine;
static uint32_t mended, passed;

/* int peek_at(const void *): the byte there. */
int peek_at(uintptr_t address);
extern const char peek_access[], peek_behind[];
__asm__(
    ".text\n.globl peek_at\npeek_at:\n.globl peek_access\npeek_access:\nmovzbl (%rcx), %eax\n"
    ".globl peek_behind\npeek_behind:\nret\n");

static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception) {
  const EXCEPTION_RECORD *record = exception->ExceptionRecord;
  if (record->ExceptionCode != EXCEPTION_ACCESS_VIOLATION) return EXCEPTION_CONTINUE_SEARCH;
  if (exception->ContextRecord->Rip == (uintptr_t)peek_access && mine != 0 && record->ExceptionInformation[1] == mine) {
    mended++;
    exception->ContextRecord->Rax = (DWORD64)(int64_t)-1;
    exception->ContextRecord->Rip = (uintptr_t)peek_behind;
    return EXCEPTION_CONTINUE_EXECUTION;
  }
  passed++;
  return EXCEPTION_CONTINUE_SEARCH;
}

static uintptr_t address_of(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  uint64_t address = 0;
  bool lossless;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_bigint_uint64(env, argument, &address, &lossless);
  return (uintptr_t)address;
}

static napi_value peek(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_create_double(env, peek_at(address_of(env, info)), &result);
  return result;
}

static napi_value install(napi_env env, napi_callback_info info) {
  mine = address_of(env, info);
  AddVectoredExceptionHandler(1, on_exception);
  return NULL;
}

static napi_value counts(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result, number;
  napi_create_object(env, &result);
  napi_create_double(env, mended, &number);
  napi_set_named_property(env, result, "mended", number);
  napi_create_double(env, passed, &number);
  napi_set_named_property(env, result, "passed", number);
  return result;
}

static napi_value lose(napi_env env, napi_callback_info info) {
  static const ULONG_PTR disk_gone = 0xC0000185; /* STATUS_IO_DEVICE_ERROR */
  const ULONG_PTR facts[3] = {0, address_of(env, info), disk_gone};
  RaiseException(EXCEPTION_IN_PAGE_ERROR, 0, 3, facts);
  return NULL;
}

__declspec(dllexport) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback callback;
  } functions[] = {{"peek", peek}, {"install", install}, {"counts", counts}, {"lose", lose}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
