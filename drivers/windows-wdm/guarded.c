/*
 * The only accesses of shared memory. A page of a section may fail to come in (its paging file or disk is gone), and
 * the access then raises an exception: unhandled in kernel mode, that stops the machine. ProbeForRead and ProbeForWrite
 * do not help here: they check that an address lies in user space, for buffers of a caller, and raise nothing that a
 * view of our own could not raise later.
 *
 * With MSVC these are __try and __except. gcc has neither, and clang catches what is raised inside of calls only, so
 * there the same is written in assembly: each routine is one access, and the system's own __C_specific_handler sends
 * an exception inside of it to the routine's end, which returns STATUS_IN_PAGE_ERROR whatever it was.
 */
#include "driver.h"

#if defined(_MSC_VER) && !defined(__clang__)

NTSTATUS GuardedCopy(PVOID to, const VOID *from, SIZE_T bytes) {
  __try {
    RtlCopyMemory(to, from, bytes);
    return STATUS_SUCCESS;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
}

NTSTATUS GuardedCompareExchange(volatile LONG *target, LONG desired, LONG expected, LONG *found) {
  __try {
    *found = InterlockedCompareExchange(target, desired, expected);
    return STATUS_SUCCESS;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
}

NTSTATUS GuardedExchange(volatile LONG *target, LONG desired) {
  __try {
    (VOID) InterlockedExchange(target, desired);
    return STATUS_SUCCESS;
  } __except (EXCEPTION_EXECUTE_HANDLER) {
    return GetExceptionCode();
  }
}

#elif defined(__x86_64__)

/* rdi and rsi belong to the caller, so each routine saves them where unwinding finds them. */
/* clang-format off */
#define GUARDED(name, access)                                              \
  __asm__(                                                                 \
      "\t.text\n\t.p2align 4\n\t.globl " name "\n"                         \
      "\t.def " name "; .scl 2; .type 32; .endef\n"                        \
      "\t.seh_proc " name "\n"                                             \
      name ":\n"                                                           \
      "\tpushq %rdi\n\t.seh_pushreg %rdi\n"                                \
      "\tpushq %rsi\n\t.seh_pushreg %rsi\n"                                \
      "\tsubq $8, %rsp\n\t.seh_stackalloc 8\n"                             \
      "\t.seh_endprologue\n"                                               \
      ".L" name "_begin:\n" access                                         \
      "\txorl %eax, %eax\n"                                                \
      ".L" name "_end:\n"                                                  \
      "\taddq $8, %rsp\n\tpopq %rsi\n\tpopq %rdi\n\tretq\n"                \
      ".L" name "_raised:\n"                                               \
      "\tmovl $0xC0000006, %eax\n" /* STATUS_IN_PAGE_ERROR */             \
      "\tjmp .L" name "_end\n"                                           \
      "\t.seh_handler __C_specific_handler, @except\n"                     \
      "\t.seh_handlerdata\n"                                               \
      "\t.long 1\n" /* one range: */                                       \
      "\t.rva .L" name "_begin, .L" name "_end\n"                          \
      "\t.long 1\n" /* for every exception in it (EXECUTE_HANDLER), */     \
      "\t.rva .L" name "_raised\n" /* go there */                         \
      "\t.text\n\t.seh_endproc\n")
/* clang-format on */

/* rcx: to, rdx: from, r8: bytes */
GUARDED("GuardedCopy",
        "\tmovq %rcx, %rdi\n"
        "\tmovq %rdx, %rsi\n"
        "\tmovq %r8, %rcx\n"
        "\trep movsb\n");

/* rcx: target, edx: desired, r8d: expected, r9: found */
GUARDED("GuardedCompareExchange",
        "\tmovl %r8d, %eax\n"
        "\tlock cmpxchgl %edx, (%rcx)\n"
        "\tmovl %eax, (%r9)\n");

/* rcx: target, edx: desired */
GUARDED("GuardedExchange", "\txchgl %edx, (%rcx)\n");

#else
#error "guarded.c knows x86-64 for gcc and clang; for ARM64 build with MSVC"
#endif
