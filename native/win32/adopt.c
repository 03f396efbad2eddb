/*
 * Views that somebody else mapped into this process: found by an address, and guarded from then on as if they were
 * mapped here.
 */
#include "mapping.h"

#include <errno.h>
#include <stdlib.h>

/* What stands at an address; its size is that of all its pages. */
static bool find_view(uintptr_t address, MEMORY_BASIC_INFORMATION *view) {
  MEMORY_BASIC_INFORMATION part;
  if (VirtualQuery((void *)address, view, sizeof *view) == 0 || view->State == MEM_FREE || view->Type != MEM_MAPPED) return false;
  uintptr_t end = (uintptr_t)view->AllocationBase;
  while (VirtualQuery((void *)end, &part, sizeof part) != 0 && part.State != MEM_FREE &&
         part.AllocationBase == view->AllocationBase) {
    end = (uintptr_t)part.BaseAddress + part.RegionSize;
  }
  view->RegionSize = end - (uintptr_t)view->AllocationBase;
  return view->RegionSize != 0;
}

/* (address): a mapping of the whole view, or null where there is none, or it is guarded already. */
static napi_value adopt_view(napi_env env, napi_callback_info info) {
  static const char call[] = "adoptView";
  napi_value argument[1], none;
  uint64_t address;
  MEMORY_BASIC_INFORMATION view;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_address(env, argument[0], call, "address", &address) ||
      napi_get_null(env, &none) != napi_ok) {
    return NULL;
  }
  if (!find_view((uintptr_t)address, &view) || sectile_guard_covers((uintptr_t)view.AllocationBase)) return none;
  sectile_mapping *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, call, ENOMEM);
  *self = (sectile_mapping){
      .guarded = {.base = (uintptr_t)view.AllocationBase, .length = view.RegionSize, .protect = view.AllocationProtect},
      .length = view.RegionSize,
      .users = 1,
      .references = 1,
  };
  sectile_guard_hold();
  bool added = sectile_guard_add(&self->guarded);
  sectile_guard_go_on();
  if (added) return sectile_mapping_wrap(env, self);
  free(self);
  return sectile_fail_errno(env, "AddVectoredExceptionHandler", ENOMEM);
}

/* (): where the views are that this process has, as bigints. */
static napi_value mapped_views(napi_env env, napi_callback_info info) {
  static const char call[] = "mappedViews";
  napi_value result, each;
  if (!sectile_arguments(env, info, call, 0, NULL)) return NULL;
  if (napi_create_array_with_length(env, 0, &result) != napi_ok) return sectile_fail_napi(env, call);
  MEMORY_BASIC_INFORMATION part;
  uint32_t count = 0;
  for (uintptr_t at = 0; VirtualQuery((void *)at, &part, sizeof part) != 0;) {
    at = (uintptr_t)part.BaseAddress + part.RegionSize;
    if (part.State == MEM_FREE || part.Type != MEM_MAPPED || part.BaseAddress != part.AllocationBase) continue;
    if (napi_create_bigint_uint64(env, (uintptr_t)part.BaseAddress, &each) != napi_ok ||
        napi_set_element(env, result, count++, each) != napi_ok) {
      return sectile_fail_napi(env, call);
    }
  }
  return result;
}

const sectile_export sectile_adopt_exports[] = {
    {"adoptView", adopt_view},
    {"mappedViews", mapped_views},
    {NULL, NULL},
};
