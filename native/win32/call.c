/*
 * Carries out the calls of the table in calls.c: reads the arguments as the table states them, calls, and gives the
 * result back. No rule of any call stands here.
 */
#include "call.h"

#include "extended.h"
#include "nt.h"
#include "sectile.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ARGUMENTS = 13, MOST_CHARACTERS = 0x7fff };

typedef uint64_t (*any_function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                                 uint64_t, uint64_t, uint64_t, uint64_t);

/* A row that this system has. */
typedef struct {
  const sectile_call *row;
  any_function function;
} bound_call;

/* What an argument points to while the call lasts. */
typedef union {
  UNICODE_STRING text;
  SECURITY_ATTRIBUTES security;
  struct {
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
  } object;
} pointed;

typedef struct {
  uint64_t value[MOST_ARGUMENTS];
  pointed room[MOST_ARGUMENTS];
  WCHAR *strings[MOST_ARGUMENTS]; /* freed after the call */
  size_t lengths[MOST_ARGUMENTS]; /* bytes of an array, or elements */
  sectile_extended extended;
  HANDLE *handles; /* freed after the call */
  uint8_t *filled; /* the array of `m`, and what the kernel fills */
  UNICODE_STRING filled_text;
  HANDLE event; /* closed after the call */
  IO_STATUS_BLOCK *io;
} arguments;

/* Of the last call of this thread. */
static _Thread_local DWORD last_error;

static bool is_null(napi_env env, napi_value value) {
  napi_valuetype type;
  return napi_typeof(env, value, &type) == napi_ok && (type == napi_null || type == napi_undefined);
}

/* Copies a string, with a NUL at its end; `units` says how long it is. */
static WCHAR *read_wide(napi_env env, napi_value value, const char *call, size_t *units) {
  size_t length = 0;
  if (napi_get_value_string_utf16(env, value, NULL, 0, &length) != napi_ok || length > MOST_CHARACTERS) {
    sectile_fail_argument(env, call, "a name must be a string of at most 32767 characters");
    return NULL;
  }
  WCHAR *copy = malloc((length + 1) * sizeof *copy);
  if (copy == NULL || napi_get_value_string_utf16(env, value, (char16_t *)copy, length + 1, units) != napi_ok) {
    free(copy);
    sectile_fail_napi(env, call);
    return NULL;
  }
  return copy;
}

static bool read_element(napi_env env, napi_value array, uint32_t index, const char *call, napi_value *element) {
  bool is_array = false;
  if (napi_is_array(env, array, &is_array) == napi_ok && is_array && napi_get_element(env, array, index, element) == napi_ok) {
    return true;
  }
  sectile_fail_argument(env, call, "an argument must be an array");
  return false;
}

static bool read_handle(napi_env env, napi_value value, const char *call, uint64_t *result) {
  int32_t handle;
  if (!sectile_read_int32(env, value, call, "handle", &handle)) return false;
  *result = (uint64_t)(int64_t)handle; /* handles have 32 significant bits, and negative ones are the kernel's */
  return true;
}

/* Handles, in memory that is freed after the call; those of one array, for no call takes two. */
static bool read_handles(napi_env env, napi_value array, const char *call, HANDLE **handles, uint64_t *count) {
  bool is_array = false;
  uint32_t length = 0;
  if (napi_is_array(env, array, &is_array) != napi_ok || !is_array || napi_get_array_length(env, array, &length) != napi_ok ||
      length > MAXIMUM_WAIT_OBJECTS || *handles != NULL) {
    sectile_fail_argument(env, call, "handles must be an array of at most 64");
    return false;
  }
  *handles = calloc(MAXIMUM_WAIT_OBJECTS, sizeof **handles);
  if (*handles == NULL) {
    sectile_fail_napi(env, call);
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    uint64_t handle;
    if (!read_element(env, array, i, call, &element) || !read_handle(env, element, call, &handle)) return false;
    (*handles)[i] = (HANDLE)(uintptr_t)handle;
  }
  *count = length;
  return true;
}

static bool read_number64(napi_env env, napi_value value, const char *call, uint64_t *result) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_number) {
    return sectile_read_size(env, value, call, "a number", result);
  }
  return sectile_read_address(env, value, call, "a number", result);
}

/* A self-relative security descriptor; the kernel checks what it says, its length is checked here. */
static bool read_security(napi_env env, napi_value value, const char *call, void **result) {
  uint8_t *bytes;
  size_t length;
  *result = NULL;
  if (is_null(env, value)) return true;
  if (!sectile_read_bytes(env, value, call, "security descriptor", &bytes, &length)) return false;
  *result = bytes;
  if (RtlValidRelativeSecurityDescriptor(bytes, (ULONG)length, 0)) return true;
  sectile_fail_argument(env, call, "the security descriptor is none");
  return false;
}

static void set_text(UNICODE_STRING *text, WCHAR *characters, size_t units) {
  USHORT bytes = (USHORT)(units * sizeof(WCHAR));
  *text = (UNICODE_STRING){.Length = bytes, .MaximumLength = bytes, .Buffer = characters};
}

static bool read_object_attributes(napi_env env, napi_value value, const char *call, pointed *room, WCHAR **string) {
  napi_value part;
  uint32_t attributes;
  uint64_t root;
  void *security;
  UNICODE_STRING *name = NULL;
  if (!read_element(env, value, 0, call, &part)) return false;
  if (!is_null(env, part)) {
    size_t units;
    *string = read_wide(env, part, call, &units);
    if (*string == NULL) return false;
    name = &room->object.name;
    set_text(name, *string, units);
  }
  if (!read_element(env, value, 1, call, &part) || !sectile_read_uint32(env, part, call, "attributes", &attributes) ||
      !read_element(env, value, 2, call, &part) || !read_handle(env, part, call, &root) ||
      !read_element(env, value, 3, call, &part) || !read_security(env, part, call, &security)) {
    return false;
  }
  room->object.attributes = (OBJECT_ATTRIBUTES){.Length = sizeof(OBJECT_ATTRIBUTES),
                                                .RootDirectory = (HANDLE)(uintptr_t)root,
                                                .ObjectName = name,
                                                .Attributes = attributes,
                                                .SecurityDescriptor = security};
  return true;
}

static bool read_security_attributes(napi_env env, napi_value value, const char *call, SECURITY_ATTRIBUTES *result) {
  napi_value part;
  void *security;
  bool inherit;
  if (!read_element(env, value, 0, call, &part) || !read_security(env, part, call, &security) ||
      !read_element(env, value, 1, call, &part) || !sectile_read_bool(env, part, call, "inherit", &inherit)) {
    return false;
  }
  *result = (SECURITY_ATTRIBUTES){.nLength = sizeof *result, .lpSecurityDescriptor = security, .bInheritHandle = inherit};
  return true;
}

static bool read_structure(napi_env env, napi_value value, const char *call, size_t least, uint64_t *result, size_t *length) {
  uint8_t *bytes;
  if (!sectile_read_bytes(env, value, call, "structure", &bytes, length)) return false;
  *result = (uintptr_t)bytes;
  if (*length >= least) return true;
  sectile_fail_argument(env, call, "a structure is too short");
  return false;
}

/* One argument, of the kind that `word` states. */
static bool read_argument(napi_env env, napi_value value, const char *call, const char *word, arguments *all, size_t index) {
  pointed *room = &all->room[index];
  uint64_t *result = &all->value[index];
  const char *end = word + strcspn(word, " ");
  *result = 0;
  if (end[-1] == '?' && is_null(env, value)) return true;
  switch (*word) {
    case 'u': {
      uint32_t number;
      if (!sectile_read_uint32(env, value, call, "a number", &number)) return false;
      *result = number;
      return true;
    }
    case 'z':
      return read_number64(env, value, call, result);
    case 'h':
      return read_handle(env, value, call, result);
    case 'a':
      return sectile_read_address(env, value, call, "address", result);
    case 'b':
      return read_structure(env, value, call, strtoul(word + 1, NULL, 10), result, &all->lengths[index]);
    case 'i':
      if (!read_structure(env, value, call, sizeof(IO_STATUS_BLOCK), result, &all->lengths[index])) return false;
      all->io = (IO_STATUS_BLOCK *)(uintptr_t)*result;
      return true;
    case 'm': {
      if (!read_structure(env, value, call, sizeof(USHORT), result, &all->lengths[index])) return false;
      size_t bytes = all->lengths[index] - sizeof(USHORT);
      all->filled = (uint8_t *)(uintptr_t)*result;
      all->filled_text = (UNICODE_STRING){.MaximumLength = (USHORT)(bytes < 0xfffe ? bytes : 0xfffe),
                                          .Buffer = (WCHAR *)(uintptr_t)(*result + sizeof(USHORT))};
      *result = (uintptr_t)&all->filled_text;
      return true;
    }
    case 'l':
    case 'c':
      if (!read_number64(env, value, call, result)) return false;
      if (index > 0 && (*word == 'l' ? *result <= all->lengths[index - 1] / (word[1] == '2' ? sizeof(WCHAR) : 1)
                                     : *result == all->lengths[index - 1]))
        return true;
      sectile_fail_argument(env, call, "a length is not that of its array");
      return false;
    case '0':
      return true;
    case 'H': {
      uint64_t count;
      if (!read_handles(env, value, call, &all->handles, &count)) return false;
      *result = (uintptr_t)all->handles;
      if (index > 0) all->value[index - 1] = count;
      return true;
    }
    case 'e':
      all->event = CreateEventW(NULL, TRUE, FALSE, NULL);
      *result = (uintptr_t)all->event;
      if (all->event != NULL) return true;
      sectile_fail_argument(env, call, "there is no event to wait for");
      return false;
    case 'x':
      if (!sectile_read_extended(env, value, call, &all->extended)) return false;
      all->lengths[index] = all->extended.count;
      *result = all->extended.count == 0 ? 0 : (uintptr_t)all->extended.list;
      return true;
    case 'w':
    case 'n': {
      size_t units;
      all->strings[index] = read_wide(env, value, call, &units);
      if (all->strings[index] == NULL) return false;
      set_text(&room->text, all->strings[index], units);
      *result = *word == 'w' ? (uintptr_t)all->strings[index] : (uintptr_t)&room->text;
      return true;
    }
    case 'o':
      *result = (uintptr_t)&room->object.attributes;
      return read_object_attributes(env, value, call, room, &all->strings[index]);
    case 's':
      *result = (uintptr_t)&room->security;
      return read_security_attributes(env, value, call, &room->security);
    default:
      sectile_fail_argument(env, call, "the table of calls is wrong");
      return false;
  }
}

static size_t count_words(const char *words) {
  size_t count = *words != '\0';
  for (; *words != '\0'; words++) count += *words == ' ';
  return count;
}

static napi_value give_back(napi_env env, char returns, uint64_t result) {
  napi_value value = NULL;
  switch (returns) {
    case 'h':
      return sectile_number(env, (double)(int32_t)result);
    case 'p':
      if (napi_create_bigint_uint64(env, result, &value) != napi_ok) return sectile_fail_napi(env, "call");
      return value;
    default:
      return sectile_number(env, (double)(uint32_t)result);
  }
}

/* Waits for a request that is pending, and copies out what cannot be filled in place. */
static uint64_t finish(const arguments *all, uint64_t result) {
  if (all->filled != NULL) memcpy(all->filled, &all->filled_text.Length, sizeof all->filled_text.Length);
  if (all->event == NULL || all->io == NULL || (uint32_t)result != STATUS_PENDING) return result;
  WaitForSingleObject(all->event, INFINITE);
  return (uint32_t)all->io->Status;
}

static napi_value call_system(napi_env env, napi_callback_info info) {
  napi_value given[MOST_ARGUMENTS];
  size_t count = MOST_ARGUMENTS;
  void *data = NULL;
  if (napi_get_cb_info(env, info, &count, given, NULL, &data) != napi_ok) return sectile_fail_napi(env, "call");
  const bound_call *self = data;
  const char *name = self->row->name;
  if (count != count_words(self->row->arguments)) return sectile_fail_argument(env, name, "wrong number of arguments");
  arguments all = {0};
  bool read = true;
  const char *word = self->row->arguments;
  for (size_t i = 0; i < count && read; i++) {
    read = read_argument(env, given[i], name, word, &all, i);
    word += strcspn(word, " ");
    word += *word == ' ';
  }
  napi_value result = NULL;
  if (read) {
    const uint64_t *v = all.value;
    SetLastError(ERROR_SUCCESS);
    uint64_t raw = self->function(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12]);
    raw = finish(&all, raw);
    last_error = GetLastError();
    result = give_back(env, self->row->returns, raw);
  }
  for (size_t i = 0; i < count; i++) free(all.strings[i]);
  free(all.handles);
  if (all.event != NULL) CloseHandle(all.event);
  return result;
}

static napi_value get_last_error(napi_env env, napi_callback_info info) {
  if (!sectile_arguments(env, info, "lastError", 0, NULL)) return NULL;
  return sectile_number(env, last_error);
}

/* Where the memory of a Uint8Array stands: for pointers that the system put into it. */
static napi_value address_of(napi_env env, napi_callback_info info) {
  napi_value argument[1], result;
  uint8_t *bytes;
  size_t length;
  if (!sectile_arguments(env, info, "addressOf", 1, argument) ||
      !sectile_read_bytes(env, argument[0], "addressOf", "structure", &bytes, &length)) {
    return NULL;
  }
  if (napi_create_bigint_uint64(env, (uintptr_t)bytes, &result) != napi_ok) return sectile_fail_napi(env, "addressOf");
  return result;
}

/* The rows that this system has, looked up once in the process. */
static const bound_call *bind_all(size_t *count) {
  static bound_call *bound;
  static size_t bound_count;
  static SRWLOCK lock = SRWLOCK_INIT;
  size_t rows = 0;
  while (sectile_calls[rows].name != NULL) rows++;
  AcquireSRWLockExclusive(&lock);
  if (bound == NULL && (bound = calloc(rows, sizeof *bound)) != NULL) {
    for (size_t i = 0; i < rows; i++) {
      HMODULE library = GetModuleHandleA(sectile_calls[i].library);
      FARPROC found = library == NULL ? NULL : GetProcAddress(library, sectile_calls[i].name);
      if (found != NULL) bound[bound_count++] = (bound_call){&sectile_calls[i], (any_function)(void *)found};
    }
  }
  *count = bound_count;
  ReleaseSRWLockExclusive(&lock);
  return bound;
}

/* An object of functions: each call of the table that this system has, under its name. */
static napi_value system_calls(napi_env env, napi_callback_info info) {
  napi_value result, function;
  size_t count;
  if (!sectile_arguments(env, info, "systemCalls", 0, NULL)) return NULL;
  const bound_call *bound = bind_all(&count);
  if (bound == NULL || napi_create_object(env, &result) != napi_ok) return sectile_fail_napi(env, "systemCalls");
  for (size_t i = 0; i < count; i++) {
    const char *name = bound[i].row->name;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, call_system, (void *)&bound[i], &function) != napi_ok ||
        !sectile_set(env, result, name, function)) {
      return sectile_fail_napi(env, "systemCalls");
    }
  }
  return result;
}

const sectile_export sectile_call_exports[] = {
    {"systemCalls", system_calls},
    {"lastError", get_last_error},
    {"addressOf", address_of},
    {NULL, NULL},
};
