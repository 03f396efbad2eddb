/*
 * A message with its descriptors, and its form in JavaScript.
 */
#include "socket.h"

#include <string.h>
#include <unistd.h>

void sectile_descriptors_close(sectile_descriptors *descriptors) {
  for (size_t i = 0; i < descriptors->count; i++) close(descriptors->numbers[i]);
  descriptors->count = 0;
}

void sectile_rights_put(struct msghdr *header, sectile_control *control, const sectile_descriptors *descriptors) {
  if (descriptors->count == 0) return;
  size_t size = descriptors->count * sizeof descriptors->numbers[0];
  memset(control, 0, sizeof *control);
  header->msg_control = control;
  header->msg_controllen = CMSG_SPACE(size);
  struct cmsghdr *rights = CMSG_FIRSTHDR(header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(rights), descriptors->numbers, size);
}

/* musl's macro compares a signed with an unsigned length. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
static struct cmsghdr *next_part(struct msghdr *header, struct cmsghdr *part) { return CMSG_NXTHDR(header, part); }
#pragma GCC diagnostic pop

void sectile_rights_take(struct msghdr *header, sectile_descriptors *descriptors) {
  for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = next_part(header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int number;
      memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      if (descriptors->count < SECTILE_MAX_DESCRIPTORS) {
        descriptors->numbers[descriptors->count++] = number;
      } else {
        close(number);
        header->msg_flags |= MSG_CTRUNC;
      }
    }
  }
}

bool sectile_message_read(napi_env env, napi_value bytes, napi_value descriptors, const char *call, sectile_outgoing *message) {
  bool is_array = false;
  uint32_t count = 0;
  if (napi_is_array(env, descriptors, &is_array) != napi_ok || !is_array ||
      napi_get_array_length(env, descriptors, &count) != napi_ok) {
    sectile_fail_argument(env, call, "descriptors must be an array");
    return false;
  }
  if (count > SECTILE_MAX_DESCRIPTORS) {
    sectile_fail_argument(env, call, "descriptors are too many for one message");
    return false;
  }
  /* An element may be a getter, which may close a descriptor or detach the bytes: elements first. */
  napi_value elements[SECTILE_MAX_DESCRIPTORS];
  for (uint32_t i = 0; i < count; i++) {
    if (napi_get_element(env, descriptors, i, &elements[i]) != napi_ok) {
      sectile_fail_napi(env, call);
      return false;
    }
  }
  message->descriptors.count = count;
  for (uint32_t i = 0; i < count; i++) {
    if (!sectile_descriptor_read(env, elements[i], call, "descriptors", &message->descriptors.numbers[i])) return false;
  }
  uint8_t *memory = NULL;
  if (!sectile_read_bytes(env, bytes, call, "bytes", &memory, &message->length)) return false;
  if (message->length == 0) {
    /* On the wire an empty message is the end of the stream. */
    sectile_fail_argument(env, call, "bytes must not be empty");
    return false;
  }
  message->bytes = memory;
  return true;
}

napi_value sectile_message_bytes(napi_env env, size_t length, uint8_t **memory) {
  napi_value buffer, bytes;
  void *data = NULL;
  if (napi_create_arraybuffer(env, length, &data, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &bytes) != napi_ok) {
    return sectile_fail_napi(env, "message");
  }
  *memory = data;
  return bytes;
}

napi_value sectile_message_value(napi_env env, napi_value bytes, sectile_descriptors *descriptors) {
  napi_value message, list;
  size_t taken = 0;
  if (napi_create_object(env, &message) != napi_ok || napi_create_array_with_length(env, descriptors->count, &list) != napi_ok) {
    sectile_descriptors_close(descriptors);
    return sectile_fail_napi(env, "message");
  }
  bool complete = true;
  while (complete && taken < descriptors->count) {
    napi_value wrapped = sectile_descriptor_wrap(env, descriptors->numbers[taken]);
    complete = wrapped != NULL && napi_set_element(env, list, (uint32_t)taken, wrapped) == napi_ok;
    taken++;
  }
  /* A wrapped descriptor is JavaScript's, also when it never gets there: collected, it is closed. */
  for (size_t i = taken; i < descriptors->count; i++) close(descriptors->numbers[i]);
  descriptors->count = 0;
  if (!complete) return sectile_fail_napi(env, "message");
  if (!sectile_set(env, message, "bytes", bytes) || !sectile_set(env, message, "descriptors", list)) return NULL;
  return message;
}
