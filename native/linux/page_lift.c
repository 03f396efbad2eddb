/*
 * Pages lifted aside on Linux, by mremap. All of it may run in a handler.
 */
#include "posix/system.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

void *sectile_page_lift(uintptr_t page, size_t size, bool private_copy) {
  /* Old size 0 duplicates a shared mapping; a private one, with the copies in it, can only be moved. */
  return private_copy ? mremap((void *)page, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL)
                      : mremap((void *)page, 0, size, MREMAP_MAYMOVE);
}

bool sectile_page_put_back(void *place, uintptr_t page, size_t size) {
  return mremap(place, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)page) != MAP_FAILED;
}

void sectile_copy_if_there(void *target, const void *source, size_t size) {
  struct iovec to = {target, size}, from = {(void *)(uintptr_t)source, size};
  ssize_t copied = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
  (void)copied;
}
