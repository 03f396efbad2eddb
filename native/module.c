/*
 * The module's door: exports every entry point under its own name, and the contract number.
 */
#include "registers.h"

static bool export_list(napi_env env, napi_value exports, const sectile_export *list, sectile_instance *instance) {
  for (; list->name != NULL; list++) {
    napi_value function;
    if (napi_create_function(env, list->name, NAPI_AUTO_LENGTH, list->call, instance, &function) != napi_ok ||
        !sectile_set(env, exports, list->name, function)) {
      return false;
    }
  }
  return true;
}

/* Those that are the same on all systems. */
static const sectile_export *const common[] = {sectile_registers_exports, sectile_word_calls_exports, sectile_mutex_exports,
                                               NULL};

NAPI_MODULE_INIT() {
  sectile_instance *instance = sectile_instance_make(env, exports);
  if (instance == NULL) return NULL;
  const sectile_export *const *const all[] = {common, sectile_exports};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    for (const sectile_export *const *list = all[i]; *list != NULL; list++) {
      if (!export_list(env, exports, *list, instance)) return sectile_fail_napi(env, "module");
    }
  }
  if (!sectile_set(env, exports, "contract", sectile_number(env, SECTILE_CONTRACT)) ||
      !sectile_set(env, exports, "pageSize", sectile_number(env, sectile_page_size()))) {
    return NULL;
  }
  return exports;
}
