/*
 * Floors of "open + map + close" of an object that another process holds.
 *
 *   proc PATH   takes it from the holder through PATH, a /proc/PID/fd/N: what a local name comes to
 *   pass SIZE   asks a server process, which passes a descriptor over a socket: a global name
 *
 * Neither looks up a name or checks a right.
 */
#include "floor.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* About what a request and an answer of a real protocol carry. */
#define MESSAGE_BYTES 128

static void map_and_close(int fd) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) floor_fail("fstat");
  void *view = floor_map(fd, (size_t)facts.st_size);
  if (munmap(view, (size_t)facts.st_size) != 0) floor_fail("munmap");
  if (close(fd) != 0) floor_fail("close");
}

static uint64_t by_proc(void *state, uint64_t batch) {
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    int fd = open(state, O_RDWR | O_CLOEXEC);
    if (fd < 0) floor_fail("open");
    map_and_close(fd);
  }
  return floor_now() - start;
}

/* Room for one descriptor beside a message, aligned as the kernel wants it. */
typedef union {
  struct cmsghdr align;
  char bytes[CMSG_SPACE(sizeof(int))];
} descriptor_box;

static void serve(int socket, int section) {
  char bytes[MESSAGE_BYTES];
  while (recv(socket, bytes, sizeof bytes, 0) > 0) {
    descriptor_box box = {0};
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = box.bytes, .msg_controllen = sizeof box.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &section, sizeof section);
    if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) return;
  }
}

static uint64_t by_passing(void *state, uint64_t batch) {
  int socket = *(const int *)state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    char bytes[MESSAGE_BYTES] = {0};
    if (send(socket, bytes, sizeof bytes, MSG_NOSIGNAL) < 0) floor_fail("send");
    descriptor_box box;
    struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = box.bytes, .msg_controllen = sizeof box.bytes};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0) floor_fail("recvmsg");
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS) floor_wrong("no descriptor came");
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    map_and_close(fd);
  }
  return floor_now() - start;
}

static int ask_a_server(size_t size) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) floor_fail("socketpair");
  pid_t server = fork();
  if (server < 0) floor_fail("fork");
  if (server == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(pair[0]);
    serve(pair[1], floor_memfd(size, true, 0));
    _exit(0);
  }
  close(pair[1]);
  return floor_serve(by_passing, &pair[0]);
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "proc") == 0) return floor_serve(by_proc, argv[2]);
  if (argc == 3 && strcmp(argv[1], "pass") == 0) return ask_a_server(floor_bytes(argc, argv, 2));
  fprintf(stderr, "usage: open proc PATH | open pass SIZE\n");
  return 2;
}
