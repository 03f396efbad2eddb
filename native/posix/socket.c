/*
 * The client's side of the sockets: connecting, one request with its answer, and who the peer is. Every
 * wait is bounded; no thread and no event loop has a part in it.
 */
#include "socket.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* A server that accepts nobody for so long is taken for dead. */
#define CONNECT_TIMEOUT_MS 2000

/* Groups are read into so much at first; few users are in more. */
#define GROUPS_AT_FIRST 32

/*
 * A blocking connect waits only for room in the server's backlog. It is woken when there is some, which
 * a non-blocking one could learn by sleeping and trying again only; the send timeout bounds it.
 */
static int connect_bounded(int fd, const sectile_socket_file *file) {
  int64_t deadline = sectile_monotonic_ms() + CONNECT_TIMEOUT_MS;
  for (;;) {
    int64_t left = deadline - sectile_monotonic_ms();
    if (left <= 0) return ETIMEDOUT;
    struct timeval timeout = {.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0) return errno;
    if (connect(fd, (const struct sockaddr *)&file->address, file->length) == 0) return 0;
    if (errno == EAGAIN) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

static napi_value socket_connect(napi_env env, napi_callback_info info) {
  static const char *const call = "socketConnect";
  napi_value argument;
  char path[SECTILE_PATH_CAPACITY];
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_read_string(env, argument, call, "path", path, sizeof path)) {
    return NULL;
  }
  sectile_socket_file file;
  const char *syscall;
  int error = sectile_socket_file_open(&file, path, &syscall);
  if (error != 0) return sectile_fail_errno(env, syscall, error);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    syscall = "socket";
    error = errno;
  } else {
    syscall = "connect";
    error = connect_bounded(fd, &file);
  }
  sectile_socket_file_close(&file);
  if (error == 0) return sectile_descriptor_wrap(env, fd);
  if (fd >= 0) close(fd);
  return sectile_fail_errno(env, syscall, error);
}

/* ---- the peer ---- */

static int read_groups(int fd, sectile_peer *peer) {
  socklen_t size = GROUPS_AT_FIRST * sizeof(gid_t);
  for (;;) {
    socklen_t given = size;
    gid_t *groups = malloc(size);
    if (groups == NULL) return ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &given) == 0) {
      peer->groups = groups;
      peer->group_count = given / sizeof(gid_t);
      return 0;
    }
    int error = errno;
    free(groups);
    if (error == ENOPROTOOPT || error == ENODATA) return 0; /* kernels before 4.13, or nothing known */
    if (error != ERANGE || given <= size) return error;
    size = given; /* the kernel said how much it takes */
  }
}

int sectile_peer_read(int fd, sectile_peer *peer) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  *peer = (sectile_peer){0};
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return errno;
  peer->pid = credentials.pid;
  peer->uid = credentials.uid;
  peer->gid = credentials.gid;
  return read_groups(fd, peer);
}

void sectile_peer_free(sectile_peer *peer) {
  free(peer->groups);
  peer->groups = NULL;
  peer->group_count = 0;
}

napi_value sectile_peer_value(napi_env env, const sectile_peer *peer) {
  napi_value result, groups;
  if (napi_create_object(env, &result) != napi_ok || napi_create_array_with_length(env, peer->group_count, &groups) != napi_ok) {
    return sectile_fail_napi(env, "peer");
  }
  for (size_t i = 0; i < peer->group_count; i++) {
    napi_value group = sectile_number(env, peer->groups[i]);
    if (group == NULL || napi_set_element(env, groups, (uint32_t)i, group) != napi_ok) {
      return sectile_fail_napi(env, "peer");
    }
  }
  if (!sectile_set(env, result, "pid", sectile_number(env, peer->pid)) ||
      !sectile_set(env, result, "uid", sectile_number(env, peer->uid)) ||
      !sectile_set(env, result, "gid", sectile_number(env, peer->gid)) || !sectile_set(env, result, "groups", groups)) {
    return NULL;
  }
  return result;
}

static napi_value socket_peer(napi_env env, napi_callback_info info) {
  static const char *const call = "socketPeer";
  napi_value argument;
  int fd;
  if (!sectile_arguments(env, info, call, 1, &argument) || !sectile_descriptor_read(env, argument, call, "descriptor", &fd)) {
    return NULL;
  }
  sectile_peer peer;
  int error = sectile_peer_read(fd, &peer);
  if (error != 0) return sectile_fail_errno(env, "getsockopt", error);
  napi_value result = sectile_peer_value(env, &peer);
  sectile_peer_free(&peer);
  return result;
}

/* ---- request and answer ---- */

static int wait_until(int fd, short events, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - sectile_monotonic_ms();
    if (left < 0) left = 0;
    struct pollfd entry = {.fd = fd, .events = events};
    int ready = poll(&entry, 1, left > INT_MAX ? INT_MAX : (int)left);
    if (ready > 0) return 0;
    if (ready == 0 && left == 0) return ETIMEDOUT;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

static int send_until(int fd, const sectile_outgoing *message, int64_t deadline) {
  for (;;) {
    int error = sectile_message_send(fd, message);
    if (error != EAGAIN) return error;
    error = wait_until(fd, POLLOUT, deadline);
    if (error != 0) return error;
  }
}

/* Waits for a message and says how long it is; it stays in the socket. */
static int next_length_until(int fd, int64_t deadline, size_t *length) {
  for (;;) {
    int error = wait_until(fd, POLLIN, deadline);
    if (error != 0) return error;
    ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (size == 0) return ECONNRESET;
    if (size > (ssize_t)SECTILE_MAX_MESSAGE) return EPROTO;
    if (size > 0) {
      *length = (size_t)size;
      return 0;
    }
    if (errno != EAGAIN && errno != EINTR) return errno;
  }
}

/* The answer to what was sent, or NULL with an exception pending. */
static napi_value receive_answer(napi_env env, int fd, int64_t deadline) {
  size_t length;
  int error = next_length_until(fd, deadline, &length);
  if (error != 0) return sectile_fail_errno(env, "recvmsg", error);
  uint8_t *memory;
  napi_value bytes = sectile_message_bytes(env, length, &memory);
  if (bytes == NULL) return NULL;
  sectile_descriptors descriptors;
  error = sectile_message_receive(fd, memory, length, SECTILE_MAX_DESCRIPTORS, &length, &descriptors);
  if (error != 0) return sectile_fail_errno(env, "recvmsg", error);
  return sectile_message_value(env, bytes, &descriptors);
}

static napi_value socket_request(napi_env env, napi_callback_info info) {
  static const char *const call = "socketRequest";
  napi_value arguments[4];
  uint32_t timeout;
  int fd;
  sectile_outgoing message;
  /* The message may run JavaScript while it is read (see there): the socket's number comes after it. */
  if (!sectile_arguments(env, info, call, 4, arguments) || !sectile_read_uint32(env, arguments[3], call, "timeout", &timeout) ||
      !sectile_message_read(env, arguments[1], arguments[2], call, &message) ||
      !sectile_descriptor_read(env, arguments[0], call, "descriptor", &fd)) {
    return NULL;
  }
  int64_t deadline = sectile_monotonic_ms() + timeout;
  int error = send_until(fd, &message, deadline);
  if (error != 0) return sectile_fail_errno(env, "sendmsg", error);
  napi_value answer = receive_answer(env, fd, deadline);
  /*
   * Requests and answers are matched by their order alone. An answer that comes after its request was
   * given up would be taken for that of the next, so such a connection is of no more use.
   */
  if (answer == NULL) shutdown(fd, SHUT_RDWR);
  return answer;
}

const sectile_export sectile_socket_exports[] = {
    {"socketConnect", socket_connect},
    {"socketPeer", socket_peer},
    {"socketRequest", socket_request},
    {NULL, NULL},
};
