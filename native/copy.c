/*
 * Copies between a mapping and other memory. Large copies go around the cache where the processor can:
 * an ordinary store reads the line that it is about to overwrite, which for data larger than the cache
 * is a third of all traffic, and throws out what the program had there.
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

void sectile_copy(uint8_t *target, const uint8_t *source, size_t length) {
  bool apart = target + length <= source || source + length <= target;
  if (length >= STREAM_FROM && apart) {
    stream(target, source, length);
  } else if (length != 0) {
    memmove(target, source, length);
  }
}

#else

void sectile_copy(uint8_t *target, const uint8_t *source, size_t length) {
  if (length != 0) memmove(target, source, length);
}

#endif
