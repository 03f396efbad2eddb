/*
 * Floor of "create + map + close": the system calls that a committed, sealed section needs, and
 * nothing else. Argument: SIZE.
 */
#include "floor.h"

static uint64_t create_map_close(void *state, uint64_t batch) {
  size_t size = *(const size_t *)state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    int fd = floor_memfd(size, true, 0);
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) floor_fail("fcntl(F_ADD_SEALS)");
    void *view = floor_map(fd, size);
    if (munmap(view, size) != 0) floor_fail("munmap");
    if (close(fd) != 0) floor_fail("close");
  }
  return floor_now() - start;
}

int main(int argc, char **argv) {
  size_t size = floor_bytes(argc, argv, 1);
  return floor_serve(create_map_close, &size);
}
