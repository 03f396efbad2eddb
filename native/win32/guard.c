/*
 * The handler, and the list of what it guards.
 *
 *   a write to a page that may only be read   the page becomes a copy of its own (copy-on-write); the write goes there
 *   an access to a page without access        likewise; a page that is only reserved is committed
 *   the backing cannot be read (in-page)      private zeros take the place of the whole view
 *   an access to a closed view                zeros, in pages of its own
 *
 * What the first two changed is taken back when the fault is reported, so that the view shows the section again.
 */
#include "guard.h"
#include "lock.h"

static sectile_lock lock;
static sectile_guarded *first;
static bool installed;
static bool copies_leak;

/* NT's page on every processor that Windows runs on. */
enum { PAGE = 4096 };

/* Accesses of one range that the system refuses although its pages allow them: then it is none of ours. */
enum { MOST_IN_VAIN = 1000 };
static uint32_t in_vain; /* since one that was not */

/* STATUS_GUARD_PAGE_VIOLATION, STATUS_ACCESS_VIOLATION, STATUS_IN_PAGE_ERROR are EXCEPTION_… of the same numbers. */
enum { WAS_READ = 0, WAS_WRITE = 1 };

/* Under the lock. */
static sectile_guarded *find(uintptr_t address) {
  for (sectile_guarded *each = first; each != NULL; each = each->next) {
    if (address >= each->base && address - each->base < each->length) return each;
  }
  return NULL;
}

static void note_fault(sectile_guarded *range, uint32_t kind, uintptr_t address) {
  range->fault.kind = kind;
  range->fault.address = address;
  range->fault.count++;
  range->unreported = true;
  sectile_guard_announce();
}

/* The calls that know placeholders, where this system has them; looked up before any exception. */
typedef NTSTATUS(NTAPI *unmap_view_ex)(HANDLE process, PVOID base, ULONG flags);
typedef NTSTATUS(NTAPI *map_view_ex)(HANDLE section, HANDLE process, PVOID *base, LARGE_INTEGER *offset, SIZE_T *length,
                                     ULONG allocation_type, ULONG protect, void *parameters, ULONG count);
typedef NTSTATUS(NTAPI *allocate_memory_ex)(HANDLE process, PVOID *base, SIZE_T *length, ULONG allocation_type, ULONG protect,
                                            void *parameters, ULONG count);
static unmap_view_ex unmap_ex;
static map_view_ex map_ex;
static allocate_memory_ex allocate_ex;

static bool in_placeholder(const sectile_guarded *range) {
  return (range->allocation_type & SECTILE_REPLACE_PLACEHOLDER) != 0 && unmap_ex != NULL && map_ex != NULL && allocate_ex != NULL;
}

/* Under the lock. */
static void unmap(sectile_guarded *range) {
  if (range->state == SECTILE_GUARD_VACATED) return;
  if (range->state == SECTILE_GUARD_VIEW) {
    NtUnmapViewOfSection(SECTILE_THIS_PROCESS, (void *)range->base);
  } else {
    VirtualFree((void *)range->base, 0, MEM_RELEASE);
  }
}

/* Under the lock. As unmap, for putting something else there: a placeholder whose place was taken is there again. */
static void clear(sectile_guarded *range) {
  void *base = (void *)range->base;
  if (!in_placeholder(range)) {
    unmap(range);
  } else if (range->state == SECTILE_GUARD_VIEW) {
    if (!SECTILE_SUCCESS(unmap_ex(GetCurrentProcess(), base, SECTILE_PRESERVE_PLACEHOLDER))) unmap(range);
  } else if (range->state != SECTILE_GUARD_VACATED) {
    VirtualFree(base, range->length, MEM_RELEASE | SECTILE_PRESERVE_PLACEHOLDER);
  }
}

/* Under the lock. Reserves addresses that were cleared; false: somebody was faster, and they are his. */
static bool reserve(sectile_guarded *range, sectile_guard_state state) {
  PVOID base = (void *)range->base;
  SIZE_T length = range->length;
  bool kept;
  if (in_placeholder(range)) {
    kept = SECTILE_SUCCESS(
        allocate_ex(GetCurrentProcess(), &base, &length, MEM_RESERVE | SECTILE_REPLACE_PLACEHOLDER, PAGE_READWRITE, NULL, 0));
  } else {
    NTSTATUS status = NtAllocateVirtualMemory(GetCurrentProcess(), &base, 0, &length, MEM_RESERVE, PAGE_READWRITE);
    kept = SECTILE_SUCCESS(status) && (uintptr_t)base == range->base;
    /* Not where it was asked for: those addresses are no multiple of what reservations start at. */
    if (SECTILE_SUCCESS(status) && !kept) VirtualFree(base, 0, MEM_RELEASE);
  }
  range->state = kept ? state : SECTILE_GUARD_VACATED;
  return kept;
}

/* Under the lock. Puts private zeros where the view is: some memory must stand there for the program to go on. */
static bool put_zeros(sectile_guarded *range) {
  if (range->state == SECTILE_GUARD_PRIVATE) return false;
  sectile_guard_stop_others();
  clear(range);
  range->stands_in = false;
  bool kept = reserve(range, SECTILE_GUARD_PRIVATE);
  sectile_guard_resume_others();
  if (!kept) return false;
  /* Where that is too much at once, each page when it is touched. */
  VirtualAlloc((void *)range->base, range->length, MEM_COMMIT, PAGE_READWRITE);
  return true;
}

/* Whether the view can be put back later. */
static bool can_return(const sectile_guarded *range) { return range->section != NULL && !range->pages_differ; }

/* Under the lock. Puts a private copy of what the view shows in its place, where there is room for two. */
static bool put_copy(sectile_guarded *range) {
  void *copy = VirtualAlloc(NULL, range->length, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  SIZE_T read = 0;
  HANDLE process = GetCurrentProcess();
  /* Unlike a copy of ours, these never fault. */
  if (copy != NULL) ReadProcessMemory(process, (void *)range->base, copy, range->length, &read);
  bool put = put_zeros(range);
  if (put && copy != NULL) WriteProcessMemory(process, (void *)range->base, copy, read, NULL);
  if (copy != NULL) VirtualFree(copy, 0, MEM_RELEASE);
  range->stands_in = put && can_return(range);
  return put;
}

/* Whether a page as it is now allows the access. */
static bool allows(const MEMORY_BASIC_INFORMATION *page, ULONG_PTR access) {
  if (page->State != MEM_COMMIT || (page->Protect & PAGE_GUARD) != 0) return false;
  switch (page->Protect & 0xff) {
    case PAGE_READWRITE:
    case PAGE_WRITECOPY:
    case PAGE_EXECUTE_READWRITE:
    case PAGE_EXECUTE_WRITECOPY:
      return access == WAS_READ || access == WAS_WRITE;
    case PAGE_READONLY:
    case PAGE_EXECUTE_READ:
      return access == WAS_READ;
    default:
      return false;
  }
}

/* Under the lock. Maps the range's view anew at its addresses; false: zeros stand there now, or what is somebody else's. */
static bool map_anew(sectile_guarded *range, ULONG protect) {
  PVOID base = (void *)range->base;
  SIZE_T length = range->length;
  LARGE_INTEGER offset = {.QuadPart = (LONGLONG)range->offset};
  HANDLE process = GetCurrentProcess();
  ULONG type = range->allocation_type;
  sectile_guard_stop_others();
  clear(range);
  NTSTATUS status = in_placeholder(range) ? map_ex(range->section, process, &base, &offset, &length, type, protect, NULL, 0)
                                          : NtMapViewOfSection(range->section, process, &base, 0, 0, &offset, &length,
                                                               SECTILE_VIEW_UNMAP, type, protect);
  bool mapped = SECTILE_SUCCESS(status);
  if (mapped) {
    range->state = SECTILE_GUARD_VIEW;
  } else {
    reserve(range, SECTILE_GUARD_PRIVATE);
  }
  sectile_guard_resume_others();
  return mapped;
}

/*
 * Under the lock. Makes writes to a page go to a copy of its own: by its protection, or, where such copies are none
 * (copies_leak), by another kind of view.
 */
static bool stand_in(sectile_guarded *range, uintptr_t page) {
  ULONG before;
  if (range->protect == PAGE_NOACCESS && can_return(range)) {
    /* Nothing of such a view is shown. */
    bool zeros = put_zeros(range);
    range->stands_in = zeros;
    return zeros;
  }
  if (range->protect == PAGE_NOACCESS && range->section == NULL) return false;
  range->stands_in = true;
  if (!copies_leak && VirtualProtect((void *)page, PAGE, PAGE_WRITECOPY, &before)) return true;
  return can_return(range) && map_anew(range, PAGE_WRITECOPY);
}

/* Under the lock. An access to a page that is only reserved. */
static bool commit(sectile_guarded *range, uintptr_t page, uintptr_t address, ULONG_PTR access) {
  ULONG before;
  /* The system may refuse to commit with copy-on-write. */
  bool committed = VirtualAlloc((void *)page, PAGE, MEM_COMMIT, range->protect) != NULL ||
                   (VirtualAlloc((void *)page, PAGE, MEM_COMMIT, PAGE_READONLY) != NULL &&
                    VirtualProtect((void *)page, PAGE, range->protect, &before));
  if (!committed && !put_copy(range)) return false;
  MEMORY_BASIC_INFORMATION now = {.State = MEM_COMMIT, .Protect = range->protect};
  if (committed && range->commit_on_touch && allows(&now, access)) return true;
  note_fault(range, range->commit_on_touch && !committed ? SECTILE_FAULT_BACKING_LOST : SECTILE_FAULT_NO_ACCESS, address);
  return true;
}

/* Under the lock. An access that the page's protection forbids. */
static bool mend_violation(sectile_guarded *range, uintptr_t address, ULONG_PTR access) {
  uintptr_t page = address & ~(uintptr_t)(PAGE - 1);
  MEMORY_BASIC_INFORMATION now;
  if (VirtualQuery((void *)page, &now, sizeof now) == 0) return false;
  if (allows(&now, access)) return ++in_vain < MOST_IN_VAIN; /* another thread was here first */
  in_vain = 0;
  if (now.State == MEM_RESERVE && range->protect != PAGE_NOACCESS) return commit(range, page, address, access);
  if (now.State == MEM_FREE) { /* another process unmapped it */
    if (!put_zeros(range)) return false;
    note_fault(range, SECTILE_FAULT_BACKING_LOST, address);
    return true;
  }
  bool readable = allows(&now, WAS_READ);
  if (!stand_in(range, page) && range->state == SECTILE_GUARD_VIEW) put_copy(range);
  if (range->state == SECTILE_GUARD_VACATED) return false;
  note_fault(range, readable ? SECTILE_FAULT_WRITE : SECTILE_FAULT_NO_ACCESS, address);
  return true;
}

/* Under the lock. */
static bool mend(sectile_guarded *range, const EXCEPTION_RECORD *record) {
  uintptr_t address = record->ExceptionInformation[1];
  ULONG_PTR access = record->ExceptionInformation[0];
  if (range->state == SECTILE_GUARD_VACATED || (access != WAS_READ && access != WAS_WRITE)) return false;
  if (range->state != SECTILE_GUARD_VIEW) {
    /* A page of the view that another thread has seen to meanwhile. */
    if (record->ExceptionCode == EXCEPTION_IN_PAGE_ERROR) return ++in_vain < MOST_IN_VAIN;
    void *page = (void *)(address & ~(uintptr_t)(PAGE - 1));
    return VirtualAlloc(page, PAGE, MEM_COMMIT, PAGE_READWRITE) != NULL;
  }
  switch (record->ExceptionCode) {
    case EXCEPTION_IN_PAGE_ERROR:
      if (!put_zeros(range)) return false;
      note_fault(range, SECTILE_FAULT_BACKING_LOST, address);
      return true;
    case EXCEPTION_GUARD_PAGE: /* the system has taken the guard off: the access succeeds next time */
      note_fault(range, SECTILE_FAULT_NO_ACCESS, address);
      return true;
    default:
      return mend_violation(range, address, access);
  }
}

static LONG CALLBACK on_exception(EXCEPTION_POINTERS *exception) {
  const EXCEPTION_RECORD *record = exception->ExceptionRecord;
  bool ours = record->ExceptionCode == EXCEPTION_ACCESS_VIOLATION || record->ExceptionCode == EXCEPTION_IN_PAGE_ERROR ||
              record->ExceptionCode == EXCEPTION_GUARD_PAGE;
  if (!ours || record->NumberParameters < 2) return EXCEPTION_CONTINUE_SEARCH;
  DWORD last_error = GetLastError();
  sectile_lock_take(&lock);
  sectile_guarded *range = find(record->ExceptionInformation[1]);
  bool mended = range != NULL && mend(range, record);
  sectile_lock_give(&lock);
  SetLastError(last_error);
  return mended ? EXCEPTION_CONTINUE_EXECUTION : EXCEPTION_CONTINUE_SEARCH;
}

/* -------------------------------------------------------------------- for the report thread ---- */

/* Under the lock. A view cannot be made to forget its private copies: it is mapped anew at its addresses. */
static void put_back(sectile_guarded *range) {
  range->stands_in = false;
  bool stood_in = range->state == SECTILE_GUARD_VIEW || range->state == SECTILE_GUARD_PRIVATE;
  if (!stood_in || !can_return(range) || map_anew(range, range->protect)) return;
  /* The next report says so. */
  note_fault(range, SECTILE_FAULT_BACKING_LOST, range->base);
}

bool sectile_guard_settle(void) {
  bool any = false;
  sectile_lock_take(&lock);
  for (sectile_guarded *each = first; each != NULL; each = each->next) {
    if (!each->unreported) continue;
    each->unreported = false;
    any = true;
    if (each->stands_in) put_back(each);
  }
  sectile_lock_give(&lock);
  return any;
}

/* -------------------------------------------------------------------------- starting it all ---- */

/*
 * Whether a page of a read-only view that is made copy-on-write still writes to the section: Windows makes a copy,
 * Wine does not. Tried once, with a section of its own.
 */
static bool try_whether_copies_leak(void) {
  ULONG before;
  bool leak = true;
  HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, PAGE, NULL);
  if (section == NULL) return true;
  volatile char *written = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0);
  volatile char *read = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
  if (written != NULL && read != NULL && VirtualProtect((void *)read, PAGE, PAGE_WRITECOPY, &before)) {
    *read = 1;
    leak = *written != 0;
  }
  if (written != NULL) UnmapViewOfFile((void *)written);
  if (read != NULL) UnmapViewOfFile((void *)read);
  CloseHandle(section);
  return leak;
}

/* Under the lock. First in the chain: the runtime's own handler takes what is none of ours. */
static bool install(void) {
  if (installed) return true;
  if (!sectile_guard_start_reports()) return false;
  HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  unmap_ex = (unmap_view_ex)(void *)GetProcAddress(ntdll, "NtUnmapViewOfSectionEx");
  map_ex = (map_view_ex)(void *)GetProcAddress(ntdll, "NtMapViewOfSectionEx");
  allocate_ex = (allocate_memory_ex)(void *)GetProcAddress(ntdll, "NtAllocateVirtualMemoryEx");
  copies_leak = try_whether_copies_leak();
  /* The handler must outlive the last environment that loaded this module. */
  HMODULE self;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN, (const WCHAR *)(void *)&lock, &self);
  installed = AddVectoredExceptionHandler(1, on_exception) != NULL;
  return installed;
}

void sectile_guard_hold(void) { sectile_lock_take(&lock); }

void sectile_guard_go_on(void) { sectile_lock_give(&lock); }

bool sectile_guard_add(sectile_guarded *range) {
  if (!install()) return false;
  range->previous = NULL;
  range->next = first;
  if (first != NULL) first->previous = range;
  first = range;
  return true;
}

void sectile_guard_end(sectile_guarded *range) {
  sectile_lock_take(&lock);
  unmap(range);
  range->state = SECTILE_GUARD_VACATED;
  *(range->previous == NULL ? &first : &range->previous->next) = range->next;
  if (range->next != NULL) range->next->previous = range->previous;
  sectile_lock_give(&lock);
}

sectile_guard_fault sectile_guard_read(sectile_guarded *range) {
  sectile_lock_take(&lock);
  sectile_guard_fault fault = range->fault;
  sectile_lock_give(&lock);
  return fault;
}

bool sectile_guard_has_lost(sectile_guarded *range) {
  sectile_lock_take(&lock);
  bool lost = range->state == SECTILE_GUARD_VACATED || (range->state == SECTILE_GUARD_PRIVATE && !range->stands_in);
  sectile_lock_give(&lock);
  return lost;
}

bool sectile_guard_covers(uintptr_t address) {
  sectile_lock_take(&lock);
  bool covers = find(address) != NULL;
  sectile_lock_give(&lock);
  return covers;
}

uintptr_t sectile_guard_kept_until(uintptr_t address) {
  sectile_lock_take(&lock);
  const sectile_guarded *range = find(address);
  uintptr_t end = range != NULL && range->state == SECTILE_GUARD_RETIRED ? range->base + range->length : 0;
  sectile_lock_give(&lock);
  return end;
}

void sectile_guard_pages_differ(sectile_guarded *range) {
  sectile_lock_take(&lock);
  range->pages_differ = true;
  sectile_lock_give(&lock);
}

void sectile_guard_let_go(sectile_guarded *range) {
  sectile_lock_take(&lock);
  if (range->stands_in) put_back(range); /* while that can be */
  if (range->section != NULL) CloseHandle(range->section);
  range->section = NULL;
  sectile_lock_give(&lock);
}

NTSTATUS sectile_guard_vacate(sectile_guarded *range) {
  if (unmap_ex == NULL) return SECTILE_NOT_IMPLEMENTED;
  sectile_lock_take(&lock);
  NTSTATUS status = unmap_ex(GetCurrentProcess(), (void *)range->base, SECTILE_PRESERVE_PLACEHOLDER);
  if (SECTILE_SUCCESS(status)) {
    range->state = SECTILE_GUARD_VACATED;
    range->unreported = false;
  }
  sectile_lock_give(&lock);
  return status;
}

bool sectile_guard_retire(sectile_guarded *range) {
  sectile_lock_take(&lock);
  clear(range);
  bool kept = reserve(range, SECTILE_GUARD_RETIRED);
  range->unreported = false;
  /* The section lives no longer than its handles and views: the quarantine is neither. */
  if (range->section != NULL) CloseHandle(range->section);
  range->section = NULL;
  sectile_lock_give(&lock);
  return kept;
}
