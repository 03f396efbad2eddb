/*
 * The module's door: exports every entry point under its own name, and the contract number.
 */
#include "sectile.h"

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
  for (const sectile_export *const *list = sectile_exports; *list != NULL; list++) {
    if (!export_list(env, exports, *list)) return sectile_fail_napi(env, "module");
  }
  if (!sectile_set(env, exports, "contract", sectile_number(env, SECTILE_CONTRACT)) ||
      !sectile_set(env, exports, "pageSize", sectile_number(env, sectile_page_size()))) {
    return NULL;
  }
  return exports;
}
