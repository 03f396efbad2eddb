/*
 * The driver's guarded accesses (drivers/windows-wdm/guarded.c), as they are, in a program: here pages can be had that
 * are not there. Prints one line for each case: what was returned, and what became of the memory.
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>

LONG GuardedCopy(void *to, const void *from, SIZE_T bytes);
LONG GuardedCompareExchange(volatile LONG *target, LONG desired, LONG expected, LONG *found);
LONG GuardedExchange(volatile LONG *target, LONG desired);

#define PAGE 4096

int wmain(void) {
  /* Two pages, of which the second is not there. */
  char *pages = (char *)VirtualAlloc(NULL, 2 * PAGE, MEM_RESERVE, PAGE_NOACCESS);
  char *there = (char *)VirtualAlloc(pages, PAGE, MEM_COMMIT, PAGE_READWRITE);
  char *gone = pages + PAGE;
  char local[64] = "local";
  LONG found = -1;
  if (pages == NULL || there == NULL) return 1;

  printf("copy there %08lx", GuardedCopy(there, local, sizeof(local)));
  printf(" %s\n", there);
  printf("copy nothing %08lx\n", GuardedCopy(gone, local, 0));
  printf("copy to gone %08lx\n", GuardedCopy(gone, local, sizeof(local)));
  printf("copy from gone %08lx", GuardedCopy(local, gone, sizeof(local)));
  printf(" %s\n", local);
  /* What lies before the end is copied, and the rest is told. */
  memset(there, 'x', PAGE);
  printf("copy across %08lx", GuardedCopy(local, gone - 3, 8));
  printf(" %.5s\n", local);

  volatile LONG *word = (volatile LONG *)there;
  *word = 5;
  printf("compare equal %08lx", GuardedCompareExchange(word, 6, 5, &found));
  printf(" %ld %ld\n", found, *word);
  printf("compare other %08lx", GuardedCompareExchange(word, 7, 5, &found));
  printf(" %ld %ld\n", found, *word);
  found = -1;
  printf("compare gone %08lx", GuardedCompareExchange((volatile LONG *)gone, 7, 5, &found));
  printf(" %ld\n", found);
  printf("exchange there %08lx", GuardedExchange(word, 8));
  printf(" %ld\n", *word);
  printf("exchange gone %08lx\n", GuardedExchange((volatile LONG *)gone, 8));

  DWORD before;
  VirtualProtect(there, PAGE, PAGE_READONLY, &before);
  printf("exchange read-only %08lx", GuardedExchange(word, 9));
  printf(" %ld\n", *word);
  /* The stack and the registers of the callers are as they were: a thousand times more. */
  unsigned long faults = 0;
  for (int round = 0; round < 1000; round++) faults += GuardedCopy(local, gone, 1 + round % 64) != 0;
  printf("rounds %lu\n", faults);
  return 0;
}
