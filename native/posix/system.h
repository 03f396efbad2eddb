/*
 * What the files in posix/ ask of the system below them. Each name is given once per build: by linux/ on
 * Linux; on macOS by darwin/ for what only macOS knows, and by portable/ for what POSIX knows.
 *
 * Functions that return int give 0 or an error number unless they say otherwise. ENOSYS: this system
 * has no such thing.
 */
#ifndef SECTILE_SYSTEM_H
#define SECTILE_SYSTEM_H

#include "guard.h"
#include "socket.h"

#include <signal.h>

/* ---- memory_object.c ---- */

enum { SECTILE_COMMIT_NONE = 0, SECTILE_COMMIT_NOW = 1, SECTILE_COMMIT_NOW_HUGE = 2 };

typedef struct {
  char label[200]; /* for people, where the system shows it */
  uint64_t size;
  uint32_t commit;
  uint64_t large_page_size; /* 0: ordinary pages */
} sectile_memory_wish;

/* Makes an object that only descriptors name. Any thread. */
int sectile_memory_make(const sectile_memory_wish *wish, int *fd, const char **syscall);
/* Whether such objects know seals. */
bool sectile_memory_can_seal(void);
int sectile_memory_seal(int fd, uint32_t seals);
/* The seals, or -1: the object knows none. */
int sectile_memory_seals(int fd);

/* ---- memory_file.c, of all systems ---- */

/* Makes an object that is a new file. On failure there is no file. */
int sectile_memory_file_make(const char *path, const sectile_memory_wish *wish, int *fd, const char **syscall);
/* Gives a new file the size and the storage of an object; a sparse one gets a map of what is committed. */
int sectile_memory_file_fill(int fd, const sectile_memory_wish *wish, const char **syscall);

/* ---- allocate.c ---- */

/* Sets storage aside, so that what is written there cannot fail for want of it; the file grows. Nothing in it changes. */
int sectile_allocate(int fd, int64_t offset, int64_t length);

/* ---- addresses.c ---- */

/* How many mappings the process may have. */
int64_t sectile_most_mappings(void);
/* Reserves exactly these addresses; EEXIST where some are taken. */
int sectile_reserve_at(uintptr_t address, size_t length);

/* ---- duplicate.c ---- */

/*
 * Maps once more what `old`, a writable shared mapping of fd from `offset` on, maps: at `place` if not NULL, over what
 * is there. Where the object has seals, they are not asked. MAP_FAILED: errno is set.
 */
void *sectile_duplicate_mapping(void *old, size_t length, void *place, int fd, int64_t offset);

/* ---- advice.c ---- */

/* A wish, for or against huge pages. */
void sectile_advise_huge(void *start, size_t length, bool wanted);
/* Makes pages present. EINVAL: the system has no call for it, and the caller touches them. */
int sectile_populate(void *start, size_t length, bool for_writing);
/* Gives pages of private memory back, which read as zeros from now on; they are all protected so. */
int sectile_discard(void *start, size_t length, int protection);

/* ---- page_copies.c ---- */

/* Whether the page at `start` of a private mapping is a copy, and where (at most at `end`) that changes. */
bool sectile_is_copy(uintptr_t start, uintptr_t end, size_t page_size, uintptr_t *until);

/* ---- fault.c: all in a handler ---- */

typedef struct {
  bool writes, executes;
} sectile_access;

typedef enum {
  SECTILE_CAUSE_PROTECTION, /* the mapping forbids it, or there is none */
  SECTILE_CAUSE_BACKING,    /* what is mapped is gone */
  SECTILE_CAUSE_HARDWARE,
  SECTILE_CAUSE_UNSAID /* the system does not tell these apart: what the mapping allows has to */
} sectile_fault_cause;

/* Whether a signal is the kernel's own report of an access that failed: not kill(2), not a misaligned address. */
bool sectile_is_access_fault(int signal_number, const siginfo_t *info, const void *context);
/* What the faulting instruction did: writing where the machine does not say, executing only where it says so. */
sectile_access sectile_fault_access(const void *context);
sectile_fault_cause sectile_fault_cause_of(int signal_number, const siginfo_t *info);

/* ---- page_lift.c: all in a handler ---- */

/*
 * A page of a mapping, at another place as well (of a shared mapping) or instead (of a private one, with the copy that it may
 * be): the caller maps over `page` next. MAP_FAILED: nothing has changed.
 */
void *sectile_page_lift(uintptr_t page, size_t size, bool private_copy);
/* Moves a page, with what it is a mapping of, over whatever is at another place. False: nothing has changed. */
bool sectile_page_put_back(void *place, uintptr_t page, size_t size);
/* Copies what may have lost its backing, without a fault. */
void sectile_copy_if_there(void *target, const void *source, size_t size);

/* ---- threads.c ---- */

/* Names the calling thread, for debuggers. */
void sectile_thread_name(const char *name);
/* A number of the calling thread's own, 0 at first; in a handler. */
int sectile_thread_depth(void);
void sectile_thread_set_depth(int depth);

/* ---- bell.c: wakes a thread ---- */

typedef struct {
  int reader, writer; /* may be the same; -1 while closed */
} sectile_bell;

int sectile_bell_open(sectile_bell *bell, const char **syscall);
/* In a handler, too. */
void sectile_bell_ring(const sectile_bell *bell);
/* Makes it silent after it was heard. */
void sectile_bell_hush(const sectile_bell *bell);
void sectile_bell_close(sectile_bell *bell);

/* ---- poller.c ---- */

/* Which of many sockets can be read. Changed by any thread while one waits. */
typedef struct sectile_poller sectile_poller;

typedef struct {
  void *subject; /* NULL: woken */
  bool hung_up;
} sectile_ready;

sectile_poller *sectile_poller_open(const char **syscall); /* NULL: errno is set */
void sectile_poller_close(sectile_poller *poller);
/* Watches a descriptor, or watches it otherwise. Without `reads` it reports a hang-up at most, and need not do that. */
int sectile_poller_watch(sectile_poller *poller, int fd, bool reads, void *subject);
void sectile_poller_forget(sectile_poller *poller, int fd);
/* Waits for some milliseconds, -1 for ever. How many of `ready` were filled in; each subject once. */
int sectile_poller_wait(sectile_poller *poller, sectile_ready *ready, int most, int timeout);
void sectile_poller_wake(sectile_poller *poller);

/* ---- sockets.c: everything closes on exec; -1: errno is set ---- */

int sectile_socket(bool non_blocking);
/* Not blocking. */
int sectile_accept(int listener);
/* Both ends not blocking. */
int sectile_pipe(int ends[2]);

/* ---- paths.c ---- */

/* Where an open file is now. */
int sectile_descriptor_path(int fd, char *path, size_t capacity);
/* The flags of open(2) that open a file only to say which it is; `link`: a link itself. */
int sectile_path_only_flags(bool link);
/* Whether flags of F_GETFL are those of such a descriptor. */
bool sectile_is_path_only(int flags);

/* The user's folder for temporary files, without a slash at its end; false where it does not fit. */
bool sectile_temporary_folder(char *path, size_t capacity);

/* ---- reopen.c ---- */

/* A new description of what `fd` is open on. -1: errno is set. */
int sectile_reopen(int fd, bool writes);
/* The same description under another number, and what is known of it for sectile_reopen. -1: errno is set. */
int sectile_duplicate(int fd);
/* Forgets what is known of a number that somebody else closes. */
void sectile_forget(int fd);
/* Both: for every number that memory may be open under. */
void sectile_close(int fd);

/* ---- processes.c ---- */

/* A descriptor that means one process for good and can be polled for its end; -1: errno is set. */
int sectile_process_open(pid_t pid);
/* Its number; -1: errno is set, ESRCH when it has been reaped, EINVAL when it is none that this process knows. */
pid_t sectile_process_id(int process);
/* How a child ended, without reaping it; on Linux 6.15 also how a process did that somebody has reaped. si_signo is 0 while it
 * runs; ECHILD: not known. */
int sectile_process_ending(int process, siginfo_t *end);
int sectile_process_kill(int process);
/* When a process started, as a number that no other process of its number has: ESRCH when it has ended, EPERM if that cannot be
 * told. */
int sectile_process_start(pid_t pid, uint64_t *start);
/* The arguments that a process was started with, each with its terminator; or its program alone, where no more can be seen. */
int sectile_process_command(pid_t pid, char *command, size_t capacity, size_t *length);
/* Which processes the numbers of this one's mean; 0: there is but one such space. */
int sectile_process_namespace(uint64_t *number);

/* ---- address_ranges.c ---- */

/* Calls `each` for every range of addresses in use, in their order, until it answers false. */
int sectile_address_ranges(bool (*each)(void *data, uintptr_t start, uintptr_t end, bool is_file), void *data);

/* ---- posix_objects.c ---- */

/* Opens what shm_open(3) made under a name without a slash; -1: errno is set. */
int sectile_posix_object_open(const char *name, bool writes);

#endif
