/*
 * One message of a SOCK_SEQPACKET socket with the descriptors beside it: the kernel keeps its bounds. Never
 * waits, and never loses sight of a descriptor: what arrived is handed over or closed.
 */
#include "posix/system.h"

#include <errno.h>

/*
 * A message must fit in the send buffer, whose default (208 KiB) is less than the longest message. Only
 * the privileged may go beyond net.core.wmem_max; for the others the kernel takes as much as it allows.
 */
static void raise_send_buffer(int fd, size_t length) {
  int size = (int)length; /* doubled by the kernel for its own needs */
  if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) == 0) return;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

int sectile_message_send(int fd, const sectile_outgoing *message, size_t *sent) {
  (void)sent; /* all or nothing */
  if (message->length > SECTILE_MAX_MESSAGE) return EMSGSIZE;
  struct iovec part = {.iov_base = (void *)(uintptr_t)message->bytes, .iov_len = message->length};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  sectile_control control;
  sectile_rights_put(&header, &control, &message->descriptors);
  bool raised = false;
  for (;;) {
    if (sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return 0;
    if (errno == EMSGSIZE && !raised) {
      raise_send_buffer(fd, message->length);
      raised = true;
    } else if (errno != EINTR) {
      return errno;
    }
  }
}

int sectile_message_length(int fd, sectile_inbox *inbox, size_t maximum_descriptors, size_t *length) {
  (void)inbox;
  (void)maximum_descriptors;
  ssize_t size;
  do {
    size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return errno;
  if (size == 0) return ECONNRESET;
  *length = (size_t)size;
  return *length > SECTILE_MAX_MESSAGE ? EPROTO : 0;
}

int sectile_message_receive(int fd, sectile_inbox *inbox, uint8_t *bytes, size_t capacity, size_t maximum_descriptors,
                            size_t *length, sectile_descriptors *descriptors) {
  (void)inbox;
  sectile_control control;
  struct iovec part = {.iov_base = bytes, .iov_len = capacity};
  /* CMSG_LEN and not CMSG_SPACE: the kernel would fill the padding with one more descriptor. */
  struct msghdr header = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(maximum_descriptors * sizeof(int))};
  descriptors->count = 0;
  ssize_t received;
  do {
    received = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return errno;
  sectile_rights_take(&header, descriptors);
  int error = 0;
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    error = EPROTO;
  } else if (received == 0) {
    error = ECONNRESET;
  }
  if (error != 0) sectile_descriptors_close(descriptors);
  *length = (size_t)received;
  return error;
}

void sectile_inbox_empty(sectile_inbox *inbox) { (void)inbox; }
