/*
 * Waits for words of mappings that leave JavaScript free. Each environment has one thread for all of them, which sleeps for its
 * mailboxes, and looks then which words were woken.
 */
#include "sleeping.h"
#include "waits.h"

#include <errno.h>
#include <stdlib.h>

typedef struct word_wait {
  sectile_wait wait; /* the first: it is freed by that */
  sectile_word word; /* its mapping is retained */
  int32_t expected;
  uint32_t place;
  struct word_wait *next;
} word_wait;

/* The thread of an environment. */
typedef struct sectile_postman {
  sectile_waiter waiter;
  sectile_mailbox mailboxes[2];
  word_wait *waits; /* under the lock */
} postman;

static void take_out(word_wait **link) {
  word_wait *found = *link;
  *link = found->next;
  sectile_meeting_leave(found->word.mapping->meeting, found->place);
  sectile_mapping_release(found->word.mapping);
}

static bool is_over(const word_wait *self) {
  return __atomic_load_n(self->word.address, __ATOMIC_SEQ_CST) != self->expected ||
         sectile_meeting_is_woken(self->word.mapping->meeting, self->place);
}

/* Under the lock, as the next. */
static void look(postman *self) {
  for (word_wait **link = &self->waits; *link != NULL;) {
    word_wait *each = *link;
    bool leaves = each->wait.cancelled || sectile_waits_closed(self->waiter.waits);
    if (!leaves && !is_over(each)) {
      link = &each->next;
      continue;
    }
    take_out(link);
    if (leaves) {
      sectile_waits_leave(self->waiter.waits, &each->wait);
    } else {
      sectile_waits_end(self->waiter.waits, &each->wait, SECTILE_WAIT_0);
    }
  }
}

static DWORD WINAPI carry(void *data) {
  postman *self = data;
  sectile_waits *waits = self->waiter.waits;
  sectile_waits_lock(waits);
  for (;;) {
    look(self);
    if (sectile_waits_closed(waits)) break;
    HANDLE events[2];
    DWORD count = 0;
    for (int i = 0; i < 2; i++) {
      if (self->mailboxes[i].event != NULL) events[count++] = self->mailboxes[i].event;
    }
    self->waiter.asleep = true;
    self->waiter.poked = false;
    sectile_waits_unlock(waits);
    if (count == 0) {
      SleepEx(INFINITE, TRUE);
    } else {
      NtWaitForMultipleObjects(count, events, SECTILE_WAIT_ANY, TRUE, NULL);
    }
    sectile_waits_lock(waits);
    self->waiter.asleep = false;
  }
  *sectile_waits_postman(waits) = NULL;
  sectile_waits_unlock(waits);
  for (int i = 0; i < 2; i++) sectile_mailbox_close(&self->mailboxes[i]);
  CloseHandle(self->waiter.handle);
  free(self);
  sectile_waits_release(waits);
  return 0;
}

void sectile_postman_close(postman *self) {
  if (self != NULL) sectile_waits_poke(&self->waiter);
}

/* Under the lock; NULL: there is no memory, or no thread can be had. */
static postman *postman_of(sectile_waits *waits) {
  postman **place = sectile_waits_postman(waits);
  if (*place != NULL) return *place;
  postman *fresh = calloc(1, sizeof *fresh);
  if (fresh == NULL || !sectile_waits_start(waits, &fresh->waiter, carry, fresh)) {
    free(fresh);
    return NULL;
  }
  *place = fresh;
  return fresh;
}

/* Under the lock. A Win32 error. */
static DWORD start(sectile_waits *waits, word_wait *self) {
  sectile_meeting *meeting = self->word.mapping->meeting;
  bool global = sectile_meeting_is_global(meeting);
  postman *thread = postman_of(waits);
  if (thread == NULL) return ERROR_NOT_ENOUGH_MEMORY;
  bool is_new = thread->mailboxes[global].event == NULL;
  DWORD error = sectile_mailbox_make(&thread->mailboxes[global], global);
  if (error == ERROR_SUCCESS) {
    error = sectile_meeting_enter(meeting, self->word.offset, &thread->mailboxes[global], &self->place);
  }
  if (error != ERROR_SUCCESS) return error;
  sectile_mapping_retain(self->word.mapping);
  sectile_waits_enter(waits, &self->wait, &thread->waiter);
  self->next = thread->waits;
  thread->waits = self;
  if (is_over(self)) {
    take_out(&thread->waits);
    sectile_waits_end(waits, &self->wait, SECTILE_WAIT_0);
  }
  if (is_new) sectile_waits_poke(&thread->waiter);
  return ERROR_SUCCESS;
}

/* (mapping, offset, expected): a wait's number. */
static napi_value word_wait_start(napi_env env, napi_callback_info info) {
  static const char call[] = "mappingWordWait";
  napi_value argument[3];
  int32_t expected;
  sectile_word word;
  if (!sectile_arguments(env, info, call, 3, argument) || !sectile_read_int32(env, argument[2], call, "expected", &expected) ||
      !sectile_word_of_arguments(env, argument, call, &word)) {
    return NULL;
  }
  sectile_waits *waits = sectile_waits_of(env, call);
  if (waits == NULL) return NULL;
  if (word.mapping->meeting == NULL) return sectile_fail_errno(env, call, EOPNOTSUPP);
  word_wait *self = calloc(1, sizeof *self);
  if (self == NULL) return sectile_fail_errno(env, call, ENOMEM);
  self->word = word;
  self->expected = expected;
  sectile_waits_lock(waits);
  DWORD error = start(waits, self);
  double number = self->wait.number;
  sectile_waits_unlock(waits);
  if (error == ERROR_SUCCESS) return sectile_number(env, number);
  free(self);
  return sectile_fail_meeting(env, call, error);
}

const sectile_export sectile_word_waits_exports[] = {{"mappingWordWait", word_wait_start}, {NULL, NULL}};
