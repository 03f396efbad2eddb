/*
 * Where a socket lies in the file system, on Linux: its address however long the path, its permission bits, its
 * removal. Never connects, listens, or removes a file that it did not make.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In the abstract namespace of unix(7), which has no files and no permission bits. */
static int open_hidden(sectile_socket_file *file, const char *name, const char **syscall) {
  *syscall = "bind";
  size_t length = strlen(name);
  if (length == 0) return EINVAL;
  if (length >= sizeof file->address.sun_path) return ENAMETOOLONG;
  memcpy(file->address.sun_path + 1, name, length);
  file->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
  file->hidden = true;
  return 0;
}

int sectile_socket_file_open(sectile_socket_file *file, const char *path, const char **syscall) {
  *file = (sectile_socket_file){.directory = -1, .address = {.sun_family = AF_UNIX}, .length = sizeof file->address};
  if (path[0] == '@') return open_hidden(file, path + 1, syscall);
  *syscall = "open";
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  size_t directory_length = (size_t)(name - path);
  size_t path_length = strlen(path), name_length = path_length - directory_length;
  /* An empty sun_path would not fail: it means a name outside the file system. */
  if (name_length == 0) return EINVAL;
  if (name_length >= sizeof file->name || path_length >= SECTILE_PATH_CAPACITY) return ENAMETOOLONG;
  memcpy(file->name, name, name_length + 1);

  char directory[SECTILE_PATH_CAPACITY] = ".";
  if (directory_length > 0) {
    memcpy(directory, path, directory_length);
    directory[directory_length] = '\0';
  }
  file->directory = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (file->directory < 0) return errno;

  size_t capacity = sizeof file->address.sun_path;
  if (path_length < capacity) {
    memcpy(file->address.sun_path, path, path_length + 1);
    return 0;
  }
  /* sun_path holds 107 characters; the open directory gives every path a short name. */
  char address[sizeof "/proc/self/fd//" + 3 * sizeof(int) + sizeof file->name];
  int length = snprintf(address, sizeof address, "/proc/self/fd/%d/%s", file->directory, file->name);
  if (length < 0 || (size_t)length >= capacity) {
    sectile_socket_file_close(file);
    return ENAMETOOLONG;
  }
  memcpy(file->address.sun_path, address, (size_t)length + 1);
  return 0;
}

void sectile_socket_file_close(sectile_socket_file *file) {
  if (file->directory >= 0) close(file->directory);
  file->directory = -1;
}

int sectile_socket_file_bind(const sectile_socket_file *file, int fd, mode_t mode, struct stat *identity, const char **syscall) {
  if (file->hidden) {
    *syscall = "bind";
    return bind(fd, (const struct sockaddr *)&file->address, file->length) == 0 ? 0 : errno;
  }
  /* The new file takes its bits from the socket, less the umask: never more than `mode`, at no moment. */
  *syscall = "fchmod";
  if (fchmod(fd, mode) != 0) return errno;
  *syscall = "bind";
  if (bind(fd, (const struct sockaddr *)&file->address, file->length) != 0) return errno;

  /* What the umask took away is given back, to the file itself and not to whatever has its name. */
  *syscall = "open";
  int error = 0;
  char link[sizeof "/proc/self/fd/" + 3 * sizeof(int)];
  int node = openat(file->directory, file->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (node < 0) return errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", node);
  if (fstat(node, identity) != 0) {
    *syscall = "fstat";
    error = errno;
  } else if (!S_ISSOCK(identity->st_mode)) {
    error = EEXIST;
  } else if (chmod(link, mode) != 0) {
    *syscall = "chmod";
    error = errno;
    sectile_socket_file_remove(file, identity);
  }
  close(node);
  return error;
}

/*
 * The caller's bound socket is still open: it holds the inode, so that no newer file can have its
 * number. Between the comparison and the removal another process of the same user could still put a
 * file in its place; there is no system call that does both.
 */
void sectile_socket_file_remove(const sectile_socket_file *file, const struct stat *identity) {
  struct stat found;
  if (file->hidden) return; /* it goes with the socket */
  if (fstatat(file->directory, file->name, &found, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (found.st_dev != identity->st_dev || found.st_ino != identity->st_ino) return;
  unlinkat(file->directory, file->name, 0);
}
