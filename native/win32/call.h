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
   *   w    a wide string, ended by a NUL
   *   n    a UNICODE_STRING, from a string
   *   o    OBJECT_ATTRIBUTES, from [name or null, attributes, root directory, security descriptor or null]
   *   s    SECURITY_ATTRIBUTES, from [security descriptor or null, whether the handle is inherited]
   */
  const char *arguments;
} sectile_call;

/* Ends with a row without a name. */
extern const sectile_call sectile_calls[];

#endif
