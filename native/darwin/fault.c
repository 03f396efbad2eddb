/*
 * What a fault was, on macOS: the error code of the processor, in the signal's context. The signal and its
 * code do not tell a forbidden access from a lost page (either can be SIGBUS). All of it runs in a handler.
 */
#include "posix/system.h"

#include <sys/ucontext.h>

#if defined(__aarch64__)
/* The fault status of an access that was not aligned, which no page can mend. */
enum { FAULT_STATUS = 0x3f, ALIGNMENT = 0x21 };
#endif

bool sectile_is_access_fault(int signal_number, const siginfo_t *info, const void *signal_context) {
  (void)signal_number;
  if (info->si_code < 0 || info->si_code >= SI_USER) return false; /* SI_USER is the least that no fault has */
#if defined(__aarch64__)
  const ucontext_t *context = signal_context;
  if ((context->uc_mcontext->__es.__esr & FAULT_STATUS) == ALIGNMENT) return false;
#else
  (void)signal_context;
#endif
  return true;
}

sectile_access sectile_fault_access(const void *signal_context) {
  const ucontext_t *context = signal_context;
#if defined(__x86_64__)
  uint32_t code = context->uc_mcontext->__es.__err;
  return (sectile_access){.writes = (code & 2) != 0, .executes = (code & 16) != 0};
#elif defined(__aarch64__)
  /* The class: 0x20 and 0x21 are instruction aborts, others have in bit 6 whether it was a write. */
  uint32_t syndrome = context->uc_mcontext->__es.__esr, class = syndrome >> 26;
  bool executes = class == 0x20 || class == 0x21;
  return (sectile_access){.writes = !executes && (syndrome & (1u << 6)) != 0, .executes = executes};
#else
#error "which register says what a fault was is not known for this processor"
#endif
}

sectile_fault_cause sectile_fault_cause_of(int signal_number, const siginfo_t *info) {
  (void)signal_number;
  (void)info;
  return SECTILE_CAUSE_UNSAID;
}
