/*
 * Where a socket lies in the file system: its address, its permission bits, its removal. There is no other
 * place for sockets here: one of no directory is a file in the user's folder for temporary things, and
 * whoever takes its name after its owner was killed removes it.
 */
#include "posix/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_directory(sectile_socket_file *file, const char *path, size_t length, const char **syscall) {
  char directory[SECTILE_PATH_CAPACITY] = ".";
  *syscall = "open";
  if (length > 0) {
    memcpy(directory, path, length);
    directory[length] = '\0';
  }
  file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return file->directory < 0 ? errno : 0;
}

int sectile_socket_file_open(sectile_socket_file *file, const char *path, const char **syscall) {
  char hidden[SECTILE_PATH_CAPACITY];
  *file = (sectile_socket_file){.directory = -1, .address = {.sun_family = AF_UNIX}, .length = sizeof file->address};
  *syscall = "bind";
  if (path[0] == '@') {
    if (path[1] == '\0' || strchr(path, '/') != NULL) return EINVAL;
    char folder[SECTILE_PATH_CAPACITY];
    if (!sectile_temporary_folder(folder, sizeof folder)) return ENAMETOOLONG;
    if (snprintf(hidden, sizeof hidden, "%s/%s", folder, path + 1) >= (int)sizeof hidden) return ENAMETOOLONG;
    file->hidden = true;
    path = hidden;
  }
  const char *slash = strrchr(path, '/');
  const char *name = slash == NULL ? path : slash + 1;
  size_t length = strlen(path), name_length = length - (size_t)(name - path);
  if (name_length == 0) return EINVAL;
  /* There is no other way to name a socket than by its whole path, of about a hundred characters. */
  if (name_length >= sizeof file->name || length >= sizeof file->address.sun_path) return ENAMETOOLONG;
  memcpy(file->name, name, name_length + 1);
  memcpy(file->address.sun_path, path, length + 1);
  return open_directory(file, path, (size_t)(name - path), syscall);
}

void sectile_socket_file_close(sectile_socket_file *file) {
  if (file->directory >= 0) close(file->directory);
  file->directory = -1;
}

static int bind_address(const sectile_socket_file *file, int fd) {
  return bind(fd, (const struct sockaddr *)&file->address, file->length) == 0 ? 0 : errno;
}

/* Whether nobody listens at a socket's file any more. */
static bool is_left_behind(const sectile_socket_file *file) {
  int fd = sectile_socket(true);
  if (fd < 0) return false;
  bool refused = connect(fd, (const struct sockaddr *)&file->address, file->length) != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

/* The file has more permission bits for a moment, in which nobody can connect yet: only listening opens it. */
int sectile_socket_file_bind(const sectile_socket_file *file, int fd, mode_t mode, struct stat *identity, const char **syscall) {
  *syscall = "bind";
  int error = bind_address(file, fd);
  if (error == EADDRINUSE && file->hidden && is_left_behind(file)) {
    unlinkat(file->directory, file->name, 0);
    error = bind_address(file, fd);
  }
  if (error != 0) return error;
  *syscall = "fstatat";
  if (fstatat(file->directory, file->name, identity, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (!S_ISSOCK(identity->st_mode)) return EEXIST;
  *syscall = "fchmodat";
  if (fchmodat(file->directory, file->name, mode, 0) == 0) return 0;
  error = errno;
  sectile_socket_file_remove(file, identity);
  return error;
}

/*
 * The caller's bound socket is still open: it holds the inode, so that no newer file can have its
 * number. Between the comparison and the removal another process of the same user could still put a
 * file in its place; there is no system call that does both.
 */
void sectile_socket_file_remove(const sectile_socket_file *file, const struct stat *identity) {
  struct stat found;
  if (fstatat(file->directory, file->name, &found, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (found.st_dev != identity->st_dev || found.st_ino != identity->st_ino) return;
  unlinkat(file->directory, file->name, 0);
}
