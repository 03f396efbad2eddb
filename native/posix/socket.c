/*
 * The client's side of the sockets: connecting, one request with its answer, and who the peer is. Every
 * wait is bounded; no thread and no event loop has a part in it.
 */
#include "system.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

/* A server that accepts nobody for so long is taken for dead. */
#define CONNECT_TIMEOUT_MS 2000

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
  int fd = sectile_socket(false);
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
  size_t sent = 0;
  for (;;) {
    int error = sectile_message_send(fd, message, &sent);
    if (error != EAGAIN) return error;
    error = wait_until(fd, POLLOUT, deadline);
    if (error != 0) return error;
  }
}

/* The answer to what was sent, or NULL with an exception pending. */
static napi_value receive_into(napi_env env, int fd, sectile_inbox *inbox, int64_t deadline) {
  size_t length;
  int error;
  while ((error = sectile_message_length(fd, inbox, SECTILE_MAX_DESCRIPTORS, &length)) == EAGAIN) {
    error = wait_until(fd, POLLIN, deadline);
    if (error != 0) break;
  }
  if (error != 0) return sectile_fail_errno(env, "recvmsg", error);
  uint8_t *memory;
  napi_value bytes = sectile_message_bytes(env, length, &memory);
  if (bytes == NULL) return NULL;
  sectile_descriptors descriptors;
  while ((error = sectile_message_receive(fd, inbox, memory, length, SECTILE_MAX_DESCRIPTORS, &length, &descriptors)) == EAGAIN) {
    error = wait_until(fd, POLLIN, deadline);
    if (error != 0) break;
  }
  if (error != 0) return sectile_fail_errno(env, "recvmsg", error);
  return sectile_message_value(env, bytes, &descriptors);
}

static napi_value receive_answer(napi_env env, int fd, int64_t deadline) {
  sectile_inbox inbox = {.have = 0};
  napi_value answer = receive_into(env, fd, &inbox, deadline);
  sectile_inbox_empty(&inbox);
  return answer;
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
