/*
 * Tells where those meet who wait for words of a section: by the name that the kernel has for it, by the file behind it, or,
 * where it has neither, by a number that this process alone knows.
 */
#include "mapping.h"
#include "meeting.h"

#include <errno.h>
#include <ntsecapi.h>
#include <stdlib.h>
#include <wchar.h>

enum { NAME_BYTES = 0x10100, NAME_INFORMATION = 1 };

static const napi_type_tag tag = {0x52c9e80d17fa463b, 0x9b06d1f4a87c3e25};

NTSTATUS NTAPI NtQueryObject(HANDLE handle, OBJECT_INFORMATION_CLASS what, PVOID information, ULONG length, PULONG returned);

static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  sectile_meeting_release(data);
}

static napi_value give(napi_env env, const char *call, const WCHAR *identity, size_t units, bool global) {
  sectile_meeting *self = sectile_meeting_of(identity, units, global);
  return self == NULL ? sectile_fail_errno(env, call, ENOMEM) : sectile_wrap(env, self, &tag, finalize);
}

static bool read_handle(napi_env env, napi_callback_info info, const char *call, HANDLE *handle) {
  napi_value argument[1];
  int32_t number;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_int32(env, argument[0], call, "handle", &number)) {
    return false;
  }
  *handle = (HANDLE)(intptr_t)number;
  return true;
}

/* (section): where those meet who know it by its name; null for one without. */
static napi_value meeting_of_section(napi_env env, napi_callback_info info) {
  static const char call[] = "meetingOfSection";
  static const WCHAR machine[] = L"\\BaseNamedObjects\\";
  HANDLE section;
  napi_value none;
  ULONG returned;
  if (!read_handle(env, info, call, &section) || napi_get_null(env, &none) != napi_ok) return NULL;
  UNICODE_STRING *name = malloc(NAME_BYTES);
  if (name == NULL) return sectile_fail_errno(env, call, ENOMEM);
  napi_value result = none;
  if (SECTILE_SUCCESS(NtQueryObject(section, (OBJECT_INFORMATION_CLASS)NAME_INFORMATION, name, NAME_BYTES, &returned)) &&
      name->Length != 0) {
    size_t units = name->Length / sizeof(WCHAR), prefix = sizeof machine / sizeof *machine - 1;
    bool global = units > prefix && wcsncmp(name->Buffer, machine, prefix) == 0;
    result = give(env, call, name->Buffer, units, global);
  }
  free(name);
  return result;
}

/* (file): where those meet who map it; null where it has no number of its own. */
static napi_value meeting_of_file(napi_env env, napi_callback_info info) {
  static const char call[] = "meetingOfFile";
  HANDLE file;
  napi_value none;
  BY_HANDLE_FILE_INFORMATION facts;
  WCHAR identity[64];
  if (!read_handle(env, info, call, &file) || napi_get_null(env, &none) != napi_ok) return NULL;
  if (!GetFileInformationByHandle(file, &facts)) return none;
  int units = _snwprintf(identity, sizeof identity / sizeof *identity, L"file %08lx %08lx%08lx", facts.dwVolumeSerialNumber,
                         facts.nFileIndexHigh, facts.nFileIndexLow);
  return give(env, call, identity, (size_t)units, false);
}

/* (): where nobody meets but views that are given it: those of one section in this process. */
static napi_value meeting_of_own(napi_env env, napi_callback_info info) {
  static const char call[] = "meetingOfOwn";
  uint64_t number[2];
  WCHAR identity[64];
  if (!sectile_arguments(env, info, call, 0, NULL)) return NULL;
  if (!RtlGenRandom(number, sizeof number)) return sectile_fail_errno(env, call, EIO);
  int units = _snwprintf(identity, sizeof identity / sizeof *identity, L"own %016llx%016llx", (unsigned long long)number[0],
                         (unsigned long long)number[1]);
  return give(env, call, identity, (size_t)units, false);
}

/* (mapping, meeting): those who wait for words of the mapping meet there. */
static napi_value mapping_meets(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingMeets";
  napi_value argument[2];
  sectile_mapping *mapping;
  void *meeting;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_mapping_read(env, argument[0], call, &mapping) ||
      !sectile_unwrap(env, argument[1], call, "meeting", &tag, &meeting)) {
    return NULL;
  }
  if (mapping->meeting != NULL) return sectile_fail_argument(env, call, "the mapping has a meeting");
  sectile_meeting_retain(meeting);
  mapping->meeting = meeting;
  return sectile_undefined(env);
}

const sectile_export sectile_meetings_exports[] = {
    {"meetingOfSection", meeting_of_section},
    {"meetingOfFile", meeting_of_file},
    {"meetingOfOwn", meeting_of_own},
    {"mappingMeets", mapping_meets},
    {NULL, NULL},
};
