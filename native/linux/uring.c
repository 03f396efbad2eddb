/*
 * Waits in a ring of the kernel's: io_uring(7) with IORING_OP_FUTEX_WAIT (Linux 6.7). One system call starts a wait, which
 * then costs a few hundred bytes and no thread; ended waits stand in memory that is read without a system call. Where a
 * container or an administrator forbids io_uring, the caller goes another way.
 */
#include "posix/waits.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not in the headers of every C library that has the system calls. */
enum { SETUP = 425, ENTER = 426, REGISTER = 427 };
enum { OP_POLL_ADD = 6, OP_ASYNC_CANCEL = 14, OP_FUTEX_WAIT = 51, OPS = 52 };
enum { SQE_SKIP_SUCCESS = 1 << 6, SETUP_CQSIZE = 1 << 3, SETUP_CLAMP = 1 << 4, SETUP_COOP_TASKRUN = 1 << 8 };
enum { ENTER_GETEVENTS = 1, FLAG_CQ_OVERFLOW = 1 << 1, REGISTER_PROBE = 8, PROBE_SUPPORTED = 1 };
enum { WORD_OF_32_BITS = 2 };
enum { SUBMISSIONS = 8, COMPLETIONS = 1024 };

/* struct io_uring_sqe, whose later members older headers lack. */
typedef struct {
  uint8_t opcode, flags;
  uint16_t priority;
  int32_t fd;
  uint64_t second_address, address;
  uint32_t length, operation_flags;
  uint64_t number;
  uint16_t buffer, personality;
  int32_t file;
  uint64_t third, reserved;
} submission;
_Static_assert(sizeof(submission) == 64, "as the kernel has it");

typedef struct {
  uint64_t number;
  int32_t result;
  uint32_t flags;
} completion;
_Static_assert(sizeof(completion) == 16, "as the kernel has it");

typedef struct {
  void *start;
  size_t length;
} area;

struct sectile_ring {
  int fd;
  area submitted, completed, entries; /* the second may be part of the first */
  uint32_t *sq_tail, *sq_flags, *sq_array, *cq_head, *cq_tail;
  uint32_t sq_mask, cq_mask;
  submission *submissions;
  const completion *completions;
};

static bool waits_for_words(int fd) {
  struct {
    uint8_t last, count;
    uint16_t reserved;
    uint32_t reserved2[3];
    struct {
      uint8_t op, reserved;
      uint16_t flags;
      uint32_t reserved2;
    } ops[OPS];
  } probe;
  memset(&probe, 0, sizeof probe);
  return syscall(REGISTER, fd, REGISTER_PROBE, &probe, OPS) == 0 && probe.last >= OP_FUTEX_WAIT &&
         (probe.ops[OP_FUTEX_WAIT].flags & PROBE_SUPPORTED) != 0;
}

static bool map_area(area *self, int fd, size_t length, int64_t offset) {
  void *start = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
  if (start == MAP_FAILED) return false;
  *self = (area){start, length};
  return true;
}

static bool map_areas(sectile_ring *self, const struct io_uring_params *given) {
  size_t submitted = given->sq_off.array + given->sq_entries * sizeof(uint32_t);
  size_t completed = given->cq_off.cqes + given->cq_entries * sizeof(completion);
  if (!map_area(&self->submitted, self->fd, submitted, IORING_OFF_SQ_RING) ||
      !map_area(&self->completed, self->fd, completed, IORING_OFF_CQ_RING) ||
      !map_area(&self->entries, self->fd, given->sq_entries * sizeof(submission), IORING_OFF_SQES)) {
    return false;
  }
  char *sq = self->submitted.start, *cq = self->completed.start;
  self->sq_tail = (uint32_t *)(sq + given->sq_off.tail);
  self->sq_flags = (uint32_t *)(sq + given->sq_off.flags);
  self->sq_array = (uint32_t *)(sq + given->sq_off.array);
  self->sq_mask = *(uint32_t *)(sq + given->sq_off.ring_mask);
  self->cq_head = (uint32_t *)(cq + given->cq_off.head);
  self->cq_tail = (uint32_t *)(cq + given->cq_off.tail);
  self->cq_mask = *(uint32_t *)(cq + given->cq_off.ring_mask);
  self->submissions = self->entries.start;
  self->completions = (const completion *)(cq + given->cq_off.cqes);
  return true;
}

sectile_ring *sectile_ring_open(void) {
  sectile_ring *self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  /* Cooperative: an ended wait interrupts a thread that sleeps, and not one that computes. */
  struct io_uring_params given = {.flags = SETUP_CQSIZE | SETUP_CLAMP | SETUP_COOP_TASKRUN, .cq_entries = COMPLETIONS};
  self->fd = (int)syscall(SETUP, SUBMISSIONS, &given);
  bool opened = self->fd >= 0 && waits_for_words(self->fd);
  if (opened && map_areas(self, &given)) return self;
  int error = self->fd >= 0 && !opened ? ENOSYS : errno;
  sectile_ring_close(self);
  errno = error;
  return NULL;
}

void sectile_ring_close(sectile_ring *self) {
  const area areas[] = {self->submitted, self->completed, self->entries};
  for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
    if (areas[i].start != NULL) munmap(areas[i].start, areas[i].length);
  }
  if (self->fd >= 0) close(self->fd); /* ends all its waits */
  free(self);
}

int sectile_ring_descriptor(const sectile_ring *self) { return self->fd; }

static int enter(const sectile_ring *self, unsigned submitted, unsigned flags) {
  for (;;) {
    if (syscall(ENTER, self->fd, submitted, 0, flags, NULL, 0) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

/* Each submission is taken by the kernel before the next: there is always room for one. */
static int submit(sectile_ring *self, const submission *wish) {
  uint32_t tail = *self->sq_tail, place = tail & self->sq_mask;
  self->submissions[place] = *wish;
  self->sq_array[place] = place;
  __atomic_store_n(self->sq_tail, tail + 1, __ATOMIC_RELEASE);
  int error = enter(self, 1, 0);
  /* EBUSY, EAGAIN: nothing was taken. */
  if (error != 0) __atomic_store_n(self->sq_tail, tail, __ATOMIC_RELEASE);
  return error;
}

int sectile_ring_wait_word(sectile_ring *self, const int32_t *word, int32_t expected, uint64_t number) {
  return submit(self, &(submission){.opcode = OP_FUTEX_WAIT,
                                    .fd = WORD_OF_32_BITS,
                                    .address = (uintptr_t)word,
                                    .second_address = (uint32_t)expected,
                                    .third = UINT32_MAX,
                                    .number = number});
}

int sectile_ring_wait_readable(sectile_ring *self, int fd, uint64_t number) {
  return submit(self, &(submission){.opcode = OP_POLL_ADD, .fd = fd, .operation_flags = POLLIN, .number = number});
}

int sectile_ring_cancel(sectile_ring *self, uint64_t number) {
  /* What it did not find has ended, which its number tells. */
  return submit(self, &(submission){.opcode = OP_ASYNC_CANCEL, .flags = SQE_SKIP_SUCCESS, .fd = -1, .address = number});
}

size_t sectile_ring_take(sectile_ring *self, uint64_t *numbers, size_t most) {
  size_t count = 0;
  while (count < most) {
    uint32_t head = *self->cq_head;
    if (head == __atomic_load_n(self->cq_tail, __ATOMIC_ACQUIRE)) {
      /* What found no room is handed on when asked for. */
      if ((__atomic_load_n(self->sq_flags, __ATOMIC_RELAXED) & FLAG_CQ_OVERFLOW) == 0 || enter(self, 0, ENTER_GETEVENTS) != 0)
        break;
      if (head == __atomic_load_n(self->cq_tail, __ATOMIC_ACQUIRE)) break;
      continue;
    }
    uint64_t number = self->completions[head & self->cq_mask].number;
    __atomic_store_n(self->cq_head, head + 1, __ATOMIC_RELEASE);
    if (number != 0) numbers[count++] = number;
  }
  return count;
}
