/*
 * What the socket files share: one message with its descriptors, the peer, the socket's place in the
 * file system. Functions that return int return 0 or the error number.
 */
#ifndef SECTILE_SOCKET_H
#define SECTILE_SOCKET_H

#include "sectile.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>

/* The longest message of either direction. */
#define SECTILE_MAX_MESSAGE ((size_t)1 << 20)
/* The most descriptors beside one message. */
#define SECTILE_MAX_DESCRIPTORS 16

/* Deadlines are kept on a clock that nobody sets. */
static inline int64_t sectile_monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- message.c ---- */

typedef struct {
  size_t count;
  int numbers[SECTILE_MAX_DESCRIPTORS];
} sectile_descriptors;

/* A message to send: it borrows memory and descriptors from JavaScript until the call returns. */
typedef struct {
  const uint8_t *bytes;
  size_t length;
  sectile_descriptors descriptors;
} sectile_outgoing;

/* Room for the descriptors beside a message. */
typedef union {
  struct cmsghdr alignment;
  uint8_t bytes[CMSG_SPACE(SECTILE_MAX_DESCRIPTORS * sizeof(int))];
} sectile_control;

/* Puts descriptors beside what is sent, if there are any. */
void sectile_rights_put(struct msghdr *header, sectile_control *control, const sectile_descriptors *descriptors);
/* Takes every descriptor out of what came: none may stay behind, whatever is wrong with the rest. MSG_CTRUNC: too many. */
void sectile_rights_take(struct msghdr *header, sectile_descriptors *descriptors);

void sectile_descriptors_close(sectile_descriptors *descriptors);

/* Reads an Os.Message given as two arguments; false means that an exception is pending. */
bool sectile_message_read(napi_env env, napi_value bytes, napi_value descriptors, const char *call, sectile_outgoing *message);
/* A Uint8Array of `length` bytes and its memory. */
napi_value sectile_message_bytes(napi_env env, size_t length, uint8_t **memory);
/* An Os.Message. Takes the descriptors, on failure too. */
napi_value sectile_message_value(napi_env env, napi_value bytes, sectile_descriptors *descriptors);

/* ---- messages.c of each system ---- */

/* What has come of a message, where the system does not keep messages together. All zero at first. */
typedef struct {
  uint32_t head[2]; /* length of the body, count of descriptors */
  size_t have;      /* bytes of head and body */
  uint8_t *body;    /* owned */
  sectile_descriptors descriptors;
} sectile_inbox;

/*
 * Sends without waiting: EAGAIN when the peer does not read. *sent, 0 at first, says how far it came: it may be
 * called again to go on from there.
 */
int sectile_message_send(int fd, const sectile_outgoing *message, size_t *sent);
/* The length of the next message, which stays where it is: EAGAIN while it is not known. */
int sectile_message_length(int fd, sectile_inbox *inbox, size_t maximum_descriptors, size_t *length);
/*
 * Receives without waiting: EAGAIN when there is nothing (whole), ECONNRESET at the end of the stream or for an
 * empty message, EPROTO when bytes or descriptors were more than asked for. The caller owns the
 * descriptors; on failure there are none.
 */
int sectile_message_receive(int fd, sectile_inbox *inbox, uint8_t *bytes, size_t capacity, size_t maximum_descriptors,
                            size_t *length, sectile_descriptors *descriptors);
/* Gives up what has come of a message. */
void sectile_inbox_empty(sectile_inbox *inbox);

/* ---- socket.c ---- */

typedef struct {
  pid_t pid;
  uid_t uid;
  gid_t gid;
  gid_t *groups; /* owned; NULL when there are none */
  size_t group_count;
} sectile_peer;

napi_value sectile_peer_value(napi_env env, const sectile_peer *peer);
void sectile_peer_free(sectile_peer *peer);

/* ---- peer.c of each system ---- */

/* Who the peer was when it connected (or listened). */
int sectile_peer_read(int fd, sectile_peer *peer);

/* ---- socket_file.c of each system ---- */

/* Room for the longest path with its terminator. */
#define SECTILE_PATH_CAPACITY 4096

/*
 * A socket's place: the directory is held open, so that neither chdir nor rename can move it away. A path
 * that starts with an @ means a name of no directory, which goes with the socket: outside the file system,
 * where there is such a place.
 */
typedef struct {
  bool hidden;   /* outside the file system */
  int directory; /* or -1 */
  char name[256];
  struct sockaddr_un address;
  socklen_t length; /* of the address */
} sectile_socket_file;

/* On failure nothing is open and *syscall names the call that failed. */
int sectile_socket_file_open(sectile_socket_file *file, const char *path, const char **syscall);
void sectile_socket_file_close(sectile_socket_file *file);
/* Binds `fd` here with exactly these permission bits; `identity` then tells the new file from others. */
int sectile_socket_file_bind(const sectile_socket_file *file, int fd, mode_t mode, struct stat *identity, const char **syscall);
/* Removes the file if it is still the one with this identity. */
void sectile_socket_file_remove(const sectile_socket_file *file, const struct stat *identity);

#endif
