/*
 * The address space of a process on macOS.
 */
#include "posix/system.h"

#include <errno.h>
#include <mach/mach_init.h>
#include <mach/vm_map.h>

/* No such limit is known. */
int64_t sectile_most_mappings(void) { return INT64_MAX; }

int sectile_reserve_at(uintptr_t address, size_t length) {
  vm_address_t place = address;
  kern_return_t result = vm_allocate(mach_task_self(), &place, length, VM_FLAGS_FIXED);
  if (result == KERN_NO_SPACE) return EEXIST;
  if (result != KERN_SUCCESS) return ENOMEM;
  if (vm_protect(mach_task_self(), place, length, FALSE, VM_PROT_NONE) == KERN_SUCCESS) return 0;
  vm_deallocate(mach_task_self(), place, length);
  return ENOMEM;
}
