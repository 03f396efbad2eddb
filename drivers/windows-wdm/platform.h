/*
 * Where the Windows Driver Kit and mingw-w64 differ. Everything else is the same source for both.
 */
#pragma once

/*
 * Code that may be paged out. All of this driver may: nothing in it runs above PASSIVE_LEVEL. MSVC takes that for the
 * rest of a file, gcc for each function.
 */
#if defined(_MSC_VER)
#pragma code_seg("PAGE")
#define PAGED_FUNCTION
#else
#define PAGED_FUNCTION __attribute__((section("PAGE")))
#endif

/*
 * The kernel exports its types as data. The Driver Kit declares them as pointers to what is exported, mingw-w64 as what
 * is exported, under the same name and type.
 */
#if defined(_MSC_VER)
#define THREAD_TYPE (*PsThreadType)
#else
#define THREAD_TYPE ((POBJECT_TYPE)PsThreadType)
#endif

/* The driver's memory in the pool monitor: "Sect" */
#define DRIVER_POOL_TAG 0x74636553u

/*
 * ExAllocatePool2 zeroes what it gives and exists from Windows 10 2004 on. mingw-w64's headers end before it, and so
 * does Wine: there the older call, with zeroing by hand.
 */
static inline PVOID AllocatePaged(SIZE_T bytes) {
#if defined(POOL_FLAG_PAGED)
  return ExAllocatePool2(POOL_FLAG_PAGED, bytes, DRIVER_POOL_TAG);
#else
  PVOID memory = ExAllocatePoolWithTag(PagedPool, bytes, DRIVER_POOL_TAG);
  if (memory != NULL) RtlZeroMemory(memory, bytes);
  return memory;
#endif
}
