/*
 * The server between its two threads: the one that reads the sockets (server_thread.c) and the one of
 * JavaScript, which takes the events and answers (server.c).
 */
#ifndef SECTILE_SERVER_H
#define SECTILE_SERVER_H

#include "system.h"

#include <pthread.h>

typedef struct sectile_server sectile_server;
typedef struct sectile_client sectile_client;

typedef enum { SECTILE_CONNECTED, SECTILE_MESSAGE, SECTILE_DISCONNECTED } sectile_event_kind;

typedef struct sectile_event {
  struct sectile_event *next;
  sectile_client *client; /* lives until its last event, the disconnect, has been taken */
  sectile_event_kind kind;
} sectile_event;

/* A message on its way to JavaScript; the event comes first, so that a pointer to one is one to both. */
typedef struct {
  sectile_event event;
  size_t length;
  sectile_descriptors descriptors;
  uint8_t bytes[];
} sectile_incoming;

/*
 * One connection. Its first and last event are part of it: an end must always be reported, also when no
 * memory is left, and clients that come and go can queue no more than the server has places for.
 */
struct sectile_client {
  sectile_client *next; /* in its bucket */
  uint64_t id;
  int fd;              /* -1 once ended */
  bool cut;            /* ended by JavaScript: nothing but the disconnect is delivered any more */
  uint32_t in_flight;  /* read and not yet answered */
  uint32_t delivered;  /* of these, seen by JavaScript: what a reply can answer */
  sectile_inbox inbox; /* the thread's own */
  sectile_peer peer;
  sectile_event connected;
  sectile_event disconnected;
};

typedef struct {
  uint32_t maximum_message;
  uint32_t maximum_descriptors;
  uint32_t maximum_in_flight;
  uint32_t maximum_clients;
  bool descriptors_from_others; /* from users other than root and our own */
  bool clients_from_others;     /* whether such users are served at all */
} sectile_server_limits;

struct sectile_server {
  /* Set before the thread starts and not changed while it runs. */
  sectile_server_limits limits;
  napi_threadsafe_function notify; /* called once for each queued event */
  int listener;
  sectile_poller *poller; /* woken: stop */

  /* The thread's own. */
  pthread_t thread;
  uint8_t *buffer; /* maximum_message bytes */
  uint64_t last_id;
  int64_t accept_again; /* monotonic ms; 0 while accepting */
  bool deaf;            /* JavaScript takes nothing any more */

  /* Under the lock. */
  pthread_mutex_t lock;
  sectile_client **buckets; /* by the low bits of the id */
  uint32_t bucket_mask;
  uint32_t client_count; /* a client keeps its place until its disconnect has been taken */
  uint32_t ended_count;  /* of these, ended */
  sectile_event *first, *last;

  /* JavaScript's own. */
  napi_env env;
  napi_ref self; /* strong while open: a server that listens is not garbage, whoever forgets it */
  sectile_socket_file file;
  struct stat identity;
  bool bound, running, hooked, closed;
  unsigned references; /* by the external and by the threadsafe function */
};

/* ---- server_thread.c, called by JavaScript's thread ---- */

/* Needs listener, limits and notify. */
int sectile_server_start(sectile_server *server, const char **syscall);
/* Joins the thread, ends all connections and drops what is queued. Also after a failed start. */
void sectile_server_stop(sectile_server *server);
/*
 * The next event, owned by the caller until sectile_server_discard; NULL when there is none, or when it
 * was a message of a client that has been cut.
 */
sectile_event *sectile_server_take(sectile_server *server);
/* Frees an event; with a disconnect its client. */
void sectile_server_discard(sectile_server *server, sectile_event *event);
void sectile_server_answer(sectile_server *server, uint64_t id, const sectile_outgoing *message);
void sectile_server_cut(sectile_server *server, uint64_t id);

#endif
