/*
 * Memory objects on Linux: memfds, whose size and writability can be sealed.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* Pages are made in steps, so that a signal undoes one step and not all of a large object. */
#define STEP ((uint64_t)64 << 20)

/* Huge pages are given to a mapping that asked for them, when it is touched. */
static int commit_by_touch(int fd, uint64_t size) {
  char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return errno;
  sectile_advise_huge(base, size, true); /* ordinary pages do as well */
  int error = 0;
  for (uint64_t done = 0; done < size && error == 0;) {
    uint64_t step = size - done < STEP ? size - done : STEP;
    error = sectile_populate(base + done, step, true);
    if (error == 0) done += step;
    if (error == EINTR || error == EAGAIN) error = 0;
  }
  munmap(base, size);
  return error == EINVAL ? sectile_allocate(fd, 0, (int64_t)size) : error;
}

static int complete(int fd, const sectile_memory_wish *wish, const char **syscall) {
  int result;
  *syscall = "ftruncate";
  do {
    errno = EFBIG;
    result = sectile_file_size_allowed(wish->size) ? ftruncate(fd, (off_t)wish->size) : -1;
  } while (result != 0 && errno == EINTR);
  if (result != 0) return errno;
  if (wish->commit == SECTILE_COMMIT_NONE) return 0;
  *syscall = "fallocate";
  return wish->commit == SECTILE_COMMIT_NOW_HUGE ? commit_by_touch(fd, wish->size) : sectile_allocate(fd, 0, (int64_t)wish->size);
}

int sectile_memory_make(const sectile_memory_wish *wish, int *fd, const char **syscall) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (wish->large_page_size != 0) {
    flags |= MFD_HUGETLB | ((unsigned)__builtin_ctzll(wish->large_page_size) << MFD_HUGE_SHIFT);
  }
  *syscall = "memfd_create";
  /* Nobody shall execute the object as a program; kernels before 6.3 do not know the flag. */
  *fd = memfd_create(wish->label, flags | MFD_NOEXEC_SEAL);
  if (*fd < 0 && errno == EINVAL) *fd = memfd_create(wish->label, flags);
  if (*fd < 0) return errno;
  int error = complete(*fd, wish, syscall);
  if (error != 0) {
    close(*fd);
    *fd = -1;
  }
  return error;
}

bool sectile_memory_can_seal(void) { return true; }

int sectile_memory_seal(int fd, uint32_t seals) {
  const uint32_t known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
  if ((seals & ~known) != 0) return EINVAL;
  return fcntl(fd, F_ADD_SEALS, seals) != 0 ? errno : 0;
}

int sectile_memory_seals(int fd) { return fcntl(fd, F_GET_SEALS); }
