/*
 * Messages on a SOCK_STREAM socket, each behind a head that says how long it is and how many descriptors came
 * beside it. Never waits, and never loses sight of a descriptor: what arrived is handed over or closed.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A dead peer is an error and no signal: by this flag, or by SO_NOSIGPIPE where there is none. */
#ifdef SO_NOSIGPIPE
enum { SEND_FLAGS = MSG_DONTWAIT };
#else
enum { SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL };
#endif

int sectile_message_send(int fd, const sectile_outgoing *message, size_t *sent) {
  if (message->length > SECTILE_MAX_MESSAGE) return EMSGSIZE;
  uint32_t head[2] = {(uint32_t)message->length, (uint32_t)message->descriptors.count};
  sectile_control control;
  while (*sent < sizeof head + message->length) {
    struct iovec parts[2];
    struct msghdr header = {.msg_iov = parts};
    if (*sent < sizeof head) parts[header.msg_iovlen++] = (struct iovec){(uint8_t *)head + *sent, sizeof head - *sent};
    size_t done = *sent < sizeof head ? 0 : *sent - sizeof head;
    parts[header.msg_iovlen++] = (struct iovec){(void *)(uintptr_t)(message->bytes + done), message->length - done};
    /* They go with the first byte. */
    if (*sent == 0) sectile_rights_put(&header, &control, &message->descriptors);
    ssize_t count = sendmsg(fd, &header, SEND_FLAGS);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
    *sent += (size_t)count;
  }
  return 0;
}

/* Reads once. More descriptors than `maximum_descriptors` in all are EPROTO. */
static int receive_some(int fd, sectile_inbox *inbox, void *target, size_t length, size_t maximum_descriptors) {
  sectile_control control;
  struct iovec part = {target, length};
  size_t before = inbox->descriptors.count;
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
  /* All the room or none: what does not fit beside the rest, some systems leave open and unknown. */
  if (maximum_descriptors > 0) {
    header.msg_control = &control;
    header.msg_controllen = sizeof control;
  }
  ssize_t count;
  do {
    count = recvmsg(fd, &header, MSG_DONTWAIT);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
  sectile_rights_take(&header, &inbox->descriptors);
  for (size_t i = before; i < inbox->descriptors.count; i++) fcntl(inbox->descriptors.numbers[i], F_SETFD, FD_CLOEXEC);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || inbox->descriptors.count > maximum_descriptors) return EPROTO;
  if (count == 0) return ECONNRESET;
  inbox->have += (size_t)count;
  return 0;
}

int sectile_message_length(int fd, sectile_inbox *inbox, size_t maximum_descriptors, size_t *length) {
  while (inbox->have < sizeof inbox->head) {
    uint8_t *target = (uint8_t *)inbox->head + inbox->have;
    int error = receive_some(fd, inbox, target, sizeof inbox->head - inbox->have, maximum_descriptors);
    if (error != 0) return error;
  }
  *length = inbox->head[0];
  return *length == 0 ? ECONNRESET : *length > SECTILE_MAX_MESSAGE ? EPROTO : 0;
}

static int gather(int fd, sectile_inbox *inbox, size_t capacity, size_t maximum_descriptors, size_t *length) {
  int error = sectile_message_length(fd, inbox, maximum_descriptors, length);
  if (error != 0) return error;
  if (*length > capacity) return EPROTO;
  if (inbox->body == NULL) inbox->body = malloc(*length);
  if (inbox->body == NULL) return ENOMEM;
  while (inbox->have < sizeof inbox->head + *length) {
    size_t done = inbox->have - sizeof inbox->head;
    error = receive_some(fd, inbox, inbox->body + done, *length - done, maximum_descriptors);
    if (error != 0) return error;
  }
  return inbox->descriptors.count == inbox->head[1] ? 0 : EPROTO;
}

int sectile_message_receive(int fd, sectile_inbox *inbox, uint8_t *bytes, size_t capacity, size_t maximum_descriptors,
                            size_t *length, sectile_descriptors *descriptors) {
  descriptors->count = 0;
  int error = gather(fd, inbox, capacity, maximum_descriptors, length);
  if (error == EAGAIN) return error;
  if (error == 0) {
    memcpy(bytes, inbox->body, *length);
    *descriptors = inbox->descriptors;
    inbox->descriptors.count = 0;
  }
  sectile_inbox_empty(inbox);
  return error;
}

void sectile_inbox_empty(sectile_inbox *inbox) {
  sectile_descriptors_close(&inbox->descriptors);
  free(inbox->body);
  *inbox = (sectile_inbox){.have = 0};
}
