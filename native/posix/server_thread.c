/*
 * The server's thread: accepts, reads and queues, and what JavaScript's thread does to the same clients.
 * Never calls JavaScript and never waits for it; one client's share is a message per round and
 * maximum_in_flight messages in memory.
 *
 * Who closes what: a client's socket is closed by the thread alone (after it has ended, by stop), so the
 * thread uses it without the lock. JavaScript's thread uses it under the lock, and ends a connection by
 * shutting it down, which the thread then sees as a hang-up.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READY_PER_ROUND 64
#define STACK_SIZE ((size_t)256 * 1024)
/* How long nobody is accepted when descriptors or places have run out; clients wait in the backlog. */
#define ACCEPT_PAUSE_MS 20

/* ---- clients and the queue; the lock is held ---- */

static sectile_client **bucket_of(sectile_server *server, uint64_t id) { return &server->buckets[id & server->bucket_mask]; }

static sectile_client *find_client(sectile_server *server, uint64_t id) {
  sectile_client *client = *bucket_of(server, id);
  while (client != NULL && client->id != id) client = client->next;
  return client;
}

static void free_client(sectile_server *server, sectile_client *client) {
  sectile_client **link = bucket_of(server, client->id);
  while (*link != client) link = &(*link)->next;
  *link = client->next;
  server->client_count--;
  sectile_peer_free(&client->peer);
  sectile_inbox_empty(&client->inbox);
  free(client);
}

/* The thread sees it as a hang-up; a client that it does not read now is watched again for that. */
static void cut_client(sectile_server *server, sectile_client *client) {
  client->cut = true;
  if (client->fd < 0) return;
  shutdown(client->fd, SHUT_RDWR);
  sectile_poller_watch(server->poller, client->fd, true, client);
}

/*
 * Shut down and not watched any more before it is closed: a process that is being forked may hold the
 * socket open for a moment longer, and neither the peer nor the poller would notice the end until then.
 */
static void close_client(sectile_server *server, sectile_client *client) {
  shutdown(client->fd, SHUT_RDWR);
  sectile_poller_forget(server->poller, client->fd);
  close(client->fd);
  client->fd = -1;
}

static void append(sectile_server *server, sectile_event *event) {
  event->next = NULL;
  if (server->last == NULL)
    server->first = event;
  else
    server->last->next = event;
  server->last = event;
}

/* ---- the thread ---- */

/* One call for each event, without the lock. It fails only when the environment is coming down. */
static void notify(sectile_server *server) {
  if (napi_call_threadsafe_function(server->notify, NULL, napi_tsfn_nonblocking) != napi_ok) server->deaf = true;
}

static void end_client(sectile_server *server, sectile_client *client) {
  pthread_mutex_lock(&server->lock);
  close_client(server, client);
  server->ended_count++;
  append(server, &client->disconnected);
  pthread_mutex_unlock(&server->lock);
  notify(server);
}

static bool is_trusted(const sectile_peer *peer) { return peer->uid == 0 || peer->uid == geteuid(); }

static bool is_welcome(const sectile_server *server, const sectile_peer *peer) {
  return server->limits.clients_from_others || is_trusted(peer);
}

/* A client without credentials, of a user who is not served, without a place or memory is no client: NULL, and its socket is
 * closed. */
static sectile_client *new_client(sectile_server *server, int fd) {
  sectile_client *client = calloc(1, sizeof *client);
  if (client == NULL) {
    close(fd);
    return NULL;
  }
  client->fd = fd;
  client->connected = (sectile_event){.client = client, .kind = SECTILE_CONNECTED};
  client->disconnected = (sectile_event){.client = client, .kind = SECTILE_DISCONNECTED};
  if (sectile_peer_read(fd, &client->peer) != 0 || !is_welcome(server, &client->peer) ||
      sectile_poller_watch(server->poller, fd, true, client) != 0) {
    sectile_peer_free(&client->peer);
    close(fd);
    free(client);
    return NULL;
  }
  return client;
}

static void pause_accepting(sectile_server *server) {
  server->accept_again = sectile_monotonic_ms() + ACCEPT_PAUSE_MS;
  sectile_poller_watch(server->poller, server->listener, false, &server->listener);
}

static void accept_client(sectile_server *server) {
  pthread_mutex_lock(&server->lock);
  bool full = server->client_count >= server->limits.maximum_clients;
  bool soon = full && server->ended_count > 0;
  pthread_mutex_unlock(&server->lock);
  /* Places that are free as soon as JavaScript has heard of it: no reason to turn anybody away. */
  if (soon) {
    pause_accepting(server);
    return;
  }
  int fd = sectile_accept(server->listener);
  if (fd < 0) {
    /* Whatever else it is, it would be so again at once: the listener stays readable. */
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) pause_accepting(server);
    return;
  }
  if (full) {
    close(fd);
    return;
  }
  sectile_client *client = new_client(server, fd);
  if (client == NULL) return;
  client->id = ++server->last_id;
  pthread_mutex_lock(&server->lock);
  sectile_client **bucket = bucket_of(server, client->id);
  client->next = *bucket;
  *bucket = client;
  server->client_count++;
  append(server, &client->connected);
  pthread_mutex_unlock(&server->lock);
  notify(server);
}

/*
 * A descriptor of a file system that its sender serves (FUSE) can hold up whoever closes it, so from
 * strangers none is ever received: with no room for it the kernel drops it on its own account.
 */
static size_t descriptors_allowed(const sectile_server *server, const sectile_client *client) {
  return is_trusted(&client->peer) || server->limits.descriptors_from_others ? server->limits.maximum_descriptors : 0;
}

/* One message into memory of its own; NULL when the connection has come to its end. */
static sectile_incoming *read_message(sectile_server *server, sectile_client *client, bool *nothing) {
  sectile_descriptors descriptors;
  size_t length = 0;
  int error = sectile_message_receive(client->fd, &client->inbox, server->buffer, server->limits.maximum_message,
                                      descriptors_allowed(server, client), &length, &descriptors);
  *nothing = error == EAGAIN;
  if (error != 0) return NULL;
  sectile_incoming *message = malloc(sizeof *message + length);
  if (message == NULL) {
    sectile_descriptors_close(&descriptors);
    return NULL;
  }
  message->event = (sectile_event){.client = client, .kind = SECTILE_MESSAGE};
  message->length = length;
  message->descriptors = descriptors;
  memcpy(message->bytes, server->buffer, length);
  return message;
}

static void serve_client(sectile_server *server, sectile_client *client, bool hung_up) {
  pthread_mutex_lock(&server->lock);
  bool full = client->in_flight >= server->limits.maximum_in_flight;
  bool cut = client->cut;
  pthread_mutex_unlock(&server->lock);
  if (full && !cut) {
    /* Not to be read now. If it has gone, its answers have nowhere to go, nor has what it still sent. */
    cut = hung_up;
    if (!cut) return;
  }
  bool nothing = false;
  sectile_incoming *message = cut ? NULL : read_message(server, client, &nothing);
  if (nothing) return;
  if (message == NULL) {
    end_client(server, client);
    return;
  }
  pthread_mutex_lock(&server->lock);
  client->in_flight++;
  append(server, &message->event);
  if (client->in_flight == server->limits.maximum_in_flight) sectile_poller_watch(server->poller, client->fd, false, client);
  pthread_mutex_unlock(&server->lock);
  notify(server);
}

/* Resumes accepting when the pause is over; returns how long the poller may wait. */
static int accept_timeout(sectile_server *server) {
  if (server->accept_again == 0) return -1;
  int64_t left = server->accept_again - sectile_monotonic_ms();
  if (left > 0) return (int)left;
  server->accept_again = 0;
  sectile_poller_watch(server->poller, server->listener, true, &server->listener);
  return -1;
}

static void *run(void *data) {
  sectile_server *server = data;
  sectile_ready ready[READY_PER_ROUND];
  sectile_thread_name("sectile-server");
  while (!server->deaf) {
    int count = sectile_poller_wait(server->poller, ready, READY_PER_ROUND, accept_timeout(server));
    for (int i = 0; i < count; i++) {
      void *subject = ready[i].subject;
      if (subject == NULL) return NULL;
      if (subject == &server->listener)
        accept_client(server);
      else
        serve_client(server, subject, ready[i].hung_up);
    }
  }
  return NULL;
}

/* ---- JavaScript's thread ---- */

/* Signals belong to the threads of the runtime, which knows what to do with them. */
static int start_thread(sectile_server *server) {
  pthread_attr_t attributes;
  sigset_t all, before;
  int error = pthread_attr_init(&attributes);
  if (error != 0) return error;
  sigfillset(&all);
  pthread_attr_setstacksize(&attributes, STACK_SIZE);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  error = pthread_create(&server->thread, &attributes, run, server);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error != 0) return error;
  server->running = true;
  return 0;
}

int sectile_server_start(sectile_server *server, const char **syscall) {
  *syscall = "malloc";
  uint32_t buckets = 1;
  while (buckets < server->limits.maximum_clients) buckets *= 2;
  server->bucket_mask = buckets - 1;
  server->buckets = calloc(buckets, sizeof(sectile_client *));
  server->buffer = malloc(server->limits.maximum_message);
  if (server->buckets == NULL || server->buffer == NULL) return ENOMEM;
  server->poller = sectile_poller_open(syscall);
  if (server->poller == NULL) return errno;
  *syscall = "poll";
  int error = sectile_poller_watch(server->poller, server->listener, true, &server->listener);
  if (error != 0) return error;
  *syscall = "pthread_create";
  return start_thread(server);
}

void sectile_server_stop(sectile_server *server) {
  if (server->running) {
    sectile_poller_wake(server->poller);
    pthread_join(server->thread, NULL);
    server->running = false;
  }
  /* Nobody else is left: the lock has nothing to keep apart any more. */
  for (sectile_event *event = server->first; event != NULL;) {
    sectile_event *next = event->next;
    if (event->kind == SECTILE_MESSAGE) sectile_server_discard(server, event);
    event = next;
  }
  server->first = server->last = NULL;
  for (uint32_t i = 0; server->buckets != NULL && i <= server->bucket_mask; i++) {
    while (server->buckets[i] != NULL) {
      sectile_client *client = server->buckets[i];
      if (client->fd >= 0) close_client(server, client);
      free_client(server, client);
    }
  }
  if (server->poller != NULL) sectile_poller_close(server->poller);
  server->poller = NULL;
  free(server->buckets);
  free(server->buffer);
  server->buckets = NULL;
  server->buffer = NULL;
}

sectile_event *sectile_server_take(sectile_server *server) {
  pthread_mutex_lock(&server->lock);
  sectile_event *event = server->first;
  bool unwanted = false;
  if (event != NULL) {
    server->first = event->next;
    if (server->first == NULL) server->last = NULL;
    if (event->kind == SECTILE_MESSAGE) {
      unwanted = event->client->cut;
      event->client->delivered++;
    }
  }
  pthread_mutex_unlock(&server->lock);
  if (!unwanted) return event;
  sectile_server_discard(server, event);
  return NULL;
}

void sectile_server_discard(sectile_server *server, sectile_event *event) {
  if (event->kind == SECTILE_MESSAGE) {
    sectile_incoming *message = (sectile_incoming *)event;
    sectile_descriptors_close(&message->descriptors);
    free(message);
  } else if (event->kind == SECTILE_DISCONNECTED) {
    pthread_mutex_lock(&server->lock);
    server->ended_count--;
    free_client(server, event->client);
    pthread_mutex_unlock(&server->lock);
  }
}

void sectile_server_answer(sectile_server *server, uint64_t id, const sectile_outgoing *message) {
  pthread_mutex_lock(&server->lock);
  sectile_client *client = find_client(server, id);
  if (client != NULL && client->fd >= 0 && !client->cut && client->delivered > 0) {
    bool was_full = client->in_flight == server->limits.maximum_in_flight;
    client->delivered--;
    client->in_flight--;
    /* A client that does not read its answers, or has gone, is not waited for. */
    size_t sent = 0;
    int error = sectile_message_send(client->fd, message, &sent);
    if (error == 0 && was_full) error = sectile_poller_watch(server->poller, client->fd, true, client);
    if (error != 0) cut_client(server, client);
  }
  pthread_mutex_unlock(&server->lock);
}

void sectile_server_cut(sectile_server *server, uint64_t id) {
  pthread_mutex_lock(&server->lock);
  sectile_client *client = find_client(server, id);
  if (client != NULL) cut_client(server, client);
  pthread_mutex_unlock(&server->lock);
}
