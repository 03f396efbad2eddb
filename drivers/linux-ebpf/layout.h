/*
 * The layout of the shared map, for the eBPF program; layout.ts says the same for TypeScript, and a test
 * compares the two. Sizes and offsets are the same on every 64-bit machine, numbers in its byte order.
 *
 * A table of processes: a header, then entries. A process stands in one of the CANDIDATES entries that
 * follow from its number. When all of them are taken, the newcomer gets that of a process that has ended,
 * else of the one that was quiet for the longest; the header counts the latter.
 *
 * Every figure is a 64-bit word that only grows while the entry stays with its process. That an entry is
 * whole, a reader sees by two more words: `entered` grows before anything is changed, `left` afterwards, by
 * every writer, of which there may be several. Who reads `left`, then the entry, then `entered`, and finds
 * both the same, has read what nobody changed meanwhile.
 */
#ifndef SECTILE_LINUX_EBPF_LAYOUT_H
#define SECTILE_LINUX_EBPF_LAYOUT_H

#include <linux/types.h>

#define TABLE_MAGIC 0x50455453 /* "STEP" */
#define TABLE_VERSION 1
#define ENTRIES 4096 /* a power of two */
#define CANDIDATES 8
#define NAME_LENGTH 16

enum entry_state { ENTRY_FREE = 0, ENTRY_RUNNING = 1, ENTRY_ENDED = 2 };

struct table_header {
  __u32 magic; /* written by the first event */
  __u32 version;
  __u32 entries;
  __u32 entry_size;
  __u64 given_away; /* entries taken from processes that were not known to have ended */
  __u64 reserved[13];
};

struct table_entry {
  __u64 entered;
  __u64 left;
  __u32 process_id;       /* 0: the entry was never used */
  __u32 state;            /* an entry_state */
  __u64 since;            /* CLOCK_MONOTONIC in nanoseconds: the first event that was counted */
  char name[NAME_LENGTH]; /* ends with a zero byte, if shorter */
  __u64 calls;            /* system calls that were entered */
  __u64 switches;         /* how often a thread of it left a processor */
  __u64 ran;              /* nanoseconds on processors, up to the last event there */
  /* The last event, as a sample of what the process does. */
  __u64 last;
  __u32 last_call; /* number of the system call that was entered last */
  __u32 last_processor;
  __u64 reserved[5];
};

struct process_table {
  struct table_header header;
  struct table_entry entries[ENTRIES];
};

_Static_assert(sizeof(struct table_header) == 128 && sizeof(struct table_entry) == 128, "whole cache lines");

#endif
