/*
 * Views of sections are mapped here. Rules are the kernel's: what it answers comes back as it is, as an NTSTATUS.
 */
#include "mapping.h"
#include "extended.h"
#include "meeting.h"

#include <errno.h>
#include <stdlib.h>

/* Views start at multiples of this: the kernel's allocation granularity. */
enum { GRANULARITY = 0x10000 };

/* How a view is asked for. */
enum {
  EXACT = 1,           /* offset, address and length go to the kernel as they are */
  COMMIT_ON_TOUCH = 2, /* reserved pages are committed by the first access */
};

void sectile_mapping_forget(sectile_mapping *self) {
  if (InterlockedDecrement(&self->references) == 0) free(self);
}

void sectile_mapping_retain(sectile_mapping *self) { InterlockedIncrement(&self->users); }

void sectile_mapping_release(sectile_mapping *self) {
  if (InterlockedDecrement(&self->users) != 0) return;
  sectile_guard_end(&self->guarded);
  if (self->guarded.section != NULL) CloseHandle(self->guarded.section);
  if (self->file != NULL) CloseHandle(self->file);
  if (self->meeting != NULL) sectile_meeting_release(self->meeting);
  sectile_mapping_forget(self);
}

static void finalize(napi_env env, void *data, void *hint) {
  (void)hint;
  sectile_mapping *self = data;
  if (self->buffer != NULL) napi_delete_reference(env, self->buffer);
  self->buffer = NULL;
  /* Collected without a close: nobody reaches it any more, so nobody can be at work on it either. */
  if (!self->closed) sectile_mapping_release(self);
  sectile_mapping_forget(self);
}

napi_value sectile_mapping_wrap(napi_env env, sectile_mapping *self) {
  InterlockedIncrement(&self->references); /* the handle's */
  return sectile_wrap(env, self, &sectile_tag_mapping, finalize);
}

typedef struct {
  HANDLE section;
  uint64_t offset, length, address, zero_bits, commit_size;
  uint32_t protect, allocation_type, flags, inherit;
  bool is_extended;
  sectile_extended extended;
  sectile_mapping *into; /* NULL, or a closed mapping of which only the handle is left */
} request;

/* A number of bytes, or any 64 bits as a bigint. */
static bool read_word(napi_env env, napi_value value, const char *call, const char *name, uint64_t *result) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) return sectile_read_address(env, value, call, name, result);
  if (!(number >= 0 && number <= (double)SECTILE_MAX_SIZE)) return sectile_read_size(env, value, call, name, result);
  *result = (uint64_t)number;
  return (double)*result == number || sectile_read_size(env, value, call, name, result);
}

static bool read_into(napi_env env, napi_value value, const char *call, sectile_mapping **into) {
  void *pointer;
  napi_valuetype type;
  /* What is mapped into anew comes first, as it does nearly always: each other question costs time. */
  if (sectile_is(env, value, &sectile_tag_mapping, &pointer)) {
    *into = pointer;
    if ((*into)->closed && (*into)->references == 1 && (*into)->buffer == NULL) return true;
  } else {
    *into = NULL;
    if (napi_typeof(env, value, &type) == napi_ok && type == napi_null) return true;
  }
  sectile_fail_argument(env, call, "into is no mapping that is closed and nobody's");
  return false;
}

/* Those that a call has, and those that only some have, which are zeros else: reading takes time. */
enum { FEWEST = 8, MOST = 12 };

static bool read_rest(napi_env env, const napi_value *argument, const char *call, request *self) {
  napi_valuetype type;
  self->is_extended = napi_typeof(env, argument[3], &type) == napi_ok && type != napi_null;
  return sectile_read_address(env, argument[0], call, "address", &self->address) &&
         sectile_read_address(env, argument[1], call, "zeroBits", &self->zero_bits) &&
         sectile_read_address(env, argument[2], call, "commitSize", &self->commit_size) &&
         sectile_read_extended(env, argument[3], call, &self->extended);
}

static bool read_request(napi_env env, napi_callback_info info, const char *call, request *self) {
  napi_value argument[MOST];
  size_t given = MOST;
  int32_t section;
  if (napi_get_cb_info(env, info, &given, argument, NULL, NULL) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  if (given != FEWEST && given != MOST) {
    sectile_fail_argument(env, call, "wrong number of arguments");
    return false;
  }
  if (!sectile_read_int32(env, argument[0], call, "section", &section) ||
      !read_word(env, argument[1], call, "offset", &self->offset) ||
      !read_word(env, argument[2], call, "length", &self->length) ||
      !sectile_read_uint32(env, argument[3], call, "protect", &self->protect) ||
      !sectile_read_uint32(env, argument[4], call, "allocationType", &self->allocation_type) ||
      !sectile_read_uint32(env, argument[5], call, "flags", &self->flags) ||
      !sectile_read_uint32(env, argument[6], call, "inherit", &self->inherit) ||
      !read_into(env, argument[7], call, &self->into) || (given == MOST && !read_rest(env, argument + FEWEST, call, self))) {
    return false;
  }
  self->section = (HANDLE)(intptr_t)section;
  if (self->flags > (EXACT | COMMIT_ON_TOUCH)) {
    sectile_fail_argument(env, call, "flags are out of range");
    return false;
  }
  /* Only what goes to the kernel as it is may be anything: to the rest something is added. */
  if ((self->flags & EXACT) != 0) return true;
  if (self->offset <= SECTILE_MAX_SIZE && self->length <= SECTILE_MAX_SIZE &&
      (self->address == 0 || self->address >= (self->offset & (GRANULARITY - 1)))) {
    return true;
  }
  sectile_fail_argument(env, call, "offset, length or address are out of range");
  return false;
}

/*
 * Only what may differ from the section later needs it: a view that can be written to has no copies to take back, unless
 * it reaches beyond its section.
 */
static HANDLE keep_section(const request *wish) {
  HANDLE kept = NULL;
  if (wish->protect == PAGE_WRITECOPY) return NULL;
  if (wish->protect == PAGE_READWRITE && (wish->allocation_type & MEM_RESERVE) == 0) return NULL;
  HANDLE process = GetCurrentProcess();
  return DuplicateHandle(process, wish->section, process, &kept, 0, FALSE, DUPLICATE_SAME_ACCESS) ? kept : NULL;
}

typedef NTSTATUS(NTAPI *map_view_ex)(HANDLE section, HANDLE process, PVOID *base, LARGE_INTEGER *offset, SIZE_T *length,
                                     ULONG allocation_type, ULONG protect, MEM_EXTENDED_PARAMETER *parameters, ULONG count);

/* The newer call, which versions of the system may lack. */
static NTSTATUS map_view_extended(request *wish, PVOID *base, LARGE_INTEGER *offset, SIZE_T *length) {
  map_view_ex map = (map_view_ex)(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "NtMapViewOfSectionEx");
  if (map == NULL) return SECTILE_NOT_IMPLEMENTED;
  sectile_extended *extended = &wish->extended;
  return map(wish->section, GetCurrentProcess(), base, offset, length, wish->allocation_type, wish->protect,
             extended->count == 0 ? NULL : extended->list, extended->count);
}

/* Wine says that it has mapped where no program's memory can be; the kernel answers so. */
static bool is_beyond(uint64_t address) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return address > (uintptr_t)info.lpMaximumApplicationAddress;
}

static NTSTATUS map_view(request *wish, size_t before, PVOID *base, SIZE_T *length) {
  LARGE_INTEGER offset = {.QuadPart = (LONGLONG)(wish->offset - before)};
  *base = (PVOID)(uintptr_t)(wish->address == 0 ? 0 : wish->address - before);
  *length = wish->length == 0 ? 0 : wish->length + before;
  if (wish->address != 0 && is_beyond(wish->address)) return SECTILE_INVALID_PARAMETER_3;
  if (wish->is_extended) return map_view_extended(wish, base, &offset, length);
  return NtMapViewOfSection(wish->section, SECTILE_THIS_PROCESS, base, wish->zero_bits, wish->commit_size, &offset, length,
                            wish->inherit, wish->allocation_type, wish->protect);
}

/* Maps a view and guards it, with nothing put in the place of another meanwhile. */
static NTSTATUS map_guarded(request *wish, sectile_mapping *self) {
  size_t before = (wish->flags & EXACT) ? 0 : wish->offset & (GRANULARITY - 1);
  PVOID base;
  SIZE_T mapped;
  sectile_guard_hold();
  NTSTATUS status = map_view(wish, before, &base, &mapped);
  if (SECTILE_SUCCESS(status)) {
    *self = (sectile_mapping){
        .guarded = {.base = (uintptr_t)base,
                    .length = mapped,
                    .section = keep_section(wish),
                    .offset = wish->offset - before,
                    .protect = wish->protect,
                    .allocation_type = wish->allocation_type,
                    .commit_on_touch = (wish->flags & COMMIT_ON_TOUCH) != 0},
        .before = before,
        .length = wish->length == 0 || (wish->flags & EXACT) ? mapped - before : wish->length,
        .users = 1,
        .references = 1,
    };
    if (!sectile_guard_add(&self->guarded)) {
      NtUnmapViewOfSection(GetCurrentProcess(), base);
      if (self->guarded.section != NULL) CloseHandle(self->guarded.section);
      *self = (sectile_mapping){.closed = 1, .references = 1};
      status = SECTILE_NO_MEMORY;
    }
  }
  sectile_guard_go_on();
  return status;
}

/*
 * (section, offset, length, protect, allocationType, flags, inherit, into or null; address, zeroBits, commitSize, extended
 * parameters or null): a mapping, or an NTSTATUS; where the mapping is to be `into`, its bytes, or minus the NTSTATUS.
 */
static napi_value map_section(napi_env env, napi_callback_info info) {
  static const char call[] = "NtMapViewOfSection";
  request wish;
  wish.address = wish.zero_bits = wish.commit_size = 0;
  wish.is_extended = false;
  if (!read_request(env, info, call, &wish)) return NULL;
  sectile_mapping *self = wish.into != NULL ? wish.into : calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, call, ENOMEM);
  NTSTATUS status = map_guarded(&wish, self);
  if (!SECTILE_SUCCESS(status) && wish.address != 0 && wish.length != 0) {
    size_t before = (wish.flags & EXACT) ? 0 : wish.offset & (GRANULARITY - 1);
    if (sectile_quarantine_give_up(wish.address - before, wish.length + before)) status = map_guarded(&wish, self);
  }
  if (!SECTILE_SUCCESS(status)) {
    if (wish.into == NULL) free(self);
    double number = (double)(uint32_t)status;
    return sectile_number(env, wish.into == NULL ? number : -number);
  }
  if (wish.into == NULL) return sectile_mapping_wrap(env, self);
  InterlockedIncrement(&self->references); /* the handle's */
  return sectile_number(env, (double)self->length);
}

/* (address, length): frees addresses of closed views that somebody wants. */
static napi_value release_addresses(napi_env env, napi_callback_info info) {
  static const char call[] = "releaseAddresses";
  napi_value argument[2];
  uint64_t address, length;
  if (!sectile_arguments(env, info, call, 2, argument) || !sectile_read_address(env, argument[0], call, "address", &address) ||
      !sectile_read_address(env, argument[1], call, "length", &length)) {
    return NULL;
  }
  return sectile_boolean(env, sectile_quarantine_give_up((uintptr_t)address, (size_t)length));
}

/* (address): the end of a closed view whose addresses are still kept there, or 0. */
static napi_value kept_until(napi_env env, napi_callback_info info) {
  static const char call[] = "keptUntil";
  napi_value argument[1], result;
  uint64_t address;
  if (!sectile_arguments(env, info, call, 1, argument) || !sectile_read_address(env, argument[0], call, "address", &address)) {
    return NULL;
  }
  if (napi_create_bigint_uint64(env, sectile_guard_kept_until((uintptr_t)address), &result) != napi_ok) {
    return sectile_fail_napi(env, call);
  }
  return result;
}

const sectile_export sectile_mapping_exports[] = {
    {"mapSection", map_section},
    {"releaseAddresses", release_addresses},
    {"keptUntil", kept_until},
    {NULL, NULL},
};
