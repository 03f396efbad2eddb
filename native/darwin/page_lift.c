/*
 * Pages lifted aside on macOS, by vm_remap: without a copy, both places show the same page, whether it is the
 * object's or a private copy. All of it may run in a handler.
 */
#include "posix/system.h"

#include <errno.h>
#include <mach/mach_init.h>
#include <mach/vm_map.h>
#include <sys/mman.h>

static kern_return_t show(vm_address_t *place, size_t size, int flags, uintptr_t source) {
  vm_prot_t now, most;
  return vm_remap(mach_task_self(), place, size, 0, flags, mach_task_self(), source, FALSE, &now, &most, VM_INHERIT_SHARE);
}

void *sectile_page_lift(uintptr_t page, size_t size, bool private_copy) {
  (void)private_copy; /* its old place is about to be mapped over */
  vm_address_t place = 0;
  if (show(&place, size, VM_FLAGS_ANYWHERE, page) == KERN_SUCCESS) return (void *)place;
  errno = ENOMEM;
  return MAP_FAILED;
}

bool sectile_page_put_back(void *place, uintptr_t page, size_t size) {
  vm_address_t target = page;
  if (show(&target, size, VM_FLAGS_FIXED | VM_FLAGS_OVERWRITE, (uintptr_t)place) != KERN_SUCCESS) return false;
  vm_deallocate(mach_task_self(), (vm_address_t)place, size);
  return true;
}

void sectile_copy_if_there(void *target, const void *source, size_t size) {
  vm_size_t copied;
  vm_read_overwrite(mach_task_self(), (vm_address_t)source, size, (vm_address_t)target, &copied);
}
