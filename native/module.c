/*
 * The module's door: exports every entry point under its own name, and the contract number.
 */
#include "sectile.h"

#include <unistd.h>

static const sectile_export *const lists[] = {
    sectile_descriptor_exports,    sectile_memory_exports, sectile_mapping_exports,     sectile_mapping_use_exports,
    sectile_mapping_async_exports, sectile_pages_exports,  sectile_placeholder_exports, sectile_guard_exports,
    sectile_lock_exports,          sectile_socket_exports, sectile_server_exports,      sectile_process_exports,
};

static bool export_list(napi_env env, napi_value exports, const sectile_export *list) {
  for (; list->name != NULL; list++) {
    napi_value function;
    if (napi_create_function(env, list->name, NAPI_AUTO_LENGTH, list->call, NULL, &function) != napi_ok ||
        !sectile_set(env, exports, list->name, function)) {
      return false;
    }
  }
  return true;
}

NAPI_MODULE_INIT() {
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    if (!export_list(env, exports, lists[i])) return sectile_fail_napi(env, "module");
  }
  if (!sectile_set(env, exports, "contract", sectile_number(env, SECTILE_CONTRACT)) ||
      !sectile_set(env, exports, "pageSize", sectile_number(env, (double)sysconf(_SC_PAGESIZE)))) {
    return NULL;
  }
  return exports;
}
