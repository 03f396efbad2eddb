/*
 * Which process a number means.
 */
#ifndef SECTILE_PROCESS_H
#define SECTILE_PROCESS_H

#include "nt.h"

#include <stdint.h>

/* When a process started, in units of 100 ns; 0: it has ended. Else a Win32 error: it cannot be told. */
DWORD sectile_process_start(DWORD pid, uint64_t *start);

#endif
