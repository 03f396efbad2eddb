/*
 * Security descriptors between SDDL text and the form that the kernel takes.
 */
#include "nt.h"
#include "sectile.h"

#include <sddl.h>
#include <stdlib.h>
#include <string.h>

/* As long as any descriptor can be: an ACL has 16 bits of length, and there are two. */
enum { MOST_BYTES = 0x20000 + 0x200 };

static napi_value bytes_of(napi_env env, const void *data, size_t length) {
  void *room;
  napi_value buffer, array;
  if (napi_create_arraybuffer(env, length, &room, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array) != napi_ok) {
    return sectile_fail_napi(env, "security descriptor");
  }
  memcpy(room, data, length);
  return array;
}

static WCHAR *wide_argument(napi_env env, napi_value value, const char *call) {
  size_t length = 0;
  if (napi_get_value_string_utf16(env, value, NULL, 0, &length) != napi_ok || length > MOST_BYTES) {
    sectile_fail_argument(env, call, "the text must be a string of at most 131584 characters");
    return NULL;
  }
  WCHAR *text = malloc((length + 1) * sizeof *text);
  if (text == NULL || napi_get_value_string_utf16(env, value, (char16_t *)text, length + 1, &length) != napi_ok) {
    free(text);
    sectile_fail_napi(env, call);
    return NULL;
  }
  return text;
}

/* (sddl): the descriptor, self-relative, as a Uint8Array; or the Win32 error. */
static napi_value security_from_text(napi_env env, napi_callback_info info) {
  static const char call[] = "ConvertStringSecurityDescriptorToSecurityDescriptor";
  napi_value argument[1];
  if (!sectile_arguments(env, info, call, 1, argument)) return NULL;
  WCHAR *text = wide_argument(env, argument[0], call);
  if (text == NULL) return NULL;
  PSECURITY_DESCRIPTOR descriptor = NULL;
  BOOL made = ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &descriptor, NULL);
  DWORD error = GetLastError();
  free(text);
  if (!made) return sectile_number(env, error);
  napi_value result = bytes_of(env, descriptor, GetSecurityDescriptorLength(descriptor));
  LocalFree(descriptor);
  return result;
}

/* (descriptor, which parts): SDDL; or the Win32 error. */
static napi_value security_to_text(napi_env env, napi_callback_info info) {
  static const char call[] = "ConvertSecurityDescriptorToStringSecurityDescriptor";
  napi_value argument[2], result;
  uint8_t *bytes;
  size_t length;
  uint32_t parts;
  if (!sectile_arguments(env, info, call, 2, argument) ||
      !sectile_read_bytes(env, argument[0], call, "descriptor", &bytes, &length) ||
      !sectile_read_uint32(env, argument[1], call, "parts", &parts)) {
    return NULL;
  }
  if (!RtlValidRelativeSecurityDescriptor(bytes, (ULONG)length, 0)) {
    return sectile_number(env, ERROR_INVALID_SECURITY_DESCR);
  }
  LPWSTR text = NULL;
  ULONG units = 0;
  if (!ConvertSecurityDescriptorToStringSecurityDescriptorW(bytes, SDDL_REVISION_1, parts, &text, &units)) {
    return sectile_number(env, GetLastError());
  }
  napi_status status = napi_create_string_utf16(env, (const char16_t *)text, NAPI_AUTO_LENGTH, &result);
  LocalFree(text);
  return status == napi_ok ? result : sectile_fail_napi(env, call);
}

const sectile_export sectile_security_exports[] = {
    {"securityFromText", security_from_text},
    {"securityToText", security_to_text},
    {NULL, NULL},
};
