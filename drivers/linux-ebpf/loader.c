/*
 * Loads the programs of an eBPF object file, attaches them, and becomes the command that is to use their maps.
 *
 *   loader [-v] OBJECT COMMAND [ARGUMENT]...
 *
 * The command inherits descriptors, and finds their numbers in the environment:
 *
 *   SECTILE_DESCRIPTORS="PID NAME=NUMBER..."     PID: for whom they are, since its children inherit the text too
 *
 * There is one for each map that can be mapped into memory, by the map's name, and one for each program, named
 * `link`, that holds the program in its place. The kernel detaches and frees everything when the last process
 * that holds these has ended, however it ended: nothing is pinned, and nobody stays behind beside the command.
 *
 * Only this needs rights. The command may be one that gives them up (setpriv).
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the environment will say. */
static struct {
  char text[2048];
  size_t length;
} handed;

static bool verbose;

static int print_if_verbose(enum libbpf_print_level level, const char *format, va_list arguments) {
  (void)level;
  return verbose ? vfprintf(stderr, format, arguments) : 0;
}

/* One line: what was done, what the system said, what to do about it. */
static int fail(const char *what, const char *object, int error, const char *way_out) {
  char words[128];
  libbpf_strerror(error, words, sizeof words); /* it has errors of its own, beyond the system's */
  fprintf(stderr, "linux-ebpf: %s %s failed: %s. %s.\n", what, object, words, way_out);
  return EXIT_FAILURE;
}

static bool has_capability(int capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};
  if (syscall(SYS_capget, &header, sets) != 0) return false;
  return sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

static const char *way_out_of(int error) {
  bool may = has_capability(CAP_SYS_ADMIN) || (has_capability(CAP_BPF) && has_capability(CAP_PERFMON));
  switch (error) {
    case EPERM:
      if (!may && geteuid() != 0) return "Programs in the kernel take CAP_BPF and CAP_PERFMON: run it as root (sudo)";
      if (!may) return "This root has neither CAP_BPF nor CAP_PERFMON: run it outside of the container, or give it both";
      return "The rights are there, but a rule of this system forbids it (seccomp of a container, kernel lockdown, LSM)";
    case EACCES:
      return "The kernel's verifier refuses the program: loader -v shows its words";
    case ENOSYS:
      return "This kernel was built without eBPF (CONFIG_BPF_SYSCALL)";
    case ENOENT:
      return "The kernel has no such tracepoint (CONFIG_FTRACE_SYSCALLS, CONFIG_TRACEPOINTS)";
    default:
      return "It takes Linux 5.14 or newer; loader -v shows more";
  }
}

/* Duplicates a descriptor, open across exec, to the lowest number that is free: none that was inherited is lost. */
static int hand_over(int descriptor, const char *name) {
  int handed_over = fcntl(descriptor, F_DUPFD, STDERR_FILENO + 1);
  if (handed_over < 0) return errno;
  size_t room = sizeof handed.text - handed.length;
  int length = snprintf(handed.text + handed.length, room, " %s=%d", name, handed_over);
  if (length < 0 || (size_t)length >= room) return E2BIG;
  handed.length += (size_t)length;
  return 0;
}

static int hand_over_maps(struct bpf_object *object) {
  struct bpf_map *map;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map) || !(bpf_map__map_flags(map) & BPF_F_MMAPABLE)) continue;
    /* Like a seal: whoever comes by a descriptor of it, root too, may read it and no more. The programs go on. */
    if (bpf_map_freeze(bpf_map__fd(map)) != 0) return fail("freezing the map", bpf_map__name(map), errno, way_out_of(errno));
    int error = hand_over(bpf_map__fd(map), bpf_map__name(map));
    if (error != 0) return fail("handing over the map", bpf_map__name(map), error, "Raise the limit of open files");
  }
  return 0;
}

static int attach_programs(struct bpf_object *object) {
  struct bpf_program *program;
  bpf_object__for_each_program(program, object) {
    struct bpf_link *link = bpf_program__attach(program);
    if (link == NULL) return fail("attaching the program", bpf_program__name(program), errno, way_out_of(errno));
    int error = hand_over(bpf_link__fd(link), "link");
    if (error != 0) return fail("handing over the program", bpf_program__name(program), error, "Raise the limit of open files");
  }
  return 0;
}

/* What is not handed over is closed by exec, and the kernel keeps what the rest is made of. */
static int become(char **command) {
  if (setenv("SECTILE_DESCRIPTORS", handed.text, 1) != 0) {
    return fail("handing over descriptors to", command[0], errno, "Free some memory");
  }
  execvp(command[0], command);
  return fail("starting", command[0], errno, "Check the path of the command");
}

int main(int count, char **arguments) {
  int first = 1;
  if (count > 1 && strcmp(arguments[1], "-v") == 0) {
    verbose = true;
    first++;
  }
  if (count < first + 2) {
    fprintf(stderr, "usage: loader [-v] OBJECT COMMAND [ARGUMENT]...\n");
    return EXIT_FAILURE;
  }
  const char *file = arguments[first];
  libbpf_set_print(print_if_verbose);
  struct bpf_object *object = bpf_object__open_file(file, NULL);
  if (object == NULL) return fail("opening", file, errno, "It must be what node scripts/build-ebpf.mjs makes");
  int error = -bpf_object__load(object);
  if (error != 0) return fail("loading", file, error, way_out_of(error));
  handed.length = (size_t)snprintf(handed.text, sizeof handed.text, "%d", (int)getpid());
  if (hand_over_maps(object) != 0 || attach_programs(object) != 0) return EXIT_FAILURE;
  return become(arguments + first + 1);
}
