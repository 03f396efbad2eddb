/*
 * Systems without a ring of the kernel's that waits for words: threads wait (parking.c).
 */
#include "posix/waits.h"

#include <errno.h>

sectile_ring *sectile_ring_open(void) {
  errno = ENOSYS;
  return NULL;
}

void sectile_ring_close(sectile_ring *ring) { (void)ring; }
int sectile_ring_descriptor(const sectile_ring *ring) {
  (void)ring;
  return -1;
}
int sectile_ring_wait_word(sectile_ring *ring, const int32_t *word, int32_t expected, uint64_t number) {
  (void)ring, (void)word, (void)expected, (void)number;
  return ENOSYS;
}
int sectile_ring_wait_readable(sectile_ring *ring, int fd, uint64_t number) {
  (void)ring, (void)fd, (void)number;
  return ENOSYS;
}
int sectile_ring_cancel(sectile_ring *ring, uint64_t number) {
  (void)ring, (void)number;
  return ENOSYS;
}
size_t sectile_ring_take(sectile_ring *ring, uint64_t *numbers, size_t most) {
  (void)ring, (void)numbers, (void)most;
  return 0;
}
