/*
 * A small program at either end of a channel of Sectile, over standard input and output: a line is a message. It shows how
 * sectile_channel.h is used, and stands in the tests for any program in C. Makes no channel.
 *
 *   channel-client ring|latest|broadcast|pool produce|consume PATH [OFFSET] [--timeout MS] [--count N] [--from-now] [--hold]
 *
 * PATH is a file, /dev/shm/NAME, /proc/self/fd/N or /proc/PID/fd/N; OFFSET is where in it the channel starts, in bytes. To
 * produce is to write each line that comes; to consume is to print each that is there until the other side closes; with --hold
 * the first frame of a pool is kept. Exit codes: 0 the end was told; 1 failed; 2 bad usage; 3 the other side's process has ended;
 * 4 nothing came in time.
 */
#define _GNU_SOURCE
#include "sectile_channel.h"

static struct {
  const char *path;
  uint64_t offset;
  int64_t timeout;
  long count;
  bool from_now, hold;
} options = {.timeout = -1, .count = -1};

static int fail(const char *what, sectile_result result) {
  fprintf(stderr, "channel-client: %s: %s%s%s\n", what, sectile_text(result), result == SECTILE_SYSTEM ? ": " : "",
          result == SECTILE_SYSTEM ? strerror(errno) : "");
  return result == SECTILE_PEER_DIED ? 3 : result == SECTILE_TIMED_OUT ? 4 : 1;
}

static void say(const void *bytes, uint32_t length) {
  fwrite(bytes, 1, length, stdout);
  fputc('\n', stdout);
  fflush(stdout);
}

/** Whether the wanted number of messages has not come yet. */
static bool more(void) { return options.count < 0 || options.count-- > 0; }

static ssize_t next_line(char **line, size_t *room) {
  ssize_t length = getline(line, room, stdin);
  return length > 0 && (*line)[length - 1] == '\n' ? length - 1 : length;
}

/** For each line a call that gives a result; 0 or an exit code. */
#define EACH_LINE(call)                                              \
  do {                                                               \
    char *line = NULL;                                               \
    size_t room = 0;                                                 \
    for (ssize_t length; (length = next_line(&line, &room)) >= 0;) { \
      sectile_result result = (call);                                \
      if (result != SECTILE_OK) return fail("produce", result);      \
    }                                                                \
    free(line);                                                      \
  } while (0)

static int ring_produce(sectile_channel *channel) {
  sectile_ring_producer producer;
  sectile_result opened = sectile_ring_producer_open(&producer, channel);
  if (opened != SECTILE_OK) return fail("open", opened);
  EACH_LINE(sectile_ring_send(&producer, line, (uint32_t)length, options.timeout));
  sectile_ring_producer_close(&producer);
  return 0;
}

static int ring_consume(sectile_channel *channel) {
  sectile_ring_consumer consumer;
  sectile_result result = sectile_ring_consumer_open(&consumer, channel);
  if (result != SECTILE_OK) return fail("open", result);
  uint32_t room = consumer.capacity / 2, length;
  char *bytes = malloc(room);
  if (bytes == NULL) return fail("malloc", SECTILE_SYSTEM);
  while (more()) {
    result = sectile_ring_receive(&consumer, bytes, room, &length, options.timeout);
    if (result != SECTILE_OK) break;
    say(bytes, length);
  }
  free(bytes);
  sectile_ring_consumer_close(&consumer);
  return result == SECTILE_OK || result == SECTILE_ENDED ? 0 : fail("consume", result);
}

static int latest_produce(sectile_channel *channel) {
  sectile_latest writer;
  sectile_result opened = sectile_latest_writer_open(&writer, channel);
  if (opened != SECTILE_OK) return fail("open", opened);
  EACH_LINE(sectile_latest_write(&writer, line, (uint32_t)length));
  sectile_latest_writer_close(&writer);
  return 0;
}

static int latest_consume(sectile_channel *channel) {
  sectile_latest reader;
  sectile_result result = sectile_latest_reader_open(&reader, channel);
  if (result != SECTILE_OK) return fail("open", result);
  uint32_t length;
  char *bytes = malloc(reader.capacity);
  if (bytes == NULL) return fail("malloc", SECTILE_SYSTEM);
  while (more()) {
    result = sectile_latest_changed(&reader, options.timeout);
    if (result == SECTILE_OK) result = sectile_latest_read(&reader, bytes, reader.capacity, &length);
    if (result != SECTILE_OK) break;
    say(bytes, length);
  }
  free(bytes);
  return result == SECTILE_OK || result == SECTILE_ENDED ? 0 : fail("consume", result);
}

static int broadcast_produce(sectile_channel *channel) {
  sectile_broadcast writer;
  sectile_result opened = sectile_broadcast_writer_open(&writer, channel);
  if (opened != SECTILE_OK) return fail("open", opened);
  EACH_LINE(sectile_broadcast_write(&writer, line, (uint32_t)length));
  sectile_broadcast_writer_close(&writer);
  return 0;
}

static int broadcast_consume(sectile_channel *channel) {
  sectile_broadcast reader;
  sectile_result result = sectile_broadcast_reader_open(&reader, channel, !options.from_now);
  if (result != SECTILE_OK) return fail("open", result);
  uint32_t room = reader.capacity / 2, length;
  char *bytes = malloc(room);
  if (bytes == NULL) return fail("malloc", SECTILE_SYSTEM);
  while (more()) {
    result = sectile_broadcast_read(&reader, bytes, room, &length, options.timeout);
    if (result != SECTILE_OK) break;
    say(bytes, length);
  }
  free(bytes);
  if (reader.lost_messages != 0) fprintf(stderr, "lost %llu messages\n", (unsigned long long)reader.lost_messages);
  return result == SECTILE_OK || result == SECTILE_ENDED ? 0 : fail("consume", result);
}

static sectile_result pool_put(sectile_pool_producer *pool, const char *line, size_t length) {
  sectile_block block;
  if (length > pool->shape.block_size) return SECTILE_TOO_BIG;
  sectile_result result = sectile_pool_acquire(pool, &block, options.timeout);
  if (result != SECTILE_OK) return result;
  memcpy(block.bytes, line, length);
  sectile_pool_publish(pool, &block, (uint32_t)length);
  return SECTILE_OK;
}

static int pool_produce(sectile_channel *channel) {
  sectile_pool_producer pool;
  sectile_result result = sectile_pool_producer_open(&pool, channel);
  if (result == SECTILE_OK) result = sectile_pool_attached(&pool, 1, options.timeout);
  if (result != SECTILE_OK) return fail("open", result);
  EACH_LINE(pool_put(&pool, line, (size_t)length));
  sectile_pool_producer_close(&pool);
  return 0;
}

static int pool_consume(sectile_channel *channel) {
  sectile_pool_consumer consumer;
  sectile_frame frame;
  sectile_result result = sectile_pool_consumer_open(&consumer, channel, -1, SECTILE_WAIT_FOR_ME, 1);
  if (result != SECTILE_OK) return fail("open", result);
  while (more()) {
    result = sectile_pool_next(&consumer, &frame, options.timeout);
    if (result != SECTILE_OK) break;
    say(frame.bytes, frame.length);
    while (options.hold) pause();
    sectile_pool_release(&consumer, &frame);
  }
  sectile_pool_consumer_close(&consumer);
  return result == SECTILE_OK || result == SECTILE_ENDED ? 0 : fail("consume", result);
}

static const struct {
  const char *name;
  sectile_kind kind;
  int (*produce)(sectile_channel *), (*consume)(sectile_channel *);
  bool readers_write;
} kinds[] = {
    {"ring", SECTILE_RING, ring_produce, ring_consume, true},
    {"latest", SECTILE_LATEST, latest_produce, latest_consume, false},
    {"broadcast", SECTILE_BROADCAST, broadcast_produce, broadcast_consume, false},
    {"pool", SECTILE_POOL, pool_produce, pool_consume, true},
};

static int usage(void) {
  fputs(
      "usage: channel-client ring|latest|broadcast|pool produce|consume PATH [OFFSET] [--timeout MS] [--count N] [--from-now] "
      "[--hold]\n",
      stderr);
  return 2;
}

static bool read_options(int count, char **arguments) {
  for (int index = 0; index < count; index++) {
    const char *text = arguments[index];
    if (strcmp(text, "--from-now") == 0) {
      options.from_now = true;
    } else if (strcmp(text, "--hold") == 0) {
      options.hold = true;
    } else if (strcmp(text, "--timeout") == 0 && index + 1 < count) {
      options.timeout = atoll(arguments[++index]);
    } else if (strcmp(text, "--count") == 0 && index + 1 < count) {
      options.count = atol(arguments[++index]);
    } else if (*text != '-') {
      options.offset = strtoull(text, NULL, 0);
    } else {
      return false;
    }
  }
  return true;
}

int main(int count, char **arguments) {
  if (count < 4 || !read_options(count - 4, arguments + 4)) return usage();
  options.path = arguments[3];
  bool produces = strcmp(arguments[2], "produce") == 0;
  if (!produces && strcmp(arguments[2], "consume") != 0) return usage();
  for (size_t index = 0; index < sizeof kinds / sizeof *kinds; index++) {
    if (strcmp(arguments[1], kinds[index].name) != 0) continue;
    sectile_channel channel;
    sectile_result result =
        sectile_map(&channel, options.path, options.offset, kinds[index].kind, produces || kinds[index].readers_write);
    if (result != SECTILE_OK) return fail(options.path, result);
    int code = produces ? kinds[index].produce(&channel) : kinds[index].consume(&channel);
    sectile_unmap(&channel);
    return code;
  }
  return usage();
}
