/*
 * Where processes meet that wait for words of one section, and that wake: a table in a section of its own, which is found by
 * what the section is called. Windows wakes across processes by objects of the kernel alone, so who waits has a *mailbox*, an
 * event with a random name, and enters it with the word's offset; who wakes looks into the table, which takes no call of the
 * kernel where nobody waits.
 *
 * There is no lock: a process can be killed at any instruction. An entry is claimed by one step, filled by the claimer, and
 * valid when its word is there; whoever wakes marks it by one step, and sets the mailbox then. What a process leaves
 * when it is killed is claimed by others when there is no other room.
 */
#ifndef SECTILE_MEETING_H
#define SECTILE_MEETING_H

#include "nt.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct sectile_meeting sectile_meeting;

/* A use of the meeting of what has this identity (units of UTF-16); `global`: of all sessions. NULL: no memory. */
sectile_meeting *sectile_meeting_of(const WCHAR *identity, size_t units, bool global);
void sectile_meeting_retain(sectile_meeting *meeting);
void sectile_meeting_release(sectile_meeting *meeting);
/* Whether it is of all sessions: its mailboxes must be too. */
bool sectile_meeting_is_global(const sectile_meeting *meeting);

/* Of one waiting thread. */
typedef struct {
  uint64_t id;
  HANDLE event; /* auto reset; NULL until it is made */
} sectile_mailbox;

/* A Win32 error. */
DWORD sectile_mailbox_make(sectile_mailbox *mailbox, bool global);
void sectile_mailbox_close(sectile_mailbox *mailbox);

/*
 * Enters a mailbox for the word at an offset of the section. From then on it is set when the word is woken. A Win32 error; the
 * place is what the others take.
 */
DWORD sectile_meeting_enter(sectile_meeting *meeting, uint64_t offset, const sectile_mailbox *mailbox, uint32_t *place);
bool sectile_meeting_is_woken(const sectile_meeting *meeting, uint32_t place);
void sectile_meeting_leave(sectile_meeting *meeting, uint32_t place);
/* Wakes so many of those who wait for a word, which was changed before; how many there were. A Win32 error. */
DWORD sectile_meeting_wake(sectile_meeting *meeting, uint64_t offset, int32_t most, int32_t *woken);

#endif
