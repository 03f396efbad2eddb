/*
 * Floor of mapping: MapViewOfFile and UnmapViewOfFile of a section that is open, all of it, for reading and writing.
 * Arguments: NAME SIZE
 */
#include "floor.h"

typedef struct {
  HANDLE section;
  size_t size;
} mapping;

static uint64_t map_batch(void *state, uint64_t batch) {
  const mapping *self = state;
  uint64_t start = floor_now();
  for (uint64_t i = 0; i < batch; i++) {
    if (!UnmapViewOfFile(floor_map(self->section, self->size))) floor_fail("UnmapViewOfFile");
  }
  return floor_now() - start;
}

int wmain(int argc, wchar_t **argv) {
  if (argc != 3) return 2;
  mapping self = {.section = floor_open(argv[1]), .size = wcstoull(argv[2], NULL, 10)};
  return floor_serve(map_batch, &self);
}
