/*
 * Channels of Sectile for C: rings, latest values, broadcasts and pools in memory that processes share, as docs/channel-layout.md
 * lays them out. One header, C11 with libc, Linux. Makes no channel: formats none, and keeps no names; see README.md for how to
 * get at the memory. Whatever the other side wrote is read once and checked before it is used.
 *
 *   sectile_channel channel;
 *   sectile_ring_consumer consumer;
 *   if (sectile_map(&channel, "/dev/shm/frames", 0, SECTILE_RING, true) != SECTILE_OK) …
 *   if (sectile_ring_consumer_open(&consumer, &channel) != SECTILE_OK) …
 *   while (sectile_ring_receive(&consumer, bytes, sizeof bytes, &length, -1) == SECTILE_OK) …
 *   sectile_ring_consumer_close(&consumer);
 *   sectile_unmap(&channel);
 *
 * An object of a role belongs to one thread at a time. Times are milliseconds, -1 for ever. Who waits looks ten times a second
 * whether the other side's process still lives.
 */
#ifndef SECTILE_CHANNEL_H
#define SECTILE_CHANNEL_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE before the first header: this one needs syscall(2)"
#endif

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/** What a call answers. */
typedef enum {
  SECTILE_OK,
  SECTILE_NOTHING,    /* a try: there is nothing, or no room */
  SECTILE_TIMED_OUT,  /* the time is over */
  SECTILE_ENDED,      /* the other side has closed, and all was taken */
  SECTILE_BROKEN_OFF, /* the same, and it said that not all has come */
  SECTILE_PEER_DIED,  /* the other side's process has ended without closing, and all was taken */
  SECTILE_ROLE_TAKEN, /* a living process has the role */
  SECTILE_ELSEWHERE,  /* the mutex belongs to another PID namespace, where process numbers mean something else */
  SECTILE_TOO_BIG,    /* longer than the channel or the buffer takes; what was to be read stays */
  SECTILE_EXPELLED,   /* a pool's producer serves this consumer no more */
  SECTILE_NO_CHANNEL, /* no channel of this kind and version stands there */
  SECTILE_DAMAGED,    /* the memory says what cannot be */
  SECTILE_SYSTEM      /* errno says what */
} sectile_result;

static inline const char *sectile_text(sectile_result result) {
  static const char *const texts[] = {
      "done",
      "nothing there",
      "nothing came in time",
      "the other side has closed",
      "the other side broke off",
      "the other side's process has ended",
      "a living process has that role",
      "the mutex belongs to another PID namespace",
      "too long",
      "the producer serves this consumer no more",
      "no channel of this kind and version there",
      "the channel is damaged",
      "a system call failed",
  };
  return (unsigned)result < sizeof texts / sizeof *texts ? texts[result] : "unknown";
}

typedef enum { SECTILE_RING = 1, SECTILE_LATEST, SECTILE_BROADCAST, SECTILE_POOL } sectile_kind;

/** A channel's memory, and what its header said when it was looked at. */
typedef struct {
  unsigned char *base;
  uint64_t size;
  uint32_t flags, home, data;
  uint32_t parameters[4];
  void *mapping; /* what sectile_map mapped */
  size_t mapped;
} sectile_channel;

/* ------------------------------------------------------------------------------------------ words ---- */

static inline uint32_t sectile__load(const void *word) { return atomic_load((_Atomic uint32_t *)(uintptr_t)word); }
static inline void sectile__store(void *word, uint32_t value) { atomic_store((_Atomic uint32_t *)word, value); }
static inline uint32_t sectile__swap(void *word, uint32_t value) { return atomic_exchange((_Atomic uint32_t *)word, value); }
static inline void sectile__fence(void) { atomic_thread_fence(memory_order_seq_cst); }
static inline uint64_t sectile__load64(const void *pair) {
  return (uint64_t)sectile__load((const unsigned char *)pair + 4) << 32 | sectile__load(pair);
}
static inline void sectile__store64(void *pair, uint64_t value) {
  sectile__store(pair, (uint32_t)value);
  sectile__store((unsigned char *)pair + 4, (uint32_t)(value >> 32));
}

static inline void sectile__wake(void *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0); }

static inline int64_t sectile__now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Sleeps while the word has that value; for so long at most. May end for no reason. */
static inline void sectile__sleep(const void *word, uint32_t expected, int64_t milliseconds) {
  struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  syscall(SYS_futex, word, FUTEX_WAIT, expected, &time, NULL, 0);
}

/** How long to sleep at most before looking whether the other side lives; 0: the time is over. */
static inline int64_t sectile__slice(int64_t end, int64_t most) {
  if (end < 0) return most;
  int64_t left = end - sectile__now();
  return left < 0 ? 0 : left < most ? left : most;
}
static inline int64_t sectile__end(int64_t timeout) { return timeout < 0 ? -1 : sectile__now() + timeout; }
/** In milliseconds. SEEN: how long what another processor has stored may be unseen, at the very most. */
enum { SECTILE__SEEN = 1, SECTILE__LOOK = 100, SECTILE__POLL = 2, SECTILE__PATIENCE = 100 };

/* ------------------------------------------------------------------------------------------ roles ---- */

/** When a process started, in the system's clock ticks. False: there is none, with errno ESRCH, or nobody can tell. */
static inline bool sectile__started(uint32_t pid, uint64_t *start) {
  char path[32], text[1024];
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) {
    if (errno == ENOENT) errno = ESRCH;
    return false;
  }
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  /* The program's name, which may have anything in it, ends with the last parenthesis. Field 3 follows. */
  const char *at = strrchr(text, ')');
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  /* A process that has ended and that nobody has asked for yet counts as ended. */
  const char *state = strrchr(text, ')');
  if (at == NULL || (state[2] == 'Z' || state[2] == 'X')) {
    errno = ESRCH;
    return false;
  }
  *start = strtoull(at + 1, NULL, 10);
  return true;
}

/** The low half of the number of this process's PID namespace; 0: nobody can tell. */
static inline uint32_t sectile__namespace(void) {
  struct stat facts;
  return stat("/proc/self/ns/pid", &facts) == 0 ? (uint32_t)facts.st_ino : 0;
}

static inline uint64_t sectile__own_role(const sectile_channel *channel) {
  uint64_t start = 0;
  sectile__started((uint32_t)getpid(), &start);
  uint64_t elsewhere = channel->home == sectile__namespace() ? 0 : 0x80000000u;
  return (uint64_t)(uint32_t)start << 32 | elsewhere | ((uint32_t)getpid() & 0x7fffffff);
}

/** Whether the process that a role's word names is known to have ended. */
static inline bool sectile__has_ended(const sectile_channel *channel, uint64_t role) {
  uint64_t start;
  if (role == 0 || (role & 0x80000000u) != 0 || channel->home != sectile__namespace()) return false;
  if (!sectile__started((uint32_t)role & 0x7fffffff, &start)) return errno == ESRCH;
  uint32_t said = (uint32_t)(role >> 32);
  return said != 0 && said != (uint32_t)start;
}

static inline uint64_t sectile__role(const sectile_channel *channel, size_t offset) {
  return atomic_load((_Atomic uint64_t *)(channel->base + offset));
}

static inline sectile_result sectile__take_role(sectile_channel *channel, size_t offset) {
  _Atomic uint64_t *role = (_Atomic uint64_t *)(channel->base + offset);
  uint64_t found = atomic_load(role), own = sectile__own_role(channel);
  do {
    if (found != 0 && !sectile__has_ended(channel, found)) return SECTILE_ROLE_TAKEN;
  } while (!atomic_compare_exchange_strong(role, &found, own));
  return SECTILE_OK;
}

static inline void sectile__give_role(sectile_channel *channel, size_t offset) {
  uint64_t own = sectile__own_role(channel);
  atomic_compare_exchange_strong((_Atomic uint64_t *)(channel->base + offset), &own, 0);
}

/* ----------------------------------------------------------------------------------------- memory ---- */

/** The channel that stands at an address, in so many bytes. The address is a multiple of 64. */
static inline sectile_result sectile_at(sectile_channel *channel, void *address, uint64_t length, sectile_kind kind) {
  memset(channel, 0, sizeof *channel);
  unsigned char *base = address;
  if (length < 128 || (uintptr_t)base % 64 != 0 || sectile__load(base) != 0x4e484353) return SECTILE_NO_CHANNEL;
  if (sectile__load(base + 4) != 1 || sectile__load(base + 8) != (uint32_t)kind) return SECTILE_NO_CHANNEL;
  channel->base = base;
  channel->flags = sectile__load(base + 12);
  channel->size = sectile__load64(base + 16);
  channel->home = sectile__load(base + 32);
  channel->data = sectile__load(base + 36);
  for (int index = 0; index < 4; index++) channel->parameters[index] = sectile__load(base + 40 + 4 * index);
  bool fits = channel->size <= length && channel->data >= 192 && channel->data % 8 == 0 && channel->data <= channel->size;
  return fits ? SECTILE_OK : SECTILE_DAMAGED;
}

/**
 * Maps a file, an object of shm_open (its path below /dev/shm) or a descriptor (/proc/self/fd/N, /proc/PID/fd/N), and looks for
 * a channel at an offset, a multiple of 64. Readers of latest values and broadcasts need no right to write.
 */
static inline sectile_result sectile_map(sectile_channel *channel, const char *path, uint64_t offset, sectile_kind kind,
                                         bool writable) {
  struct stat facts;
  memset(channel, 0, sizeof *channel);
  int descriptor = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (descriptor < 0) return SECTILE_SYSTEM;
  if (fstat(descriptor, &facts) != 0 || facts.st_size <= 0 || offset % 64 != 0 || offset >= (uint64_t)facts.st_size) {
    close(descriptor);
    return SECTILE_NO_CHANNEL;
  }
  size_t length = (size_t)facts.st_size;
  void *mapping = mmap(NULL, length, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, descriptor, 0);
  int error = errno;
  close(descriptor);
  errno = error;
  if (mapping == MAP_FAILED) return SECTILE_SYSTEM;
  sectile_result result = sectile_at(channel, (unsigned char *)mapping + offset, length - offset, kind);
  if (result != SECTILE_OK) {
    munmap(mapping, length);
    return result;
  }
  channel->mapping = mapping;
  channel->mapped = length;
  return SECTILE_OK;
}

static inline void sectile_unmap(sectile_channel *channel) {
  if (channel->mapping != NULL) munmap(channel->mapping, channel->mapped);
  memset(channel, 0, sizeof *channel);
}

/* ------------------------------------------------------------------------------------------ rings ---- */

enum {
  SECTILE__CONSUMER = 128,
  SECTILE__TAIL = 256,
  SECTILE__PRODUCER_ENDED = 260,
  SECTILE__HEAD = 384,
  SECTILE__CONSUMER_ENDED = 388,
  SECTILE__CONSUMER_SLEEPS = 512,
  SECTILE__PRODUCER_SLEEPS = 640,
  SECTILE__MUTEX = 768,
  SECTILE__PRODUCERS = 896,
  SECTILE__MOST_PRODUCERS = 64,
  SECTILE__PAD = -1
};

typedef struct {
  sectile_channel *channel;
  uint32_t capacity, tail, head;
  size_t role;
  uint64_t name; /* with several producers: who this one is in the mutex */
  bool many, damaged;
} sectile_ring_producer;

typedef struct {
  sectile_channel *channel;
  uint32_t capacity, tail, head;
  bool many, damaged;
} sectile_ring_consumer;

static inline bool sectile__ring_is_possible(const sectile_channel *channel) {
  uint32_t capacity = channel->parameters[0];
  return capacity >= 1024 && capacity <= 1u << 30 && (capacity & (capacity - 1)) == 0 &&
         channel->data >= SECTILE__PRODUCERS + 8 * SECTILE__MOST_PRODUCERS && channel->size - channel->data >= capacity;
}

/** The other side may sleep: it is woken if it does. After a change that it waits for. */
static inline void sectile__ring_tell(sectile_channel *channel, size_t sleeps) {
  sectile__fence();
  if (sectile__load(channel->base + sleeps) == 0) return;
  sectile__store(channel->base + sleeps, 0);
  sectile__wake(channel->base + sleeps);
}

/**
 * Says that this side sleeps next, before it looks once more. For how long at most: what the other side has stored before it saw
 * that may be seen late, so the first sleep behind it is short.
 */
static inline int64_t sectile__ring_say(sectile_channel *channel, size_t sleeps, bool first) {
  return sectile__swap(channel->base + sleeps, 1) == 0 || first ? SECTILE__SEEN : SECTILE__LOOK;
}

/** Whoever has a new role is to be watched: the other side is woken, whatever it says of its sleep. */
static inline void sectile__ring_greet(sectile_channel *channel, size_t sleeps) {
  sectile__store(channel->base + sleeps, 0);
  sectile__wake(channel->base + sleeps);
}

/** Whether a position of the other side can follow the one that it had, of a ring that holds so much at most. */
static inline bool sectile__positions_hold(uint32_t tail, uint32_t head, uint32_t held) {
  return ((tail | head) & 7) == 0 && tail - head <= held;
}

/* The mutex of several producers. Every producer of this program has a serial number of its own there. */
static inline sectile_result sectile__mutex_try(sectile_ring_producer *producer) {
  unsigned char *mutex = producer->channel->base + SECTILE__MUTEX;
  _Atomic uint64_t *owner = (_Atomic uint64_t *)mutex;
  uint32_t nowhere = 0, here = sectile__namespace();
  if (!atomic_compare_exchange_strong((_Atomic uint32_t *)(mutex + 12), &nowhere, here) && nowhere != here) {
    return SECTILE_ELSEWHERE;
  }
  uint64_t found = atomic_load(owner);
  for (;;) {
    uint64_t name = found & ~(uint64_t)0xc0000000u, start;
    if (name != 0) {
      bool gone = !sectile__started((uint32_t)name >> 8, &start)
                      ? errno == ESRCH
                      : (uint16_t)(name >> 32) != 0 && (uint16_t)(name >> 32) != (uint16_t)start;
      if (!gone) return SECTILE_NOTHING;
    }
    if (atomic_compare_exchange_strong(owner, &found, producer->name | (found & 0x80000000u))) break;
  }
  sectile__store(mutex + 8, 1);
  return SECTILE_OK;
}

static inline void sectile__mutex_give(sectile_ring_producer *producer) {
  unsigned char *mutex = producer->channel->base + SECTILE__MUTEX;
  sectile__store(mutex + 8, 0);
  uint64_t found = atomic_exchange((_Atomic uint64_t *)mutex, 0);
  if ((found & 0x80000000u) != 0) sectile__wake(mutex);
  /* Other producers sleep there when they find the mutex taken. */
  sectile__ring_tell(producer->channel, SECTILE__PRODUCER_SLEEPS);
}

/** Takes the producer's role, or one of several. */
static inline sectile_result sectile_ring_producer_open(sectile_ring_producer *producer, sectile_channel *channel) {
  static _Atomic uint32_t serials = 1;
  memset(producer, 0, sizeof *producer);
  if (!sectile__ring_is_possible(channel)) return SECTILE_DAMAGED;
  producer->channel = channel;
  producer->capacity = channel->parameters[0];
  producer->many = (channel->flags & 1) != 0;
  sectile_result result = SECTILE_ROLE_TAKEN;
  int slots = producer->many ? SECTILE__MOST_PRODUCERS : 1;
  for (int slot = 0; slot < slots && result == SECTILE_ROLE_TAKEN; slot++) {
    producer->role = SECTILE__PRODUCERS + 8 * (size_t)slot;
    result = sectile__take_role(channel, producer->role);
  }
  if (result != SECTILE_OK) return result;
  uint64_t start = 0, serial = atomic_fetch_add(&serials, 1);
  sectile__started((uint32_t)getpid(), &start);
  producer->name =
      (serial >> 8 & 0xffff) << 48 | (uint64_t)(uint16_t)start << 32 | (uint64_t)(uint32_t)getpid() << 8 | (serial & 0xff);
  producer->tail = sectile__load(channel->base + SECTILE__TAIL);
  producer->head = sectile__load(channel->base + SECTILE__HEAD);
  if (!producer->many && !sectile__positions_hold(producer->tail, producer->head, producer->capacity)) {
    sectile__give_role(channel, producer->role);
    return SECTILE_DAMAGED;
  }
  sectile__store(channel->base + SECTILE__PRODUCER_ENDED, 0);
  sectile__ring_greet(channel, SECTILE__CONSUMER_SLEEPS);
  return SECTILE_OK;
}

/** The longest message. */
static inline uint32_t sectile_ring_longest(const sectile_ring_producer *producer) { return producer->capacity / 2 - 8; }

/* With the mutex, where there is one. */
static inline sectile_result sectile__ring_put(sectile_ring_producer *producer, const void *message, uint32_t length) {
  sectile_channel *channel = producer->channel;
  unsigned char *data = channel->base + channel->data;
  uint32_t record = (length + 15) & ~(uint32_t)7, at = producer->tail & (producer->capacity - 1);
  uint32_t pad = producer->capacity - at < record ? producer->capacity - at : 0;
  if (producer->capacity - (producer->tail - producer->head) < pad + record) {
    uint32_t head = sectile__load(channel->base + SECTILE__HEAD);
    if (!sectile__positions_hold(producer->tail, head, producer->tail - producer->head)) {
      producer->damaged = true;
      return SECTILE_DAMAGED;
    }
    producer->head = head;
    if (producer->capacity - (producer->tail - head) < pad + record) return SECTILE_NOTHING;
  }
  if (pad != 0) {
    int32_t skip = SECTILE__PAD;
    memcpy(data + at, &skip, 4);
    at = 0;
  }
  memcpy(data + at, &length, 4);
  if (length != 0) memcpy(data + at + 8, message, length);
  producer->tail += pad + record;
  sectile__store(channel->base + SECTILE__TAIL, producer->tail);
  sectile__ring_tell(channel, SECTILE__CONSUMER_SLEEPS);
  return SECTILE_OK;
}

/** Sends a message if there is room for it now: SECTILE_OK, SECTILE_NOTHING, SECTILE_TOO_BIG, SECTILE_DAMAGED. */
static inline sectile_result sectile_ring_try_send(sectile_ring_producer *producer, const void *message, uint32_t length) {
  if (producer->damaged) return SECTILE_DAMAGED;
  if (length > sectile_ring_longest(producer)) return SECTILE_TOO_BIG;
  if (!producer->many) return sectile__ring_put(producer, message, length);
  sectile_result result = sectile__mutex_try(producer);
  if (result != SECTILE_OK) return result;
  producer->tail = sectile__load(producer->channel->base + SECTILE__TAIL);
  producer->head = sectile__load(producer->channel->base + SECTILE__HEAD);
  if (sectile__positions_hold(producer->tail, producer->head, producer->capacity)) {
    result = sectile__ring_put(producer, message, length);
  } else {
    producer->damaged = true;
    result = SECTILE_DAMAGED;
  }
  sectile__mutex_give(producer);
  return result;
}

/** Sends a message, and waits for room: also SECTILE_TIMED_OUT, SECTILE_ENDED and SECTILE_PEER_DIED (nobody makes room). */
static inline sectile_result sectile_ring_send(sectile_ring_producer *producer, const void *message, uint32_t length,
                                               int64_t timeout) {
  sectile_channel *channel = producer->channel;
  int64_t end = sectile__end(timeout);
  for (bool first = true;; first = false) {
    sectile_result result = sectile_ring_try_send(producer, message, length);
    if (result != SECTILE_NOTHING) return result;
    int64_t most = sectile__ring_say(channel, SECTILE__PRODUCER_SLEEPS, first);
    uint64_t consumer = sectile__role(channel, SECTILE__CONSUMER);
    bool died = sectile__has_ended(channel, consumer), closed = sectile__load(channel->base + SECTILE__CONSUMER_ENDED) != 0;
    result = sectile_ring_try_send(producer, message, length);
    if (result != SECTILE_NOTHING) return result;
    if (died) return SECTILE_PEER_DIED;
    if (closed) return SECTILE_ENDED;
    int64_t slice = sectile__slice(end, most);
    if (slice == 0) return SECTILE_TIMED_OUT;
    sectile__sleep(channel->base + SECTILE__PRODUCER_SLEEPS, 1, slice);
  }
}

/** Whether a living process, or one of which nobody can tell, has a producer's role; `died`: one has ended in it. */
static inline bool sectile__ring_produced(const sectile_channel *channel, bool many, bool *died) {
  *died = false;
  for (int slot = 0; slot < (many ? SECTILE__MOST_PRODUCERS : 1); slot++) {
    uint64_t role = sectile__role(channel, SECTILE__PRODUCERS + 8 * (size_t)slot);
    if (role == 0) continue;
    if (!sectile__has_ended(channel, role)) return true;
    *died = true;
  }
  return false;
}

/** Says that nothing more comes (of several producers the last one does), and gives the role back. */
static inline void sectile_ring_producer_close(sectile_ring_producer *producer) {
  sectile_channel *channel = producer->channel;
  bool died;
  if (channel == NULL) return;
  if (!producer->many) sectile__store(channel->base + SECTILE__PRODUCER_ENDED, 1);
  sectile__give_role(channel, producer->role);
  if (producer->many && !sectile__ring_produced(channel, true, &died)) {
    sectile__store(channel->base + SECTILE__PRODUCER_ENDED, 1);
  }
  sectile__ring_greet(channel, SECTILE__CONSUMER_SLEEPS);
  memset(producer, 0, sizeof *producer);
}

/** Takes the consumer's role. */
static inline sectile_result sectile_ring_consumer_open(sectile_ring_consumer *consumer, sectile_channel *channel) {
  memset(consumer, 0, sizeof *consumer);
  if (!sectile__ring_is_possible(channel)) return SECTILE_DAMAGED;
  sectile_result result = sectile__take_role(channel, SECTILE__CONSUMER);
  if (result != SECTILE_OK) return result;
  consumer->channel = channel;
  consumer->capacity = channel->parameters[0];
  consumer->many = (channel->flags & 1) != 0;
  consumer->head = consumer->tail = sectile__load(channel->base + SECTILE__HEAD);
  sectile__store(channel->base + SECTILE__CONSUMER_ENDED, 0);
  sectile__ring_greet(channel, SECTILE__PRODUCER_SLEEPS);
  return SECTILE_OK;
}

/**
 * Takes the next message if there is one.
 *
 * @param length Gets its length; with SECTILE_TOO_BIG the room that it needs.
 * @return SECTILE_OK, SECTILE_NOTHING, SECTILE_TOO_BIG, SECTILE_DAMAGED
 */
static inline sectile_result sectile_ring_try_receive(sectile_ring_consumer *consumer, void *buffer, uint32_t room,
                                                      uint32_t *length) {
  sectile_channel *channel = consumer->channel;
  const unsigned char *data = channel->base + channel->data;
  if (consumer->damaged) return SECTILE_DAMAGED;
  uint32_t tail = consumer->tail;
  if (tail == consumer->head) {
    tail = sectile__load(channel->base + SECTILE__TAIL);
    if (!sectile__positions_hold(tail, consumer->head, consumer->capacity)) {
      consumer->damaged = true;
      return SECTILE_DAMAGED;
    }
    consumer->tail = tail;
    if (tail == consumer->head) return SECTILE_NOTHING;
  }
  uint32_t head = consumer->head, at = head & (consumer->capacity - 1);
  int32_t said = (int32_t)sectile__load(data + at);
  bool possible = true;
  if (said == SECTILE__PAD) {
    head += consumer->capacity - at;
    /* Behind a pad, which never stands at the data's beginning, is its record. */
    possible = at != 0 && tail - head <= consumer->capacity && tail != head;
    at = 0;
    if (possible) said = (int32_t)sectile__load(data);
  }
  possible = possible && said >= 0 && (uint32_t)said <= consumer->capacity / 2 - 8;
  uint32_t record = possible ? ((uint32_t)said + 15) & ~(uint32_t)7 : 0;
  if (!possible || record > tail - head || record > consumer->capacity - at) {
    consumer->damaged = true;
    return SECTILE_DAMAGED;
  }
  *length = (uint32_t)said;
  if (*length > room) return SECTILE_TOO_BIG;
  if (said != 0) memcpy(buffer, data + at + 8, (size_t)said);
  consumer->head = head + record;
  sectile__store(channel->base + SECTILE__HEAD, consumer->head);
  sectile__ring_tell(channel, SECTILE__PRODUCER_SLEEPS);
  return SECTILE_OK;
}

/** Takes the next message, and waits for it: also SECTILE_TIMED_OUT, SECTILE_ENDED, SECTILE_BROKEN_OFF, SECTILE_PEER_DIED. */
static inline sectile_result sectile_ring_receive(sectile_ring_consumer *consumer, void *buffer, uint32_t room, uint32_t *length,
                                                  int64_t timeout) {
  sectile_channel *channel = consumer->channel;
  int64_t end = sectile__end(timeout);
  for (bool first = true;; first = false) {
    sectile_result result = sectile_ring_try_receive(consumer, buffer, room, length);
    if (result != SECTILE_NOTHING) return result;
    int64_t most = sectile__ring_say(channel, SECTILE__CONSUMER_SLEEPS, first);
    /* In this order: what was sent before the end is had first. */
    bool died, lives = sectile__ring_produced(channel, consumer->many, &died);
    uint32_t ended = sectile__load(channel->base + SECTILE__PRODUCER_ENDED);
    result = sectile_ring_try_receive(consumer, buffer, room, length);
    if (result != SECTILE_NOTHING) return result;
    if (ended != 0 && (!consumer->many || !lives)) return ended == 1 ? SECTILE_ENDED : SECTILE_BROKEN_OFF;
    if (died && !lives) return SECTILE_PEER_DIED;
    int64_t slice = sectile__slice(end, most);
    if (slice == 0) return SECTILE_TIMED_OUT;
    sectile__sleep(channel->base + SECTILE__CONSUMER_SLEEPS, 1, slice);
  }
}

/** Gives the role back. */
static inline void sectile_ring_consumer_close(sectile_ring_consumer *consumer) {
  if (consumer->channel == NULL) return;
  sectile__store(consumer->channel->base + SECTILE__CONSUMER_ENDED, 1);
  sectile__give_role(consumer->channel, SECTILE__CONSUMER);
  sectile__ring_greet(consumer->channel, SECTILE__PRODUCER_SLEEPS);
  memset(consumer, 0, sizeof *consumer);
}

/* -------------------------------------------------------------------- latest values and broadcasts ---- */

enum { SECTILE__WRITER = 128, SECTILE__SIGNAL = 136, SECTILE__NEWEST = 140, SECTILE__ENDED = 144, SECTILE__STATES = 192 };

static inline void sectile__signal(sectile_channel *channel) {
  unsigned char *signal = channel->base + SECTILE__SIGNAL;
  sectile__store(signal, sectile__load(signal) + 1);
  if ((channel->flags & 1) == 0) sectile__wake(signal);
}

static inline sectile_result sectile__writer_open(sectile_channel *channel) {
  sectile_result result = sectile__take_role(channel, SECTILE__WRITER);
  if (result != SECTILE_OK) return result;
  sectile__store(channel->base + SECTILE__ENDED, 0);
  sectile__signal(channel);
  return SECTILE_OK;
}

static inline void sectile__writer_close(sectile_channel *channel) {
  sectile__store(channel->base + SECTILE__ENDED, 1);
  sectile__signal(channel);
  sectile__give_role(channel, SECTILE__WRITER);
}

/**
 * One round of waiting for the one at the other side, after an attempt that found nothing. SECTILE_NOTHING: attempt again, and
 * take this round's `ended` for the outcome if that finds nothing either and it is not SECTILE_NOTHING.
 */
static inline sectile_result sectile__peer(const sectile_channel *channel, size_t role, size_t ended) {
  uint64_t peer = sectile__role(channel, role);
  bool died = sectile__has_ended(channel, peer);
  return sectile__load(channel->base + ended) != 0 ? SECTILE_ENDED : died ? SECTILE_PEER_DIED : SECTILE_NOTHING;
}

/**
 * Waits: `attempt` is an expression of a sectile_result. The signal's word is read before the attempt, and slept for only while
 * it has that value.
 */
#define SECTILE__WAIT(channel, signal, role, ended, quiet, timeout, attempt)                           \
  do {                                                                                                 \
    int64_t sectile__until = sectile__end(timeout);                                                    \
    for (;;) {                                                                                         \
      uint32_t sectile__seen = sectile__load((channel)->base + (signal));                              \
      sectile_result sectile__state = sectile__peer((channel), (role), (ended));                       \
      sectile_result sectile__done = (attempt);                                                        \
      if (sectile__done != SECTILE_NOTHING) return sectile__done;                                      \
      if (sectile__state != SECTILE_NOTHING) return sectile__state;                                    \
      int64_t sectile__time = sectile__slice(sectile__until, (quiet) ? SECTILE__POLL : SECTILE__LOOK); \
      if (sectile__time == 0) return SECTILE_TIMED_OUT;                                                \
      sectile__sleep((channel)->base + (signal), sectile__seen, sectile__time);                        \
    }                                                                                                  \
  } while (0)

typedef struct {
  sectile_channel *channel;
  uint32_t capacity, slots, stride;
  uint64_t version; /* of the writer: the number of the newest value; of a reader: of the one that it read last */
} sectile_latest;

static inline sectile_result sectile__latest_open(sectile_latest *latest, sectile_channel *channel) {
  memset(latest, 0, sizeof *latest);
  uint32_t capacity = channel->parameters[0], slots = channel->parameters[1], stride = channel->parameters[2];
  bool possible = capacity >= 1 && capacity <= 1u << 30 && slots >= 2 && slots <= 64 && (slots & (slots - 1)) == 0 &&
                  stride % 64 == 0 && stride >= capacity && channel->data >= SECTILE__STATES + 64 * slots &&
                  (uint64_t)slots * stride <= channel->size - channel->data;
  if (!possible) return SECTILE_DAMAGED;
  latest->channel = channel;
  latest->capacity = capacity;
  latest->slots = slots;
  latest->stride = stride;
  return SECTILE_OK;
}

/* What is said of the value of that number, and where its bytes are. */
static inline unsigned char *sectile__slot(const sectile_latest *latest, uint64_t number) {
  return latest->channel->base + SECTILE__STATES + 64 * (number & (latest->slots - 1));
}
static inline unsigned char *sectile__value(const sectile_latest *latest, uint64_t number) {
  return latest->channel->base + latest->channel->data + (number & (latest->slots - 1)) * (uint64_t)latest->stride;
}

/** Takes the writer's role. */
static inline sectile_result sectile_latest_writer_open(sectile_latest *writer, sectile_channel *channel) {
  sectile_result result = sectile__latest_open(writer, channel);
  if (result == SECTILE_OK) result = sectile__writer_open(channel);
  if (result != SECTILE_OK) return result;
  uint32_t newest = sectile__load(channel->base + SECTILE__NEWEST);
  writer->version = (uint64_t)sectile__load(sectile__slot(writer, newest) + 4) << 32 | newest;
  return SECTILE_OK;
}

/** Makes a value the newest: SECTILE_OK, SECTILE_TOO_BIG. */
static inline sectile_result sectile_latest_write(sectile_latest *writer, const void *value, uint32_t length) {
  if (length > writer->capacity) return SECTILE_TOO_BIG;
  uint64_t next = writer->version + 1;
  unsigned char *slot = sectile__slot(writer, next);
  sectile__store(slot, (uint32_t)next);
  sectile__fence();
  sectile__store(slot + 4, (uint32_t)(next >> 32));
  sectile__store(slot + 8, length);
  if (length != 0) memcpy(sectile__value(writer, next), value, length);
  writer->version = next;
  sectile__store(writer->channel->base + SECTILE__NEWEST, (uint32_t)next);
  sectile__signal(writer->channel);
  return SECTILE_OK;
}

/** Tells the readers that this was the last value, and gives the role back. */
static inline void sectile_latest_writer_close(sectile_latest *writer) {
  if (writer->channel != NULL) sectile__writer_close(writer->channel);
  memset(writer, 0, sizeof *writer);
}

/** Readers write nothing. */
static inline sectile_result sectile_latest_reader_open(sectile_latest *reader, sectile_channel *channel) {
  return sectile__latest_open(reader, channel);
}

/**
 * Copies the newest value: SECTILE_OK, SECTILE_NOTHING (there is none yet), SECTILE_TOO_BIG (`length` says for how much),
 * SECTILE_TIMED_OUT (the writer is faster than the copy), SECTILE_DAMAGED. `version` of the reader becomes its number.
 */
static inline sectile_result sectile_latest_read(sectile_latest *reader, void *buffer, uint32_t room, uint32_t *length) {
  const unsigned char *newest = reader->channel->base + SECTILE__NEWEST;
  int64_t end = sectile__end(SECTILE__PATIENCE);
  for (int attempts = 0;; attempts++) {
    uint32_t number = sectile__load(newest);
    const unsigned char *slot = sectile__slot(reader, number);
    uint32_t high = sectile__load(slot + 4), said = sectile__load(slot + 8);
    if (said <= reader->capacity && said <= room && said != 0) memcpy(buffer, sectile__value(reader, number), said);
    sectile__fence();
    if (sectile__load(slot) == number) {
      if (number == 0 && high == 0) return SECTILE_NOTHING;
      if (said > reader->capacity || high >= 1u << 21) return SECTILE_DAMAGED;
      *length = said;
      if (said > room) return SECTILE_TOO_BIG;
      reader->version = (uint64_t)high << 32 | number;
      return SECTILE_OK;
    }
    if (sectile__load(newest) == number) return SECTILE_DAMAGED;
    if (attempts >= 8 && sectile__slice(end, 1) == 0) return SECTILE_TIMED_OUT;
  }
}

static inline sectile_result sectile__latest_is_new(const sectile_latest *reader) {
  uint32_t newest = sectile__load(reader->channel->base + SECTILE__NEWEST);
  return newest != (uint32_t)reader->version ? SECTILE_OK : SECTILE_NOTHING;
}

/** Waits until there is a value that was not read yet: SECTILE_OK, SECTILE_TIMED_OUT, SECTILE_ENDED, SECTILE_PEER_DIED. */
static inline sectile_result sectile_latest_changed(sectile_latest *reader, int64_t timeout) {
  SECTILE__WAIT(reader->channel, SECTILE__SIGNAL, SECTILE__WRITER, SECTILE__ENDED, (reader->channel->flags & 1) != 0, timeout,
                sectile__latest_is_new(reader));
}

/** The six numbers of a broadcast's state. */
typedef struct {
  uint64_t tail, tail_number, tail_bytes, head, head_number, head_bytes;
} sectile__log;

typedef struct {
  sectile_channel *channel;
  uint32_t capacity, newest; /* the number of the state that is known */
  sectile__log log;
  bool started;
  uint64_t position, number, bytes;   /* of a reader: where it is, messages before that, and their bytes */
  uint64_t lost_messages, lost_bytes; /* of a reader: what the writer has overwritten before it was read */
} sectile_broadcast;

static inline bool sectile__log_follows(const sectile_broadcast *self, const sectile__log *log) {
  const sectile__log *before = &self->log;
  uint64_t span = log->head - log->tail, most = ((uint64_t)1 << 53) - 1;
  return log->head <= most && log->head_number <= most && log->head_bytes <= most && log->tail <= log->head &&
         (log->tail & 7) == 0 && (log->head & 7) == 0 && span <= self->capacity && log->tail_number <= log->head_number &&
         log->head_number - log->tail_number <= span / 8 && log->tail_bytes <= log->head_bytes &&
         log->head_bytes - log->tail_bytes <= span && log->tail >= before->tail && log->tail_number >= before->tail_number &&
         log->tail_bytes >= before->tail_bytes && log->head >= before->head && log->head_number >= before->head_number &&
         log->head_bytes >= before->head_bytes;
}

/** Takes the newest state, whole. */
static inline sectile_result sectile__broadcast_refresh(sectile_broadcast *self) {
  const unsigned char *base = self->channel->base;
  int64_t end = sectile__end(SECTILE__PATIENCE);
  for (int attempts = 0;; attempts++) {
    uint32_t newest = sectile__load(base + SECTILE__NEWEST);
    if (self->started && newest == self->newest) return SECTILE_OK;
    const unsigned char *block = base + SECTILE__STATES + 64 * (newest & 3);
    sectile__log log = {sectile__load64(block + 8),  sectile__load64(block + 16), sectile__load64(block + 24),
                        sectile__load64(block + 32), sectile__load64(block + 40), sectile__load64(block + 48)};
    sectile__fence();
    if (sectile__load(block) == newest) {
      if (!sectile__log_follows(self, &log)) return SECTILE_DAMAGED;
      self->log = log;
      self->newest = newest;
      self->started = true;
      return SECTILE_OK;
    }
    if (sectile__load(base + SECTILE__NEWEST) == newest) return SECTILE_DAMAGED;
    if (attempts >= 8 && sectile__slice(end, 1) == 0) return SECTILE_TIMED_OUT;
  }
}

static inline sectile_result sectile__broadcast_open(sectile_broadcast *self, sectile_channel *channel) {
  memset(self, 0, sizeof *self);
  uint32_t capacity = channel->parameters[0];
  bool possible = capacity >= 64 && capacity <= 1u << 30 && (capacity & (capacity - 1)) == 0 &&
                  channel->data >= SECTILE__STATES + 256 && capacity <= channel->size - channel->data;
  if (!possible) return SECTILE_DAMAGED;
  self->channel = channel;
  self->capacity = capacity;
  return SECTILE_OK;
}

/** Takes the writer's role. */
static inline sectile_result sectile_broadcast_writer_open(sectile_broadcast *writer, sectile_channel *channel) {
  sectile_result result = sectile__broadcast_open(writer, channel);
  if (result == SECTILE_OK) result = sectile__writer_open(channel);
  if (result != SECTILE_OK) return result;
  result = sectile__broadcast_refresh(writer);
  if (result != SECTILE_OK) sectile__give_role(channel, SECTILE__WRITER);
  return result;
}

static inline void sectile__broadcast_publish(sectile_broadcast *writer) {
  uint32_t next = writer->newest + 1;
  unsigned char *block = writer->channel->base + SECTILE__STATES + 64 * (next & 3);
  sectile__store(block, next);
  sectile__fence();
  sectile__store64(block + 8, writer->log.tail);
  sectile__store64(block + 16, writer->log.tail_number);
  sectile__store64(block + 24, writer->log.tail_bytes);
  sectile__store64(block + 32, writer->log.head);
  sectile__store64(block + 40, writer->log.head_number);
  sectile__store64(block + 48, writer->log.head_bytes);
  writer->newest = next;
  sectile__store(writer->channel->base + SECTILE__NEWEST, next);
  sectile__fence();
}

static inline uint32_t sectile__record(uint32_t length) { return (length + 15) & ~(uint32_t)7; }

/** Appends a message: SECTILE_OK, SECTILE_TOO_BIG, SECTILE_DAMAGED (somebody else has written to the log). */
static inline sectile_result sectile_broadcast_write(sectile_broadcast *writer, const void *message, uint32_t length) {
  uint32_t capacity = writer->capacity;
  if (length > capacity / 2 - 8) return SECTILE_TOO_BIG;
  unsigned char *data = writer->channel->base + writer->channel->data;
  sectile__log *log = &writer->log;
  uint32_t record = sectile__record(length), at = log->head & (capacity - 1), rest = capacity - at;
  uint32_t gap = record > rest ? rest : 0;
  if (log->head + gap + record > log->tail + capacity) {
    sectile__log aim = *log;
    while (aim.head + gap + record > aim.tail + capacity) {
      uint32_t old = aim.tail & (capacity - 1), said = sectile__load(data + old);
      uint32_t step = said == UINT32_MAX ? capacity - old : said > capacity / 2 - 8 ? 0 : sectile__record(said);
      if (step == 0 || step > capacity - old || step > aim.head - aim.tail) return SECTILE_DAMAGED;
      if (said != UINT32_MAX) {
        if (sectile__load(data + old + 4) != (uint32_t)aim.tail_number) return SECTILE_DAMAGED;
        aim.tail_number++;
        aim.tail_bytes += said;
      }
      aim.tail += step;
    }
    *log = aim;
    sectile__broadcast_publish(writer);
  }
  if (gap != 0) {
    sectile__store(data + at, UINT32_MAX);
    at = 0;
  }
  sectile__store(data + at, length);
  sectile__store(data + at + 4, (uint32_t)log->head_number);
  if (length != 0) memcpy(data + at + 8, message, length);
  log->head += gap + record;
  log->head_number++;
  log->head_bytes += length;
  sectile__broadcast_publish(writer);
  sectile__signal(writer->channel);
  return SECTILE_OK;
}

/** Tells the readers that this was the last message, and gives the role back. */
static inline void sectile_broadcast_writer_close(sectile_broadcast *writer) {
  if (writer->channel != NULL) sectile__writer_close(writer->channel);
  memset(writer, 0, sizeof *writer);
}

/** A reader, from the oldest message that is still there or from the next one that is written. It writes nothing. */
static inline sectile_result sectile_broadcast_reader_open(sectile_broadcast *reader, sectile_channel *channel,
                                                           bool from_oldest) {
  sectile_result result = sectile__broadcast_open(reader, channel);
  if (result == SECTILE_OK) result = sectile__broadcast_refresh(reader);
  const sectile__log *log = &reader->log;
  reader->position = from_oldest ? log->tail : log->head;
  reader->number = from_oldest ? log->tail_number : log->head_number;
  reader->bytes = from_oldest ? log->tail_bytes : log->head_bytes;
  return result;
}

/**
 * Copies the next message: SECTILE_OK, SECTILE_NOTHING, SECTILE_TOO_BIG (`length` says for how much; the message stays),
 * SECTILE_TIMED_OUT (the writer comes round faster than the copy), SECTILE_DAMAGED.
 */
static inline sectile_result sectile_broadcast_try_read(sectile_broadcast *reader, void *buffer, uint32_t room,
                                                        uint32_t *length) {
  const unsigned char *data = reader->channel->base + reader->channel->data;
  int64_t end = sectile__end(SECTILE__PATIENCE);
  sectile_result result = sectile__broadcast_refresh(reader);
  for (int attempts = 0; result == SECTILE_OK; attempts++) {
    const sectile__log *log = &reader->log;
    if (reader->position < log->tail) {
      if (log->tail_number < reader->number || log->tail_bytes < reader->bytes) return SECTILE_DAMAGED;
      reader->lost_messages += log->tail_number - reader->number;
      reader->lost_bytes += log->tail_bytes - reader->bytes;
      reader->position = log->tail;
      reader->number = log->tail_number;
      reader->bytes = log->tail_bytes;
    }
    if (reader->position >= log->head) return SECTILE_NOTHING;
    uint32_t at = reader->position & (reader->capacity - 1), rest = reader->capacity - at;
    uint32_t said = sectile__load(data + at), check = sectile__load(data + at + 4);
    uint64_t there = log->head - reader->position;
    bool gap = said == UINT32_MAX, whole = !gap && said <= reader->capacity / 2 - 8 && check == (uint32_t)reader->number;
    whole = whole && sectile__record(said) <= rest && sectile__record(said) <= there;
    if (whole && said <= room && said != 0) memcpy(buffer, data + at + 8, said);
    sectile__fence();
    result = sectile__broadcast_refresh(reader);
    if (result != SECTILE_OK) return result;
    if (reader->position < reader->log.tail) {
      if (attempts >= 8 && sectile__slice(end, 1) == 0) return SECTILE_TIMED_OUT;
      continue;
    }
    if (gap && rest <= there) {
      reader->position += rest;
      continue;
    }
    if (!whole) return SECTILE_DAMAGED;
    *length = said;
    if (said > room) return SECTILE_TOO_BIG;
    reader->position += sectile__record(said);
    reader->number++;
    reader->bytes += said;
    return SECTILE_OK;
  }
  return result;
}

/** Copies the next message, and waits for it: also SECTILE_ENDED and SECTILE_PEER_DIED, when all was read. */
static inline sectile_result sectile_broadcast_read(sectile_broadcast *reader, void *buffer, uint32_t room, uint32_t *length,
                                                    int64_t timeout) {
  SECTILE__WAIT(reader->channel, SECTILE__SIGNAL, SECTILE__WRITER, SECTILE__ENDED, (reader->channel->flags & 1) != 0, timeout,
                sectile_broadcast_try_read(reader, buffer, room, length));
}

/* ------------------------------------------------------------------------------------------ pools ---- */

enum {
  SECTILE__POOL_PRODUCER = 128,
  SECTILE__POOL_EPOCH = 136,
  SECTILE__POOL_ENDED = 140,
  SECTILE__POOL_DOORBELL = 256,
  SECTILE__POOL_FACTS = 384,
  /* In a row. */
  SECTILE__ROW_ACCEPTED = 4,
  SECTILE__ROW_START = 8,
  SECTILE__ROW_PUSHED = 12,
  SECTILE__ROW_REVOKED = 16,
  SECTILE__ROW_MISSED = 20,
  SECTILE__ROW_CONSUMER = 128,
  SECTILE__ROW_READY = 136,
  SECTILE__ROW_TAKING = 140,
  SECTILE__ROW_RINGS = 144,
  SECTILE__ROW_POLICY = 148,
  SECTILE__ROW_DEPTH = 152,
  SECTILE__ROW_QUEUE = 256
};

/** What happens when a consumer has as many frames as it wants at most, and the next one comes. */
typedef enum {
  SECTILE_WAIT_FOR_ME, /* it gets that one too; the producer waits when it has no block left */
  SECTILE_SKIP_ME,     /* that one passes it by */
  SECTILE_DROP_OLDEST  /* it loses the oldest one that it has not taken */
} sectile_policy;

typedef struct {
  uint32_t block_size, blocks, consumers, queue;
  size_t rows, row_size, given, returned; /* the last two in a row */
} sectile__shape;

static inline sectile_result sectile__pool_shape(sectile__shape *shape, const sectile_channel *channel) {
  uint64_t size = channel->parameters[0], blocks = channel->parameters[1], consumers = channel->parameters[2];
  uint64_t queue = channel->parameters[3];
  if (size == 0 || size % 64 != 0 || blocks < 1 || blocks > 4096 || consumers < 1 || consumers > 64 || queue < blocks ||
      queue > 4096 || (queue & (queue - 1)) != 0 || channel->data % 4096 != 0) {
    return SECTILE_DAMAGED;
  }
  shape->block_size = (uint32_t)size;
  shape->blocks = (uint32_t)blocks;
  shape->consumers = (uint32_t)consumers;
  shape->queue = (uint32_t)queue;
  shape->rows = (SECTILE__POOL_FACTS + 16 * blocks + 127) & ~(size_t)127;
  shape->given = SECTILE__ROW_QUEUE + 16 * queue;
  shape->returned = (shape->given + 4 * blocks + 127) & ~(size_t)127;
  shape->row_size = (shape->returned + 4 * blocks + 127) & ~(size_t)127;
  bool fits = shape->rows + consumers * shape->row_size <= channel->data && blocks * size <= channel->size - channel->data;
  return fits ? SECTILE_OK : SECTILE_DAMAGED;
}

static inline bool sectile__before(uint32_t one, uint32_t other) { return (int32_t)(one - other) < 0; }

typedef struct {
  sectile_channel *channel;
  sectile__shape shape;
  unsigned char *row;
  uint32_t id, ready, next;
  bool accepted;
} sectile_pool_consumer;

/** A block with a frame in it, in place, until it is given back. */
typedef struct {
  const unsigned char *bytes;
  uint32_t length, block, given;
  uint64_t number; /* frames are numbered from 1 on */
} sectile_frame;

static inline void sectile__ring(sectile_pool_consumer *consumer) {
  unsigned char *doorbell = consumer->channel->base + SECTILE__POOL_DOORBELL;
  uint32_t rings = sectile__load(consumer->row + SECTILE__ROW_RINGS) + 1;
  sectile__store(consumer->row + SECTILE__ROW_RINGS, rings);
  sectile__store(doorbell, consumer->id << 24 | (rings & 0xffffff));
  sectile__wake(doorbell);
}

/**
 * Takes a row, or any that is free (-1).
 *
 * @param depth Frames that it has at most at a time, but with SECTILE_WAIT_FOR_ME.
 */
static inline sectile_result sectile_pool_consumer_open(sectile_pool_consumer *consumer, sectile_channel *channel, int row,
                                                        sectile_policy policy, uint32_t depth) {
  memset(consumer, 0, sizeof *consumer);
  sectile_result result = sectile__pool_shape(&consumer->shape, channel);
  if (result != SECTILE_OK) return result;
  const sectile__shape *shape = &consumer->shape;
  result = SECTILE_ROLE_TAKEN;
  for (uint32_t id = row < 0 ? 0 : (uint32_t)row; id < shape->consumers && result != SECTILE_OK; id++) {
    size_t at = shape->rows + id * shape->row_size;
    result = sectile__take_role(channel, at + SECTILE__ROW_CONSUMER);
    consumer->id = id;
    consumer->row = channel->base + at;
    if (row >= 0) break;
  }
  if (result != SECTILE_OK) return result;
  consumer->channel = channel;
  sectile__store(consumer->row + SECTILE__ROW_POLICY, policy);
  sectile__store(consumer->row + SECTILE__ROW_DEPTH, depth < 1 ? 1 : depth > shape->blocks ? shape->blocks : depth);
  /* The next odd number: even where the last consumer has left well. */
  consumer->ready = (sectile__load(consumer->row + SECTILE__ROW_READY) + 1) | 1;
  sectile__store(consumer->row + SECTILE__ROW_READY, consumer->ready);
  sectile__ring(consumer);
  return SECTILE_OK;
}

static inline void sectile__give_back(sectile_pool_consumer *consumer, uint32_t block, uint32_t given) {
  sectile__store(consumer->row + consumer->shape.returned + 4 * (size_t)block, given);
  sectile__ring(consumer);
}

/** Takes the next frame if there is one: SECTILE_OK, SECTILE_NOTHING, SECTILE_EXPELLED, SECTILE_DAMAGED. */
static inline sectile_result sectile_pool_try_next(sectile_pool_consumer *consumer, sectile_frame *frame) {
  const sectile__shape *shape = &consumer->shape;
  unsigned char *row = consumer->row;
  int64_t end = sectile__end(SECTILE__PATIENCE);
  if (sectile__load(row + SECTILE__ROW_ACCEPTED) != consumer->ready)
    return consumer->accepted ? SECTILE_EXPELLED : SECTILE_NOTHING;
  if (!consumer->accepted) consumer->next = sectile__load(row + SECTILE__ROW_START);
  consumer->accepted = true;
  for (int attempts = 0;; attempts++) {
    uint32_t revoked = sectile__load(row + SECTILE__ROW_REVOKED);
    if (sectile__before(consumer->next, revoked)) consumer->next = revoked;
    uint32_t entry = consumer->next, there = sectile__load(row + SECTILE__ROW_PUSHED) - entry;
    if (there == 0) return SECTILE_NOTHING;
    const unsigned char *at = row + SECTILE__ROW_QUEUE + 16 * (size_t)(entry & (shape->queue - 1));
    uint32_t block = sectile__load(at + 4), given = sectile__load(at + 8);
    sectile__fence();
    if (there > shape->queue || sectile__load(at) != entry) {
      /* An entry is overwritten only while frames are taken back. */
      if (attempts >= 8 && sectile__slice(end, 1) == 0) return SECTILE_DAMAGED;
      continue;
    }
    if (block >= shape->blocks) return SECTILE_DAMAGED;
    consumer->next = entry + 1;
    sectile__store(row + SECTILE__ROW_TAKING, entry + 1);
    /* The producer says what it takes back before it looks what is taken: one of the two sees the other. */
    sectile__fence();
    if (sectile__before(entry, sectile__load(row + SECTILE__ROW_REVOKED))) {
      sectile__give_back(consumer, block, given);
      continue;
    }
    const unsigned char *facts = consumer->channel->base + SECTILE__POOL_FACTS + 16 * (size_t)block;
    frame->length = sectile__load(facts);
    frame->number = sectile__load64(facts + 8);
    frame->block = block;
    frame->given = given;
    frame->bytes = consumer->channel->base + consumer->channel->data + (size_t)block * shape->block_size;
    if (frame->length <= shape->block_size) return SECTILE_OK;
    sectile__give_back(consumer, block, given);
    return SECTILE_DAMAGED;
  }
}

/** Takes the next frame, and waits for it: also SECTILE_TIMED_OUT, SECTILE_ENDED, SECTILE_PEER_DIED. */
static inline sectile_result sectile_pool_next(sectile_pool_consumer *consumer, sectile_frame *frame, int64_t timeout) {
  size_t signal = (size_t)(consumer->row - consumer->channel->base);
  SECTILE__WAIT(consumer->channel, signal, SECTILE__POOL_PRODUCER, SECTILE__POOL_ENDED, false, timeout,
                sectile_pool_try_next(consumer, frame));
}

/** Gives a frame's block back; its bytes are not to be used after that. */
static inline void sectile_pool_release(sectile_pool_consumer *consumer, const sectile_frame *frame) {
  sectile__give_back(consumer, frame->block, frame->given);
}

/** Gives all back and leaves the pool. */
static inline void sectile_pool_consumer_close(sectile_pool_consumer *consumer) {
  if (consumer->channel == NULL) return;
  sectile__store(consumer->row + SECTILE__ROW_READY, consumer->ready + 1);
  sectile__give_role(consumer->channel, (size_t)(consumer->row - consumer->channel->base) + SECTILE__ROW_CONSUMER);
  sectile__ring(consumer);
  memset(consumer, 0, sizeof *consumer);
}

/* A consumer's row as its producer keeps it: what it wrote itself it need not read again. */
typedef struct {
  unsigned char *words;
  uint32_t accepted, refused; /* the `ready` that is served, 0 for none, and one that is not served any more */
  uint32_t pushed, revoked, missed, policy, depth, out_count;
  uint32_t *given, *out; /* by block: its last number, and that while the consumer has it, else 0 */
  uint32_t *entry_block, *entry_given;
} sectile__row;

typedef struct {
  sectile_channel *channel;
  sectile__shape shape;
  sectile__row *rows;
  uint32_t *users; /* by block: how many consumers have it, and one more while it is being filled */
  uint64_t number;
} sectile_pool_producer;

/** A free block that is being filled. */
typedef struct {
  unsigned char *bytes;
  uint32_t block;
} sectile_block;

static inline void sectile__row_tell(sectile__row *row) {
  sectile__store(row->words, sectile__load(row->words) + 1);
  sectile__wake(row->words);
}

static inline void sectile__take_back(sectile_pool_producer *pool, sectile__row *row, uint32_t block) {
  row->given[block]++;
  sectile__store(row->words + pool->shape.given + 4 * (size_t)block, row->given[block]);
  row->out[block] = 0;
  row->out_count--;
  pool->users[block]--;
}

static inline void sectile__row_clear(sectile_pool_producer *pool, sectile__row *row) {
  row->accepted = 0;
  sectile__store(row->words + SECTILE__ROW_ACCEPTED, 0);
  for (uint32_t block = 0; block < pool->shape.blocks; block++) {
    if (row->out[block] != 0) sectile__take_back(pool, row, block);
  }
}

static inline bool sectile__row_died(const sectile_pool_producer *pool, const sectile__row *row) {
  size_t role = (size_t)(row->words - pool->channel->base) + SECTILE__ROW_CONSUMER;
  return sectile__has_ended(pool->channel, sectile__role(pool->channel, role));
}

/* Looks who came and who went, and which blocks came back; `asks`: whether consumers' processes still live as well. */
static inline void sectile__pool_sweep(sectile_pool_producer *pool, bool asks) {
  for (uint32_t index = 0; index < pool->shape.consumers; index++) {
    sectile__row *row = &pool->rows[index];
    uint32_t ready = sectile__load(row->words + SECTILE__ROW_READY);
    if (row->accepted != 0 && (row->accepted != ready || (asks && sectile__row_died(pool, row)))) {
      row->refused = row->accepted;
      sectile__row_clear(pool, row);
    }
    for (uint32_t block = 0; row->out_count != 0 && block < pool->shape.blocks; block++) {
      uint32_t given = row->out[block];
      if (given == 0 || sectile__load(row->words + pool->shape.returned + 4 * (size_t)block) != given) continue;
      row->out[block] = 0;
      row->out_count--;
      pool->users[block]--;
    }
    size_t role = (size_t)(row->words - pool->channel->base) + SECTILE__ROW_CONSUMER;
    bool wants = row->accepted == 0 && (ready & 1) != 0 && ready != row->refused;
    if (!wants || sectile__role(pool->channel, role) == 0 || sectile__row_died(pool, row)) continue;
    row->policy = sectile__load(row->words + SECTILE__ROW_POLICY);
    row->depth = sectile__load(row->words + SECTILE__ROW_DEPTH);
    if (row->depth < 1) row->depth = 1;
    row->missed = 0;
    row->revoked = row->pushed;
    row->accepted = ready;
    sectile__store(row->words + SECTILE__ROW_MISSED, 0);
    sectile__store(row->words + SECTILE__ROW_REVOKED, row->pushed);
    sectile__store(row->words + SECTILE__ROW_START, row->pushed);
    sectile__store(row->words + SECTILE__ROW_ACCEPTED, ready);
    sectile__row_tell(row);
  }
}

/* Goes on with what another producer has handed to a row's consumer. */
static inline void sectile__row_recover(sectile_pool_producer *pool, sectile__row *row) {
  const sectile__shape *shape = &pool->shape;
  row->accepted = sectile__load(row->words + SECTILE__ROW_ACCEPTED);
  row->pushed = sectile__load(row->words + SECTILE__ROW_PUSHED);
  row->revoked = sectile__load(row->words + SECTILE__ROW_REVOKED);
  row->missed = sectile__load(row->words + SECTILE__ROW_MISSED);
  row->policy = sectile__load(row->words + SECTILE__ROW_POLICY);
  row->depth = sectile__load(row->words + SECTILE__ROW_DEPTH);
  for (uint32_t block = 0; block < shape->blocks; block++) {
    uint32_t given = row->given[block] = sectile__load(row->words + shape->given + 4 * (size_t)block);
    if (given == 0 || (given & 1) != 0 || given == sectile__load(row->words + shape->returned + 4 * (size_t)block)) continue;
    row->out[block] = given;
    row->out_count++;
    pool->users[block]++;
  }
  sectile__fence();
  uint32_t taking = sectile__load(row->words + SECTILE__ROW_TAKING);
  for (uint32_t back = 0; back < shape->queue; back++) {
    uint32_t entry = row->pushed - back, slot = entry & (shape->queue - 1);
    const unsigned char *at = row->words + SECTILE__ROW_QUEUE + 16 * (size_t)slot;
    uint32_t block = sectile__load(at + 4), given = sectile__load(at + 8);
    if (sectile__load(at) != entry || block >= shape->blocks || given == 0 || row->out[block] != given) continue;
    row->entry_block[slot] = block;
    row->entry_given[slot] = given;
    /* Its handing over was cut off, or its taking back. */
    if (back == 0 || (sectile__before(entry, row->revoked) && !sectile__before(entry, taking)))
      sectile__take_back(pool, row, block);
  }
  uint32_t ready = sectile__load(row->words + SECTILE__ROW_READY);
  size_t role = (size_t)(row->words - pool->channel->base) + SECTILE__ROW_CONSUMER;
  bool served = row->accepted != 0 && row->accepted == ready && (ready & 1) != 0 && sectile__role(pool->channel, role) != 0;
  if (!served || sectile__row_died(pool, row)) sectile__row_clear(pool, row);
}

static inline void sectile__pool_free(sectile_pool_producer *pool) {
  if (pool->rows != NULL) free(pool->rows[0].given);
  free(pool->rows);
  free(pool->users);
  memset(pool, 0, sizeof *pool);
}

/** Takes the producer's role: SECTILE_OK, SECTILE_ROLE_TAKEN, SECTILE_DAMAGED, SECTILE_SYSTEM (no memory). */
static inline sectile_result sectile_pool_producer_open(sectile_pool_producer *pool, sectile_channel *channel) {
  memset(pool, 0, sizeof *pool);
  sectile_result result = sectile__pool_shape(&pool->shape, channel);
  if (result != SECTILE_OK) return result;
  size_t blocks = pool->shape.blocks, consumers = pool->shape.consumers, words = 2 * blocks + 2 * (size_t)pool->shape.queue;
  pool->rows = calloc(consumers, sizeof *pool->rows);
  pool->users = calloc(blocks, sizeof *pool->users);
  uint32_t *all = pool->rows == NULL ? NULL : calloc(consumers, words * sizeof *all);
  if (pool->rows != NULL) pool->rows[0].given = all;
  result = all == NULL || pool->users == NULL ? SECTILE_SYSTEM : sectile__take_role(channel, SECTILE__POOL_PRODUCER);
  if (result != SECTILE_OK) {
    sectile__pool_free(pool);
    return result;
  }
  pool->channel = channel;
  sectile__store(channel->base + SECTILE__POOL_EPOCH, sectile__load(channel->base + SECTILE__POOL_EPOCH) + 1);
  sectile__store(channel->base + SECTILE__POOL_ENDED, 0);
  for (size_t block = 0; block < blocks; block++) {
    uint64_t number = sectile__load64(channel->base + SECTILE__POOL_FACTS + 16 * block + 8);
    if (number > pool->number && number >> 53 == 0) pool->number = number;
  }
  for (size_t index = 0; index < consumers; index++) {
    sectile__row *row = &pool->rows[index];
    row->words = channel->base + pool->shape.rows + index * pool->shape.row_size;
    row->given = all + index * words;
    row->out = row->given + blocks;
    row->entry_block = row->out + blocks;
    row->entry_given = row->entry_block + pool->shape.queue;
    sectile__row_recover(pool, row);
  }
  sectile__pool_sweep(pool, false);
  return SECTILE_OK;
}

/* Takes back the oldest frame that the consumer has not taken; false: there is none. */
static inline bool sectile__revoke(sectile_pool_producer *pool, sectile__row *row) {
  uint32_t taking = sectile__load(row->words + SECTILE__ROW_TAKING);
  uint32_t entry = sectile__before(row->revoked, taking) ? taking : row->revoked;
  if (!sectile__before(entry, row->pushed)) return false;
  row->revoked = entry + 1;
  sectile__store(row->words + SECTILE__ROW_REVOKED, row->revoked);
  sectile__fence();
  if (sectile__before(entry, sectile__load(row->words + SECTILE__ROW_TAKING))) return false;
  uint32_t slot = entry & (pool->shape.queue - 1), block = row->entry_block[slot];
  if (row->out[block] == 0 || row->out[block] != row->entry_given[slot]) return false;
  sectile__take_back(pool, row, block);
  return true;
}

static inline sectile_result sectile__acquire(sectile_pool_producer *pool, sectile_block *block, bool asks) {
  const sectile__shape *shape = &pool->shape;
  sectile__pool_sweep(pool, asks);
  for (int round = 0; round < 2; round++) {
    for (uint32_t index = 0; index < shape->blocks; index++) {
      if (pool->users[index] != 0) continue;
      pool->users[index] = 1;
      block->block = index;
      block->bytes = pool->channel->base + pool->channel->data + (size_t)index * shape->block_size;
      return SECTILE_OK;
    }
    for (uint32_t index = 0; round == 0 && index < shape->consumers; index++) {
      sectile__row *row = &pool->rows[index];
      if (row->accepted != 0 && row->policy == SECTILE_DROP_OLDEST && sectile__revoke(pool, row)) break;
    }
  }
  return SECTILE_NOTHING;
}

/** A free block if there is one: SECTILE_OK, SECTILE_NOTHING. */
static inline sectile_result sectile_pool_try_acquire(sectile_pool_producer *pool, sectile_block *block) {
  return sectile__acquire(pool, block, false);
}

/* Consumers attached, at most so many asked for. */
static inline sectile_result sectile__attached(sectile_pool_producer *pool, uint32_t count) {
  uint32_t found = 0;
  sectile__pool_sweep(pool, true);
  for (uint32_t index = 0; index < pool->shape.consumers; index++) found += pool->rows[index].accepted != 0;
  return found >= count ? SECTILE_OK : SECTILE_NOTHING;
}

#define SECTILE__AT_DOORBELL(pool, timeout, attempt)                                     \
  do {                                                                                   \
    const unsigned char *sectile__bell = (pool)->channel->base + SECTILE__POOL_DOORBELL; \
    int64_t sectile__until = sectile__end(timeout);                                      \
    for (;;) {                                                                           \
      uint32_t sectile__rung = sectile__load(sectile__bell);                             \
      sectile_result sectile__done = (attempt);                                          \
      if (sectile__done != SECTILE_NOTHING) return sectile__done;                        \
      int64_t sectile__time = sectile__slice(sectile__until, SECTILE__LOOK);             \
      if (sectile__time == 0) return SECTILE_TIMED_OUT;                                  \
      sectile__sleep(sectile__bell, sectile__rung, sectile__time);                       \
    }                                                                                    \
  } while (0)

/** A free block; waits until a consumer gives one back, or ends. */
static inline sectile_result sectile_pool_acquire(sectile_pool_producer *pool, sectile_block *block, int64_t timeout) {
  SECTILE__AT_DOORBELL(pool, timeout, sectile__acquire(pool, block, true));
}

/** Waits until so many consumers are attached. */
static inline sectile_result sectile_pool_attached(sectile_pool_producer *pool, uint32_t count, int64_t timeout) {
  SECTILE__AT_DOORBELL(pool, timeout, sectile__attached(pool, count));
}

/** Gives a block back unused. */
static inline void sectile_pool_discard(sectile_pool_producer *pool, const sectile_block *block) { pool->users[block->block]--; }

/**
 * Hands a block over to all consumers as the next frame: to how many. If to none, it is free again.
 *
 * @param length Bytes of the frame, from the block's start; at most the block's size.
 */
static inline uint32_t sectile_pool_publish(sectile_pool_producer *pool, const sectile_block *taken, uint32_t length) {
  const sectile__shape *shape = &pool->shape;
  uint32_t block = taken->block, count = 0;
  unsigned char *facts = pool->channel->base + SECTILE__POOL_FACTS + 16 * (size_t)block;
  sectile__pool_sweep(pool, false);
  pool->number++;
  sectile__store(facts, length < shape->block_size ? length : shape->block_size);
  sectile__store64(facts + 8, pool->number);
  for (uint32_t index = 0; index < shape->consumers; index++) {
    sectile__row *row = &pool->rows[index];
    if (row->accepted == 0) continue;
    if (row->policy != SECTILE_WAIT_FOR_ME && row->out_count >= row->depth) {
      if (row->policy == SECTILE_DROP_OLDEST) sectile__revoke(pool, row);
      if (row->out_count >= row->depth) {
        sectile__store(row->words + SECTILE__ROW_MISSED, ++row->missed);
        continue;
      }
    }
    uint32_t entry = row->pushed, slot = entry & (shape->queue - 1), given = (row->given[block] | 1) + 1;
    if (given == 0) given = 2;
    unsigned char *at = row->words + SECTILE__ROW_QUEUE + 16 * (size_t)slot;
    sectile__store(at, ~entry);
    sectile__fence();
    sectile__store(at + 4, block);
    sectile__store(at + 8, given);
    sectile__store(at + 12, row->missed);
    sectile__store(at, entry);
    row->given[block] = row->out[block] = row->entry_given[slot] = given;
    row->entry_block[slot] = block;
    row->out_count++;
    pool->users[block]++;
    count++;
    sectile__store(row->words + shape->given + 4 * (size_t)block, given);
    row->pushed = entry + 1;
    sectile__store(row->words + SECTILE__ROW_PUSHED, row->pushed);
    sectile__row_tell(row);
  }
  pool->users[block]--;
  return count;
}

/** Tells the consumers that this was the last frame, and gives the role back. They keep what they have. */
static inline void sectile_pool_producer_close(sectile_pool_producer *pool) {
  if (pool->channel == NULL) return;
  sectile__store(pool->channel->base + SECTILE__POOL_ENDED, 1);
  for (uint32_t index = 0; index < pool->shape.consumers; index++) {
    if (pool->rows[index].accepted != 0) sectile__row_tell(&pool->rows[index]);
  }
  sectile__give_role(pool->channel, SECTILE__POOL_PRODUCER);
  sectile__pool_free(pool);
}

#endif
