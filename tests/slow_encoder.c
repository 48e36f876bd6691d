/* Makes libx264 slow: each picture takes SLOW_ENCODER_MS longer, as on a computer that is too weak or too busy. Loaded
 * before the program's libraries by tests/rss.sh; the encoder itself is the real one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

typedef int encode_fn(void *, void *, void *, void *, void *);

int x264_encoder_encode(void *encoder, void *units, void *count, void *in, void *out) {
  static encode_fn *real;
  if (!real) real = (encode_fn *)dlsym(RTLD_NEXT, "x264_encoder_encode");
  if (!real) abort();
  const char *text = getenv("SLOW_ENCODER_MS");
  long ms = text ? atol(text) : 0;
  struct timespec delay = {ms / 1000, ms % 1000 * 1000000};
  if (in) nanosleep(&delay, NULL);
  return real(encoder, units, count, in, out);
}
