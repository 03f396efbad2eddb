/*
 * The address space of a process on macOS, range by range.
 */
#include "posix/system.h"

#include <errno.h>
#include <mach/mach_init.h>
#include <mach/mach_port.h>
#include <mach/vm_map.h>
#include <mach/vm_region.h>

int sectile_address_ranges(bool (*each)(void *data, uintptr_t start, uintptr_t end, bool is_file), void *data) {
  vm_address_t start = 0;
  for (vm_size_t length = 0;; start += length) {
    vm_region_extended_info_data_t facts;
    mach_msg_type_number_t count = VM_REGION_EXTENDED_INFO_COUNT;
    mach_port_t object = MACH_PORT_NULL;
    kern_return_t result =
        vm_region_64(mach_task_self(), &start, &length, VM_REGION_EXTENDED_INFO, (vm_region_info_t)&facts, &count, &object);
    if (object != MACH_PORT_NULL) mach_port_deallocate(mach_task_self(), object);
    if (result == KERN_INVALID_ADDRESS) return 0; /* behind the last */
    if (result != KERN_SUCCESS) return EFAULT;
    if (!each(data, start, start + length, facts.external_pager != 0)) return ENOMEM;
  }
}
