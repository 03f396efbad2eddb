/*
 * Who is at the other end of a socket, on macOS: unix(4), LOCAL_PEERCRED and LOCAL_PEERPID. It tells up to 16
 * groups, the first of which is the effective one.
 */
#include "posix/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ucred.h>

int sectile_peer_read(int fd, sectile_peer *peer) {
  struct xucred credentials;
  socklen_t size = sizeof credentials;
  *peer = (sectile_peer){0};
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &credentials, &size) != 0) return errno;
  /* A peer that has gone already is nobody. */
  if (credentials.cr_version != XUCRED_VERSION || credentials.cr_ngroups < 1 || credentials.cr_ngroups > NGROUPS) return EPROTO;
  size = sizeof peer->pid;
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &peer->pid, &size) != 0) return errno;
  peer->uid = credentials.cr_uid;
  peer->gid = credentials.cr_groups[0];
  size_t count = (size_t)credentials.cr_ngroups;
  peer->groups = malloc(count * sizeof *peer->groups);
  if (peer->groups == NULL) return ENOMEM;
  memcpy(peer->groups, credentials.cr_groups, count * sizeof *peer->groups);
  peer->group_count = count;
  return 0;
}
