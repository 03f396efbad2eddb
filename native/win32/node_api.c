/*
 * Node-API on Windows, found at run time. An import would name one file ("node.exe") for good, and the
 * host may be called anything: electron.exe, deno.exe, a program with Node.js inside, a renamed copy.
 * So each function is defined here as a jump through a pointer, and the pointers are filled while the
 * addon is loaded. A call that is missing in the list fails to link; a host that has not all of them is
 * refused by the loader. Nothing but this stands here.
 */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#define NODE_API_FUNCTIONS(X)          \
  X(napi_add_env_cleanup_hook)         \
  X(napi_call_function)                \
  X(napi_call_threadsafe_function)     \
  X(napi_check_object_type_tag)        \
  X(napi_create_array_with_length)     \
  X(napi_create_arraybuffer)           \
  X(napi_create_async_work)            \
  X(napi_create_bigint_uint64)         \
  X(napi_create_double)                \
  X(napi_create_error)                 \
  X(napi_create_external)              \
  X(napi_create_external_arraybuffer)  \
  X(napi_create_function)              \
  X(napi_create_object)                \
  X(napi_create_promise)               \
  X(napi_create_reference)             \
  X(napi_create_string_utf8)           \
  X(napi_create_string_utf16)          \
  X(napi_create_threadsafe_function)   \
  X(napi_create_typedarray)            \
  X(napi_delete_async_work)            \
  X(napi_delete_reference)             \
  X(napi_detach_arraybuffer)           \
  X(napi_fatal_exception)              \
  X(napi_get_and_clear_last_exception) \
  X(napi_get_array_length)             \
  X(napi_get_arraybuffer_info)         \
  X(napi_get_boolean)                  \
  X(napi_get_cb_info)                  \
  X(napi_get_element)                  \
  X(napi_get_last_error_info)          \
  X(napi_get_named_property)           \
  X(napi_get_instance_data)            \
  X(napi_get_null)                     \
  X(napi_get_reference_value)          \
  X(napi_get_typedarray_info)          \
  X(napi_get_undefined)                \
  X(napi_get_value_bigint_uint64)      \
  X(napi_get_value_bool)               \
  X(napi_get_value_double)             \
  X(napi_get_value_external)           \
  X(napi_get_value_string_utf8)        \
  X(napi_get_value_string_utf16)       \
  X(napi_is_array)                     \
  X(napi_is_detached_arraybuffer)      \
  X(napi_is_exception_pending)         \
  X(napi_is_typedarray)                \
  X(napi_queue_async_work)             \
  X(napi_ref_threadsafe_function)      \
  X(napi_reject_deferred)              \
  X(napi_release_threadsafe_function)  \
  X(napi_remove_env_cleanup_hook)      \
  X(napi_resolve_deferred)             \
  X(napi_set_element)                  \
  X(napi_set_instance_data)            \
  X(napi_set_named_property)           \
  X(napi_throw)                        \
  X(napi_throw_error)                  \
  X(napi_throw_type_error)             \
  X(napi_type_tag_object)              \
  X(napi_typeof)                       \
  X(napi_unref_threadsafe_function)

/* The arguments stay where the caller put them: in registers and on the stack. */
#if defined(__x86_64__)
#define JUMP(name) "jmp *at_" #name "(%rip)\n"
#elif defined(__aarch64__)
#define JUMP(name) "adrp x16, at_" #name "; ldr x16, [x16, :lo12:at_" #name "]; br x16\n"
#endif

#define DEFINE(name) \
  FARPROC at_##name; \
  __asm__(".text\n.globl " #name "\n" #name ":\n" JUMP(name));
NODE_API_FUNCTIONS(DEFINE)

static const struct {
  const char *name;
  FARPROC *at;
} functions[] = {
#define ROW(name) {#name, &at_##name},
    NODE_API_FUNCTIONS(ROW)};

static BOOL find_all(HMODULE host) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    *functions[i].at = GetProcAddress(host, functions[i].name);
    if (*functions[i].at == NULL) return FALSE;
  }
  return TRUE;
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self;
  (void)reserved;
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  /* The program itself; else the library that programs with Node.js inside carry. */
  if (find_all(GetModuleHandleW(NULL))) return TRUE;
  HMODULE library = GetModuleHandleW(L"libnode.dll");
  return library != NULL && find_all(library);
}
