/*
 * A call of the system, as the table in calls.c states it and call.c carries it out.
 */
#ifndef SECTILE_CALL_H
#define SECTILE_CALL_H

typedef struct {
  const char *name;
  const char *library; /* NULL: the program itself */
  /*
   * What it gives back: 'u' an unsigned 32-bit number (NTSTATUS, BOOL, DWORD), 'h' a handle, 'p' 64 bits as a bigint.
   */
  char returns;
  /*
   * What it takes, a word for each argument; a word that ends in ? also takes null for a null pointer.
   *   u    an unsigned 32-bit number
   *   z    64 bits by value: a whole number, or a bigint
   *   h    a handle: a signed 32-bit number
   *   a    an address by value, which the kernel itself checks: a bigint
   *   bN   a Uint8Array of at least N bytes: a structure that is read or filled
   *   l    how many bytes of the array before it count: a number, no larger than the array; l2: how many characters
   *   0    a null pointer, whatever is given
   *   w    a wide string, ended by a NUL
   *   n    a UNICODE_STRING, from a string
   *   m    a UNICODE_STRING that is filled: a Uint8Array of its Length (two bytes, written by the call) and its text
   *   o    OBJECT_ATTRIBUTES, from [name or null, attributes, root directory, security descriptor or null]
   *   s    SECURITY_ATTRIBUTES, from [security descriptor or null, whether the handle is inherited]
   *   x    MEM_EXTENDED_PARAMETERs, as extended.h has them
   *   c    how many the array before it has: that number
   *   H    handles, of an array of at most 64; the argument before it becomes how many
   *   i    an IO_STATUS_BLOCK: a Uint8Array of at least 16 bytes
   *   e    an event of the call's own: a request that is pending is waited for; whatever is given
   */
  const char *arguments;
} sectile_call;

/* Ends with a row without a name. */
extern const sectile_call sectile_calls[];

#endif
