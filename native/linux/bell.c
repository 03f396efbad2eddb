/*
 * A bell on Linux: an eventfd.
 */
#include "posix/system.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int sectile_bell_open(sectile_bell *bell, const char **syscall) {
  *syscall = "eventfd";
  bell->reader = bell->writer = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return bell->reader < 0 ? errno : 0;
}

void sectile_bell_ring(const sectile_bell *bell) {
  uint64_t one = 1;
  ssize_t ignored = write(bell->writer, &one, sizeof one); /* full: it is ringing already */
  (void)ignored;
}

void sectile_bell_hush(const sectile_bell *bell) {
  uint64_t count;
  ssize_t ignored = read(bell->reader, &count, sizeof count);
  (void)ignored;
}

void sectile_bell_close(sectile_bell *bell) {
  if (bell->reader >= 0) close(bell->reader);
  bell->reader = bell->writer = -1;
}
