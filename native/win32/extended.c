/*
 * Reads extended parameters: see extended.h.
 */
#include "extended.h"

static bool is_array_of(napi_env env, napi_value value, uint32_t least, uint32_t most, uint32_t *length) {
  bool is_array = false;
  return napi_is_array(env, value, &is_array) == napi_ok && is_array && napi_get_array_length(env, value, length) == napi_ok &&
         *length >= least && *length <= most;
}

static bool read_element(napi_env env, napi_value array, uint32_t index, const char *call, uint64_t *result) {
  napi_value element;
  if (napi_get_element(env, array, index, &element) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  return sectile_read_address(env, element, call, "an extended parameter", result);
}

/* One [type, value]. */
static bool read_parameter(napi_env env, napi_value pair, const char *call, MEM_EXTENDED_PARAMETER *parameter,
                           MEM_ADDRESS_REQUIREMENTS *requirements) {
  napi_value type_value, value;
  uint32_t two, three, type;
  if (!is_array_of(env, pair, 2, 2, &two) || napi_get_element(env, pair, 0, &type_value) != napi_ok ||
      napi_get_element(env, pair, 1, &value) != napi_ok) {
    sectile_fail_argument(env, call, "an extended parameter must be [type, value]");
    return false;
  }
  if (!sectile_read_uint32(env, type_value, call, "type", &type)) return false;
  parameter->Type = type & 0xff;
  if (!is_array_of(env, value, 3, 3, &three)) return sectile_read_address(env, value, call, "value", &parameter->ULong64);
  uint64_t lowest, highest, alignment;
  if (!read_element(env, value, 0, call, &lowest) || !read_element(env, value, 1, call, &highest) ||
      !read_element(env, value, 2, call, &alignment)) {
    return false;
  }
  *requirements = (MEM_ADDRESS_REQUIREMENTS){.LowestStartingAddress = (PVOID)(uintptr_t)lowest,
                                             .HighestEndingAddress = (PVOID)(uintptr_t)highest,
                                             .Alignment = (SIZE_T)alignment};
  parameter->Pointer = requirements;
  return true;
}

bool sectile_read_extended(napi_env env, napi_value value, const char *call, sectile_extended *result) {
  napi_valuetype type;
  *result = (sectile_extended){0};
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_null) return true;
  if (!is_array_of(env, value, 0, SECTILE_MOST_EXTENDED, &result->count)) {
    sectile_fail_argument(env, call, "extended parameters must be an array of at most 8");
    return false;
  }
  for (uint32_t i = 0; i < result->count; i++) {
    napi_value pair;
    if (napi_get_element(env, value, i, &pair) != napi_ok) {
      sectile_fail_napi(env, call);
      return false;
    }
    if (!read_parameter(env, pair, call, &result->list[i], &result->requirements[i])) return false;
  }
  return true;
}
