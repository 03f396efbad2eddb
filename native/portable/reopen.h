/*
 * Between memory_object.c, which makes memory that has no path, and reopen.c, which opens it again.
 */
#ifndef SECTILE_REOPEN_H
#define SECTILE_REOPEN_H

#include "posix/system.h"

/* Notes a descriptor that only reads beside the number of what it reads, which sectile_close closes with that; takes it. */
void sectile_reader_beside(int fd, int reader);

#endif
