/*
 * What a fault was, on Linux: the error code of the processor, in the signal's context. All of it runs in a
 * handler.
 */
#include "posix/system.h"

#include <string.h>
#include <ucontext.h>

#if defined(__aarch64__)
/* The syndrome is in one of the records behind the registers, each {magic, size}. */
static bool syndrome_of(const ucontext_t *context, uint64_t *syndrome) {
  const unsigned char *record = (const unsigned char *)context->uc_mcontext.__reserved;
  const unsigned char *end = record + sizeof context->uc_mcontext.__reserved;
  while (record + 16 <= end) {
    uint32_t head[2];
    memcpy(head, record, sizeof head);
    if (head[0] == 0x45535201) {
      memcpy(syndrome, record + 8, sizeof *syndrome);
      return true;
    }
    if (head[0] == 0 || head[1] < 8) break;
    record += head[1];
  }
  return false;
}
#endif

bool sectile_is_access_fault(int signal_number, const siginfo_t *info, const void *context) {
  (void)context;
  return info->si_code > 0 && !(signal_number == SIGBUS && info->si_code == BUS_ADRALN);
}

sectile_access sectile_fault_access(const void *signal_context) {
  const ucontext_t *context = signal_context;
#if defined(__x86_64__)
  greg_t code = context->uc_mcontext.gregs[REG_ERR];
  return (sectile_access){.writes = (code & 2) != 0, .executes = (code & 16) != 0};
#elif defined(__aarch64__)
  uint64_t syndrome;
  bool known = syndrome_of(context, &syndrome);
  return (sectile_access){.writes = !known || (syndrome & (1u << 6)) != 0, .executes = false};
#else
  (void)context;
  return (sectile_access){.writes = true, .executes = false};
#endif
}

sectile_fault_cause sectile_fault_cause_of(int signal_number, const siginfo_t *info) {
  if (signal_number == SIGSEGV) return SECTILE_CAUSE_PROTECTION;
  return info->si_code == BUS_ADRERR ? SECTILE_CAUSE_BACKING : SECTILE_CAUSE_HARDWARE;
}
