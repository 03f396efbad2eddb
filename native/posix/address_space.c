/*
 * Which addresses of the process are in use: for finding room between them.
 */
#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double *items; /* start, end and whether a file is behind it, for each range */
  size_t count, capacity;
} range_list;

static bool add(void *data, uintptr_t start, uintptr_t end, bool is_file) {
  range_list *list = data;
  if (list->count + 3 > list->capacity) {
    size_t capacity = list->capacity * 2 + 3 * 256;
    double *items = realloc(list->items, capacity * sizeof *items);
    if (items == NULL) return false;
    list->items = items;
    list->capacity = capacity;
  }
  list->items[list->count++] = (double)start;
  list->items[list->count++] = (double)end;
  list->items[list->count++] = is_file;
  return true;
}

static napi_value address_ranges(napi_env env, napi_callback_info info) {
  static const char call[] = "addressRanges";
  (void)info;
  range_list list = {.items = NULL};
  int error = sectile_address_ranges(add, &list);
  void *memory = NULL;
  napi_value buffer, result = NULL;
  if (error != 0) {
    sectile_fail_errno(env, call, error);
  } else if (napi_create_arraybuffer(env, list.count * sizeof *list.items, &memory, &buffer) != napi_ok ||
             napi_create_typedarray(env, napi_float64_array, list.count, buffer, 0, &result) != napi_ok) {
    sectile_fail_napi(env, call);
  } else if (list.count > 0) {
    memcpy(memory, list.items, list.count * sizeof *list.items);
  }
  free(list.items);
  return result;
}

const sectile_export sectile_address_ranges_exports[] = {{"addressRanges", address_ranges}, {NULL, NULL}};
