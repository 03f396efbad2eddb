/*
 * One shared section by the five steps: the attributes, the section, a view, and back again: unmap, close. What was
 * reached of the way is in SHARED_SECTION, so one routine undoes it from anywhere.
 */
#include "driver.h"

/* Two entries with the longest identifier that stands here. */
#define ACL_BYTES (sizeof(ACL) + 2 * (sizeof(ACCESS_ALLOWED_ACE) + sizeof(SID)))

typedef struct SECURITY {
  SECURITY_DESCRIPTOR descriptor;
  SID system;
  SID users;
  union {
    ACL list;
    UCHAR bytes[ACL_BYTES];
  } list;
} SECURITY;

/*
 * A descriptor by which the system does everything and ordinary users what is granted. Nobody else is named, so
 * administrators are users here, and guests and sandboxed applications are nobody. The owner may always change the
 * rest: that is the system as well. All of it lies in SECURITY, which must outlive the call that uses it.
 */
PAGED_FUNCTION static NTSTATUS BuildSecurity(ACCESS_MASK granted, SECURITY *security) {
  PAGED_CODE();
  security->system = (SID){SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_LOCAL_SYSTEM_RID}};
  security->users = (SID){SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_AUTHENTICATED_USER_RID}};
  PACL list = &security->list.list;
  PSECURITY_DESCRIPTOR descriptor = &security->descriptor;
  NTSTATUS status = RtlCreateAcl(list, ACL_BYTES, ACL_REVISION);
  if (NT_SUCCESS(status)) status = RtlAddAccessAllowedAce(list, ACL_REVISION, SECTION_ALL_ACCESS, &security->system);
  if (NT_SUCCESS(status)) status = RtlAddAccessAllowedAce(list, ACL_REVISION, granted, &security->users);
  if (NT_SUCCESS(status)) status = RtlCreateSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION);
  if (NT_SUCCESS(status)) status = RtlSetOwnerSecurityDescriptor(descriptor, &security->system, FALSE);
  if (NT_SUCCESS(status)) status = RtlSetGroupSecurityDescriptor(descriptor, &security->system, FALSE);
  if (NT_SUCCESS(status)) status = RtlSetDaclSecurityDescriptor(descriptor, TRUE, list, FALSE);
  return status;
}

/*
 * Must run in the system process: the view is mapped into the user half of the current process's address space, and
 * only there is no application that could tamper with it.
 */
PAGED_FUNCTION NTSTATUS CreateSharedSection(PCWSTR name, ACCESS_MASK granted, SIZE_T bytes, SHARED_SECTION *section) {
  SECURITY security;
  UNICODE_STRING path;
  OBJECT_ATTRIBUTES attributes;
  LARGE_INTEGER size;
  PAGED_CODE();

  NTSTATUS status = BuildSecurity(granted, &security);
  if (!NT_SUCCESS(status)) return status;

  /* 1. The name; a handle for kernel mode alone; access checks for whoever opens it. */
  RtlInitUnicodeString(&path, name);
  InitializeObjectAttributes(&attributes, &path, OBJ_KERNEL_HANDLE | OBJ_FORCE_ACCESS_CHECK | OBJ_CASE_INSENSITIVE, NULL,
                             &security.descriptor);

  /* 2. The section, committed. Without OBJ_OPENIF a name that somebody has taken is refused, and so it must be. */
  size.QuadPart = (LONGLONG)bytes;
  status = ZwCreateSection(&section->handle, SECTION_MAP_READ | SECTION_MAP_WRITE | SECTION_QUERY, &attributes, &size,
                           PAGE_READWRITE, SEC_COMMIT, NULL);
  if (!NT_SUCCESS(status)) return status;

  /*
   * A reference of our own: somebody who closes our handle by mistake does not take the object with it. The Driver Kit's
   * headers name no type for sections, and for a kernel handle of our own making none is needed. Wine references no
   * sections and calls the handle invalid that it has just given: there the view alone holds the object.
   */
  status =
      ObReferenceObjectByHandle(section->handle, SECTION_MAP_READ | SECTION_MAP_WRITE, NULL, KernelMode, &section->object, NULL);
  if (status == STATUS_INVALID_HANDLE) status = STATUS_SUCCESS;

  /* 3. The view, from the section's start, in whole pages. ViewUnmap: no process inherits it. */
  if (NT_SUCCESS(status)) {
    section->bytes = 0;
    status = ZwMapViewOfSection(section->handle, ZwCurrentProcess(), &section->view, 0, 0, NULL, &section->bytes, ViewUnmap, 0,
                                PAGE_READWRITE);
  }
  if (!NT_SUCCESS(status)) DeleteSharedSection(section);
  return status;
}

PAGED_FUNCTION VOID DeleteSharedSection(SHARED_SECTION *section) {
  PAGED_CODE();
  /* 4. The view. Applications keep theirs: the memory goes with the last one. */
  if (section->view != NULL) (VOID) ZwUnmapViewOfSection(ZwCurrentProcess(), section->view);
  if (section->object != NULL) ObDereferenceObject(section->object);
  /* 5. The handle, and with the last one the name. */
  if (section->handle != NULL) (VOID) ZwClose(section->handle);
  RtlZeroMemory(section, sizeof(*section));
}
