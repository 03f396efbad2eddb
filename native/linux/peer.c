/*
 * Who is at the other end of a socket, on Linux.
 */
#include "posix/system.h"

#include <errno.h>
#include <stdlib.h>

/* Groups are read into so much at first; few users are in more. */
#define GROUPS_AT_FIRST 32

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
