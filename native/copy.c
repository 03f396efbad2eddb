/*
 * Copies between a mapping and other memory. Large copies can go around the cache: an ordinary store reads the line that it is
 * about to overwrite, which for data larger than the cache is a third of all traffic, and throws out what the program had there.
 * That is half as fast again on some processors and takes three times as long on others, so the first copies of each size try
 * both.
 */
#include "sectile.h"

#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>

/* Half of a common second-level cache: from here on a copy would push out what else is there. */
#define STREAM_FROM ((size_t)512 << 10)
enum { BLOCK = 128, AHEAD = 1024 };

static void stream(uint8_t *target, const uint8_t *source, size_t length) {
  size_t head = (size_t)(-(uintptr_t)target & 15); /* streaming stores are aligned */
  memcpy(target, source, head);
  target += head;
  source += head;
  length -= head;
  size_t blocks = length / BLOCK;
  for (size_t block = 0; block < blocks; block++) {
    _mm_prefetch((const char *)source + AHEAD, _MM_HINT_NTA); /* never faults, also beyond the end */
    _mm_prefetch((const char *)source + AHEAD + 64, _MM_HINT_NTA);
    const __m128i *from = (const __m128i *)source;
    __m128i *to = (__m128i *)target;
    __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1), c = _mm_loadu_si128(from + 2),
            d = _mm_loadu_si128(from + 3), e = _mm_loadu_si128(from + 4), f = _mm_loadu_si128(from + 5),
            g = _mm_loadu_si128(from + 6), h = _mm_loadu_si128(from + 7);
    _mm_stream_si128(to, a);
    _mm_stream_si128(to + 1, b);
    _mm_stream_si128(to + 2, c);
    _mm_stream_si128(to + 3, d);
    _mm_stream_si128(to + 4, e);
    _mm_stream_si128(to + 5, f);
    _mm_stream_si128(to + 6, g);
    _mm_stream_si128(to + 7, h);
    source += BLOCK;
    target += BLOCK;
  }
  /* Streaming stores are weakly ordered: whoever is told "it is there" after us must find them. */
  _mm_sfence();
  memcpy(target, source, length % BLOCK);
}

/* Sizes of one power of two: copies of this process so far that tried a way, and the least time for 1 MiB by each, in ns. */
enum { SIZES = 16, TRIES = 8 };
static struct { _Atomic uint32_t tries, plain, streamed; } sizes[SIZES];

static uint32_t for_one_mebibyte(int64_t nanoseconds, size_t length) {
  double each = (double)nanoseconds * 0x1p20 / (double)length;
  return each < 1 ? 1 : each > 4e9 ? 4000000000u : (uint32_t)each;
}

static void copy_large(uint8_t *target, const uint8_t *source, size_t length) {
  size_t size = 0;
  while (size < SIZES - 1 && STREAM_FROM << (size + 1) <= length) size++;
  uint32_t tries = sizes[size].tries;
  bool is_trial = tries < TRIES;
  /* The least of each: one that meets pages for the first time says nothing. Races cost a trial, and no more. */
  bool streams = is_trial ? tries % 2 == 1 : sizes[size].streamed < sizes[size].plain;
  int64_t start = is_trial ? sectile_now() : 0;
  if (streams) {
    stream(target, source, length);
  } else {
    memcpy(target, source, length);
  }
  if (!is_trial) return;
  uint32_t taken = for_one_mebibyte(sectile_now() - start, length);
  _Atomic uint32_t *least = streams ? &sizes[size].streamed : &sizes[size].plain;
  if (*least == 0 || taken < *least) *least = taken;
  sizes[size].tries++;
}

void sectile_copy(uint8_t *target, const uint8_t *source, size_t length) {
  bool apart = target + length <= source || source + length <= target;
  if (length >= STREAM_FROM && apart) {
    copy_large(target, source, length);
  } else if (length != 0) {
    memmove(target, source, length);
  }
}

#else

void sectile_copy(uint8_t *target, const uint8_t *source, size_t length) {
  if (length != 0) memmove(target, source, length);
}

#endif
