/*
 * Counts scheduler switches and system calls of every process, in a map that processes can map into memory.
 *
 * Three raw tracepoints, and of their arguments only numbers: nothing of the kernel's own structures is
 * read, so one object file fits every kernel from 5.14 on, with or without BTF. What is known of a process
 * are the numbers and the name that the kernel's helpers give for the current task.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "layout.h"

char program_license[] SEC("license") = "Dual MIT/GPL";

/* The one thing that is shared. The loader freezes it: from then on only these programs write. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct process_table);
} processes SEC(".maps");

/* Of each processor: when its last event was. What ran there since then is the current task. */
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} last_event SEC(".maps");

/*
 * Adds one, and keeps what stands before it before and what stands behind it behind, for other processors:
 * an atomic operation whose result is used is a full barrier in eBPF, one whose result is not is none.
 */
static __always_inline void step(__u64 *word) {
  __u64 before = __sync_fetch_and_add(word, 1);
  asm volatile("" : : "r"(before) : "memory");
}

static __always_inline struct table_entry *candidate(struct process_table *table, __u32 process, __u32 number) {
  return &table->entries[(process + number) & (ENTRIES - 1)];
}

static __always_inline struct table_entry *find(struct process_table *table, __u32 process) {
  for (__u32 number = 0; number < CANDIDATES; number++) {
    struct table_entry *entry = candidate(table, process, number);
    if (entry->process_id == process) return entry;
  }
  return NULL;
}

/* Starts an entry anew for a process. The entry has been entered. */
static __always_inline void begin(struct table_entry *entry, __u64 now) {
  entry->state = ENTRY_RUNNING;
  entry->since = now;
  entry->calls = 0;
  entry->switches = 0;
  entry->ran = 0;
  entry->last_call = 0;
  bpf_get_current_comm(entry->name, sizeof entry->name);
}

/* The entry to take for a process that has none: a free one, one that has ended, or the quietest. */
static __always_inline struct table_entry *choose(struct process_table *table, __u32 process) {
  struct table_entry *quietest = candidate(table, process, 0);
  for (__u32 number = 0; number < CANDIDATES; number++) {
    struct table_entry *entry = candidate(table, process, number);
    if (entry->state != ENTRY_RUNNING) return entry;
    if (entry->last < quietest->last) quietest = entry;
  }
  return quietest;
}

/* NULL: another process was quicker. Its event is one in millions, and the next one tries again. */
static __always_inline struct table_entry *claim(struct process_table *table, __u32 process, __u64 now) {
  struct table_entry *entry = choose(table, process);
  __u32 before = entry->process_id;
  __u32 state = entry->state;
  step(&entry->entered);
  __u32 found = __sync_val_compare_and_swap(&entry->process_id, before, process);
  if (found == before) {
    if (state == ENTRY_RUNNING) __sync_fetch_and_add(&table->header.given_away, 1);
    begin(entry, now);
  }
  step(&entry->left);
  /* Another thread of the same process may have claimed it meanwhile. */
  return found == before || found == process ? entry : NULL;
}

static __always_inline void introduce(struct table_header *header) {
  if (header->magic == TABLE_MAGIC) return;
  header->version = TABLE_VERSION;
  header->entries = ENTRIES;
  header->entry_size = sizeof(struct table_entry);
  header->magic = TABLE_MAGIC;
}

static __always_inline struct process_table *shared_table(void) {
  __u32 only = 0;
  return bpf_map_lookup_elem(&processes, &only);
}

/* Nanoseconds since the last event on this processor; 0 where there was none. */
static __always_inline __u64 time_since_last(__u64 *now) {
  __u32 only = 0;
  __u64 *last = bpf_map_lookup_elem(&last_event, &only);
  __u64 before = last == NULL ? 0 : *last;
  *now = bpf_ktime_get_ns(); /* after the look: an event between them may not make the difference negative */
  if (last == NULL) return 0;
  *last = *now;
  return before == 0 || before > *now ? 0 : *now - before;
}

enum event { EVENT_CALL, EVENT_SWITCH };

static __always_inline int count(enum event event, __u32 call) {
  __u64 now;
  __u64 ran = time_since_last(&now);
  __u64 task = bpf_get_current_pid_tgid();
  __u32 process = task >> 32, thread = (__u32)task;
  if (process == 0) return 0; /* the idle task */

  struct process_table *table = shared_table();
  if (table == NULL) return 0;
  introduce(&table->header);
  struct table_entry *entry = find(table, process);
  if (entry == NULL) entry = claim(table, process, now);
  if (entry == NULL) return 0;

  step(&entry->entered);
  if (event == EVENT_CALL) {
    /* Who has ended calls nothing: a new process has the number of an old one. (Or the first thread of one
     * has ended before the others; then their count starts again.) */
    if (entry->state == ENTRY_ENDED) begin(entry, now);
    __sync_fetch_and_add(&entry->calls, 1);
    entry->last_call = call;
  } else {
    __sync_fetch_and_add(&entry->switches, 1);
    /* The first thread's name is the process's, and changes with exec. Here, since switches are the rarer event. */
    if (process == thread) bpf_get_current_comm(entry->name, sizeof entry->name);
  }
  __sync_fetch_and_add(&entry->ran, ran);
  entry->last = now;
  entry->last_processor = bpf_get_smp_processor_id();
  step(&entry->left);
  return 0;
}

/* Arguments: the registers, the number of the call. */
SEC("raw_tracepoint/sys_enter")
int on_system_call(struct bpf_raw_tracepoint_args *context) { return count(EVENT_CALL, (__u32)context->args[1]); }

/* The current task is still the one that leaves. */
SEC("raw_tracepoint/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *context) {
  (void)context;
  return count(EVENT_SWITCH, 0);
}

/* For each thread; a process has ended with its first one, as a rule. */
SEC("raw_tracepoint/sched_process_exit")
int on_exit(struct bpf_raw_tracepoint_args *context) {
  (void)context;
  __u64 task = bpf_get_current_pid_tgid();
  __u32 process = task >> 32;
  if (process != (__u32)task) return 0;
  struct process_table *table = shared_table();
  struct table_entry *entry = table == NULL ? NULL : find(table, process);
  if (entry == NULL) return 0;
  step(&entry->entered);
  entry->state = ENTRY_ENDED;
  step(&entry->left);
  return 0;
}
