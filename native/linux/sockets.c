/*
 * Sockets and pipes on Linux. SOCK_SEQPACKET keeps the bounds of messages.
 */
#include "posix/system.h"

#include <fcntl.h>
#include <unistd.h>

int sectile_socket(bool non_blocking) {
  return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0), 0);
}

int sectile_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int sectile_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }
