/*
 * The server's side that JavaScript calls and is called by: its entry points, its events and its life.
 * Never touches a client's socket itself; see server_thread.c.
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bounds that keep every product of limits far from overflow; what is sensible the caller decides. */
#define MOST_IN_FLIGHT 65536
#define MOST_CLIENTS 65536

/* ---- life: all of this happens on JavaScript's thread, so plain counting will do ---- */

static void drop_reference(sectile_server *server) {
  if (--server->references > 0) return;
  pthread_mutex_destroy(&server->lock);
  free(server);
}

static void close_server(sectile_server *server);

static void on_environment_exit(void *data) {
  sectile_server *server = data;
  server->hooked = false; /* it is being called: not to be removed any more */
  close_server(server);
}

/* The order matters: the file goes while the listener still holds its inode, and nobody connects after. */
static void close_server(sectile_server *server) {
  if (server->closed) return;
  server->closed = true;
  if (server->bound) sectile_socket_file_remove(&server->file, &server->identity);
  sectile_server_stop(server);
  if (server->listener >= 0) close(server->listener);
  server->listener = -1;
  sectile_socket_file_close(&server->file);
  if (server->hooked) napi_remove_env_cleanup_hook(server->env, on_environment_exit, server);
  if (server->self != NULL) napi_delete_reference(server->env, server->self);
  server->self = NULL;
  server->hooked = false;
  /* The thread is gone; calls that wait in the runtime's queue find no event. */
  if (server->notify != NULL) napi_release_threadsafe_function(server->notify, napi_tsfn_abort);
  server->notify = NULL;
}

static void on_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  close_server(data);
  drop_reference(data);
}

static void on_notify_released(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  drop_reference(data);
}

/* ---- events ---- */

/* The ServerEvent of an event, which is used up. */
static napi_value event_value(napi_env env, sectile_server *server, sectile_event *event) {
  static const char *const types[] = {
      [SECTILE_CONNECTED] = "connect", [SECTILE_MESSAGE] = "message", [SECTILE_DISCONNECTED] = "disconnect"};
  sectile_event_kind kind = event->kind;
  double id = (double)event->client->id;
  const char *part_name = NULL;
  napi_value part = NULL, type = NULL, result = NULL;
  if (kind == SECTILE_CONNECTED) {
    part_name = "peer";
    part = sectile_peer_value(env, &event->client->peer);
    sectile_peer_free(&event->client->peer);
  } else if (kind == SECTILE_MESSAGE) {
    sectile_incoming *incoming = (sectile_incoming *)event;
    uint8_t *memory;
    part_name = "message";
    napi_value bytes = sectile_message_bytes(env, incoming->length, &memory);
    if (bytes != NULL) {
      memcpy(memory, incoming->bytes, incoming->length);
      part = sectile_message_value(env, bytes, &incoming->descriptors);
    }
  }
  sectile_server_discard(server, event);
  if (part_name != NULL && part == NULL) return NULL;
  if (napi_create_object(env, &result) != napi_ok ||
      napi_create_string_utf8(env, types[kind], NAPI_AUTO_LENGTH, &type) != napi_ok) {
    return sectile_fail_napi(env, "server");
  }
  if (!sectile_set(env, result, "type", type) || !sectile_set(env, result, "client", sectile_number(env, id)) ||
      (part_name != NULL && !sectile_set(env, result, part_name, part))) {
    return NULL;
  }
  return result;
}

/* Hands one event over; called once for each by the threadsafe function. */
static void deliver(napi_env env, napi_value listener, void *context, void *data) {
  (void)data;
  sectile_server *server = context;
  if (env == NULL) return; /* the runtime empties its queue */
  sectile_event *event = sectile_server_take(server);
  if (event == NULL) return;
  uint64_t id = event->client->id;
  napi_value receiver = sectile_undefined(env);
  napi_value value = event_value(env, server, event);
  /* A listener that has missed an event must not go on with this client as if it had not. */
  if (value == NULL) sectile_server_cut(server, id);
  if (value != NULL && napi_call_function(env, receiver, listener, 1, &value, NULL) == napi_ok) return;
  /* Left pending here, an exception of the listener would only be warned of (DEP0168). */
  napi_value error;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return; /* a worker being terminated */
  if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
}

/* ---- entry points ---- */

/* Reads options[name], a whole number from `least` to `most`. */
static bool read_option(napi_env env, napi_value options, const char *call, const char *name, uint32_t least, uint32_t most,
                        uint32_t *result) {
  napi_value value;
  if (napi_get_named_property(env, options, name, &value) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  if (!sectile_read_uint32(env, value, call, name, result)) return false;
  if (*result >= least && *result <= most) return true;
  sectile_fail_argument(env, call, "an option is out of its range");
  return false;
}

static bool read_choice(napi_env env, napi_value options, const char *call, const char *name, bool *result) {
  napi_value value;
  if (napi_get_named_property(env, options, name, &value) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  return sectile_read_bool(env, value, call, name, result);
}

static bool read_options(napi_env env, napi_value options, const char *call, char *path, size_t capacity, uint32_t *mode,
                         sectile_server_limits *limits, bool *keeps_process) {
  napi_value value;
  if (napi_get_named_property(env, options, "path", &value) != napi_ok) {
    sectile_fail_napi(env, call);
    return false;
  }
  return sectile_read_string(env, value, call, "path", path, capacity) &&
         read_option(env, options, call, "mode", 0, 0777, mode) &&
         read_option(env, options, call, "maximumMessage", 1, SECTILE_MAX_MESSAGE, &limits->maximum_message) &&
         read_option(env, options, call, "maximumDescriptors", 0, SECTILE_MAX_DESCRIPTORS, &limits->maximum_descriptors) &&
         read_option(env, options, call, "maximumInFlight", 1, MOST_IN_FLIGHT, &limits->maximum_in_flight) &&
         read_option(env, options, call, "maximumClients", 1, MOST_CLIENTS, &limits->maximum_clients) &&
         read_choice(env, options, call, "descriptorsFromOthers", &limits->descriptors_from_others) &&
         read_choice(env, options, call, "clientsFromOthers", &limits->clients_from_others) &&
         read_choice(env, options, call, "keepsProcess", keeps_process);
}

static sectile_server *new_server(napi_env env, const sectile_server_limits *limits) {
  sectile_server *server = calloc(1, sizeof *server);
  if (server == NULL) return NULL;
  server->env = env;
  server->limits = *limits;
  server->listener = server->file.directory = -1;
  server->references = 1;
  pthread_mutex_init(&server->lock, NULL);
  return server;
}

static int bind_and_listen(sectile_server *server, const char *path, mode_t mode, const char **syscall) {
  int error = sectile_socket_file_open(&server->file, path, syscall);
  if (error != 0) return error;
  *syscall = "socket";
  server->listener = sectile_socket(true);
  if (server->listener < 0) return errno;
  error = sectile_socket_file_bind(&server->file, server->listener, mode, &server->identity, syscall);
  if (error != 0) return error;
  server->bound = true;
  *syscall = "listen";
  return listen(server->listener, SOMAXCONN) == 0 ? 0 : errno;
}

static bool create_notify(napi_env env, napi_value listener, sectile_server *server, bool keeps_process) {
  napi_value name;
  /* Its queue needs no bound of its own: it holds one call for each event in ours. */
  if (napi_create_string_utf8(env, "sectile:server", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, listener, NULL, name, 0, 1, server, on_notify_released, server, deliver,
                                      &server->notify) != napi_ok) {
    server->notify = NULL;
    sectile_fail_napi(env, "serverListen");
    return false;
  }
  server->references++;
  if (keeps_process || napi_unref_threadsafe_function(env, server->notify) == napi_ok) return true;
  sectile_fail_napi(env, "serverListen");
  return false;
}

static napi_value server_listen(napi_env env, napi_callback_info info) {
  static const char *const call = "serverListen";
  napi_value arguments[2];
  napi_valuetype type = napi_undefined;
  char path[SECTILE_PATH_CAPACITY];
  uint32_t mode;
  sectile_server_limits limits;
  bool keeps_process;
  if (!sectile_arguments(env, info, call, 2, arguments) ||
      !read_options(env, arguments[0], call, path, sizeof path, &mode, &limits, &keeps_process)) {
    return NULL;
  }
  if (napi_typeof(env, arguments[1], &type) != napi_ok || type != napi_function) {
    return sectile_fail_argument(env, call, "listener must be a function");
  }
  sectile_server *server = new_server(env, &limits);
  if (server == NULL) return sectile_fail_errno(env, "malloc", ENOMEM);
  napi_value result = sectile_wrap(env, server, &sectile_tag_server, on_collected);
  if (result == NULL) return NULL;
  /* From here the finalizer owns the server; a failed one is closed at once and freed by it later. */
  const char *syscall = NULL;
  int error = bind_and_listen(server, path, (mode_t)mode, &syscall);
  if (error == 0) {
    if (!create_notify(env, arguments[1], server, keeps_process)) {
      close_server(server);
      return NULL;
    }
    error = sectile_server_start(server, &syscall);
  }
  if (error != 0) {
    close_server(server);
    return sectile_fail_errno(env, syscall, error);
  }
  /* After the threadsafe function's own hook, hence called before it: the thread must stop first. */
  server->hooked = napi_add_env_cleanup_hook(env, on_environment_exit, server) == napi_ok;
  if (server->hooked && napi_create_reference(env, result, 1, &server->self) == napi_ok) return result;
  close_server(server);
  return sectile_fail_napi(env, call);
}

static bool read_server(napi_env env, napi_value value, const char *call, sectile_server **server) {
  void *pointer;
  if (!sectile_unwrap(env, value, call, "server", &sectile_tag_server, &pointer)) return false;
  *server = pointer;
  return true;
}

static napi_value server_reply(napi_env env, napi_callback_info info) {
  static const char *const call = "serverReply";
  napi_value arguments[4];
  sectile_server *server;
  uint64_t id;
  sectile_outgoing message;
  if (!sectile_arguments(env, info, call, 4, arguments) || !read_server(env, arguments[0], call, &server) ||
      !sectile_read_size(env, arguments[1], call, "client", &id) ||
      !sectile_message_read(env, arguments[2], arguments[3], call, &message)) {
    return NULL;
  }
  /* No client would take it: a mistake of the caller's, for which none should be cut off. */
  if (message.length > SECTILE_MAX_MESSAGE) return sectile_fail_errno(env, "sendmsg", EMSGSIZE);
  if (!server->closed) sectile_server_answer(server, id, &message);
  return sectile_undefined(env);
}

static napi_value server_cut(napi_env env, napi_callback_info info) {
  static const char *const call = "serverCut";
  napi_value arguments[2];
  sectile_server *server;
  uint64_t id;
  if (!sectile_arguments(env, info, call, 2, arguments) || !read_server(env, arguments[0], call, &server) ||
      !sectile_read_size(env, arguments[1], call, "client", &id)) {
    return NULL;
  }
  if (!server->closed) sectile_server_cut(server, id);
  return sectile_undefined(env);
}

static napi_value server_close(napi_env env, napi_callback_info info) {
  static const char *const call = "serverClose";
  napi_value argument;
  sectile_server *server;
  if (!sectile_arguments(env, info, call, 1, &argument) || !read_server(env, argument, call, &server)) return NULL;
  close_server(server);
  return sectile_undefined(env);
}

const sectile_export sectile_server_exports[] = {
    {"serverListen", server_listen},
    {"serverReply", server_reply},
    {"serverCut", server_cut},
    {"serverClose", server_close},
    {NULL, NULL},
};
