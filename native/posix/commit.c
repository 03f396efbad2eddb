/*
 * What of an object is committed, which is the object's own state that every process sees: the data in it, its
 * size, or a map behind its pages, of a byte for each.
 *
 * Looking may happen inside a signal handler.
 */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Committed in steps, so that a signal interrupts one step and not all of a large range. */
#define STEP ((int64_t)64 << 20)

/* Bytes of a map that are looked at or written at once: a handler has little stack. */
enum { MAP_STEP = 512 };

static int64_t host_page(void) { return (int64_t)sysconf(_SC_PAGESIZE); }

uint64_t sectile_commit_map_total(uint64_t size) {
  uint64_t page = (uint64_t)host_page(), pages = (size + page - 1) / page;
  return pages * (page + 1);
}

/* Where the map of an object begins, by the size that sectile_commit_map_total gave it; -1: it has none. */
static int64_t map_of(int fd) {
  struct stat file;
  if (fstat(fd, &file) != 0) return -1;
  int64_t pages = file.st_size / (host_page() + 1);
  return pages * (host_page() + 1) == file.st_size ? pages * host_page() : -1;
}

/* ----------------------------------------------------------------------------------- looking ---- */

static bool is_in_map(int fd, int64_t offset, int64_t end, int64_t *until) {
  uint8_t bytes[MAP_STEP];
  int64_t map = map_of(fd), page = host_page(), pages = (end - offset) / page;
  if (map < 0 || end > map || pages < 1) return false;
  ssize_t count = pread(fd, bytes, pages < MAP_STEP ? (size_t)pages : MAP_STEP, (off_t)(map + offset / page));
  if (count < 1) return false;
  ssize_t alike = 1;
  while (alike < count && (bytes[alike] != 0) == (bytes[0] != 0)) alike++;
  *until = offset + alike * page;
  return bytes[0] != 0;
}

static bool is_below_size(int fd, int64_t offset, int64_t end, int64_t *until) {
  struct stat file;
  if (fstat(fd, &file) != 0 || offset >= file.st_size) return false;
  int64_t page = host_page(), size = (file.st_size + page - 1) / page * page;
  if (size < end) *until = size;
  return true;
}

static bool has_data(int fd, int64_t offset, int64_t end, int64_t *until) {
  off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
  if (data < 0) return false; /* none from here on */
  if (data > offset) {
    if (data < end) *until = data;
    return false;
  }
  off_t hole = lseek(fd, (off_t)offset, SEEK_HOLE);
  if (hole >= 0 && hole < end) *until = hole;
  return true;
}

bool sectile_is_committed(int fd, sectile_commit_rule rule, int64_t offset, int64_t end, int64_t *until) {
  *until = end;
  switch (rule) {
    case SECTILE_COMMITTED_DATA:
      return has_data(fd, offset, end, until);
    case SECTILE_COMMITTED_SIZE:
      return is_below_size(fd, offset, end, until);
    case SECTILE_COMMITTED_MAP:
      return is_in_map(fd, offset, end, until);
    default:
      return true;
  }
}

/* -------------------------------------------------------------------------------- committing ---- */

/* Makes pages of a range present: only then does the object have data there. */
static int populate(int fd, int64_t offset, int64_t length) {
  char *base = mmap(NULL, (size_t)length, PROT_READ, MAP_SHARED, fd, (off_t)offset);
  if (base == MAP_FAILED) return errno;
  sectile_advise_huge(base, (size_t)length, false);
  int error;
  do {
    error = sectile_populate(base, (size_t)length, false);
  } while (error == EINTR || error == EAGAIN);
  if (error == EINVAL) {
    for (int64_t done = 0; done < length; done += host_page()) (void)*(volatile const char *)(base + done);
    error = 0;
  }
  munmap(base, (size_t)length);
  return error == EFAULT ? ENOMEM : error;
}

static int commit_data(int fd, int64_t offset, int64_t end, bool allocate_first) {
  bool writes = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
  int error = 0;
  for (int64_t step; offset < end && error == 0; offset += step) {
    step = end - offset < STEP ? end - offset : STEP;
    if (writes && allocate_first) error = sectile_allocate(fd, offset, step);
    if (error == 0) error = populate(fd, offset, step);
  }
  return error;
}

/* A file that is to grow: up to `end`, if it is not as large by now. */
static int commit_size(int fd, int64_t end) {
  struct stat file;
  if (fstat(fd, &file) != 0) return errno;
  if (file.st_size >= end) return 0;
  if (!sectile_file_size_allowed((uint64_t)end)) return EFBIG;
  return sectile_allocate(fd, file.st_size, end - file.st_size);
}

/* Storage first, then the map: whoever is killed in between has set something aside, and committed nothing. */
static int commit_map(int fd, int64_t offset, int64_t end) {
  uint8_t present[MAP_STEP];
  int64_t map = map_of(fd), page = host_page();
  if (map < 0 || end > map) return EINVAL;
  if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR) return EACCES; /* the map is part of the object */
  int error = sectile_allocate(fd, offset, end - offset);
  if (error != 0) return error;
  memset(present, 1, sizeof present);
  for (int64_t first = offset / page, last = end / page; first < last;) {
    size_t count = last - first < MAP_STEP ? (size_t)(last - first) : MAP_STEP;
    ssize_t written = pwrite(fd, present, count, (off_t)(map + first));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    first += written;
  }
  return 0;
}

int sectile_commit(int fd, sectile_commit_rule rule, int64_t offset, int64_t end, bool allocate_first) {
  switch (rule) {
    case SECTILE_COMMITTED_DATA:
      return commit_data(fd, offset, end, allocate_first);
    case SECTILE_COMMITTED_SIZE:
      return commit_size(fd, end);
    case SECTILE_COMMITTED_MAP:
      return commit_map(fd, offset, end);
    default:
      return 0;
  }
}
