/*
 * The other side of a section, in C: creates or opens one by name and does what it is told, line by line.
 *
 *   partner create NAME BYTES          a section of the paging file; prints "ready BYTES"
 *   partner open NAME read|readwrite   a section of somebody else; prints "ready BYTES", the view's length
 *
 * Then each line of stdin is answered by one line of stdout:
 *
 *   read OFFSET LENGTH    the bytes, in hexadecimal digits
 *   write OFFSET HEX      "done": the bytes are there
 *   add OFFSET NUMBER     the 32-bit number there before, to which NUMBER was added by one atomic step
 *   add-many OFFSET TIMES adds 1 so many times, each by one atomic step; "done"
 *
 * What it is not able to do is answered by "error" and the system's error number, or 87 where the line makes no sense.
 * Ends with its input. Exit code 0, 1 (a call at the start failed: one line on stderr) or 2 (bad usage).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <windows.h>

#define LINE_BYTES 8192

static unsigned char *view;
static size_t view_bytes;

static int failed(const char *call) {
  fprintf(stderr, "%s: error %lu\n", call, GetLastError());
  return 1;
}

static int error(DWORD code) { return printf("error %lu\n", code); }

/* Whether so many bytes from there lie in the view. */
static int inside(unsigned long long offset, unsigned long long length) {
  return offset <= view_bytes && length <= view_bytes - offset;
}

static void read_bytes(unsigned long long offset, unsigned long long length) {
  for (unsigned long long index = 0; index < length; index++) printf("%02x", view[offset + index]);
  printf("\n");
}

static void write_bytes(unsigned long long offset, const char *digits) {
  const size_t length = strlen(digits) / 2;
  MEMORY_BASIC_INFORMATION page;
  if (!inside(offset, length)) {
    error(ERROR_INVALID_PARAMETER);
    return;
  }
  VirtualQuery(view + offset, &page, sizeof(page));
  if (page.Protect != PAGE_READWRITE) {
    error(ERROR_ACCESS_DENIED);
    return;
  }
  for (size_t index = 0; index < length; index++) {
    const char pair[3] = {digits[2 * index], digits[2 * index + 1], 0};
    view[offset + index] = (unsigned char)strtoul(pair, NULL, 16);
  }
  printf("done\n");
}

static void answer(const char *line) {
  unsigned long long offset, length;
  long number;
  char digits[LINE_BYTES];
  if (sscanf(line, "read %llu %llu", &offset, &length) == 2 && inside(offset, length)) {
    read_bytes(offset, length);
  } else if (sscanf(line, "write %llu %8191s", &offset, digits) == 2) {
    write_bytes(offset, digits);
  } else if (sscanf(line, "add %llu %ld", &offset, &number) == 2 && inside(offset, sizeof(LONG))) {
    printf("%ld\n", InterlockedExchangeAdd((volatile LONG *)(view + offset), number));
  } else if (sscanf(line, "add-many %llu %ld", &offset, &number) == 2 && inside(offset, sizeof(LONG))) {
    while (number-- > 0) InterlockedIncrement((volatile LONG *)(view + offset));
    printf("done\n");
  } else {
    error(ERROR_INVALID_PARAMETER);
  }
}

int wmain(int argc, wchar_t **argv) {
  const int creates = argc == 4 && wcscmp(argv[1], L"create") == 0;
  const int opens = argc == 4 && wcscmp(argv[1], L"open") == 0;
  if (!creates && !opens) {
    fprintf(stderr, "use: partner create NAME BYTES | partner open NAME read|readwrite\n");
    return 2;
  }
  const wchar_t *name = argv[2];
  const DWORD access = opens && wcscmp(argv[3], L"read") == 0 ? FILE_MAP_READ : FILE_MAP_READ | FILE_MAP_WRITE;
  HANDLE section;
  if (creates) {
    const unsigned long long bytes = wcstoull(argv[3], NULL, 10);
    section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, (DWORD)(bytes >> 32), (DWORD)bytes, name);
    if (section == NULL) return failed("CreateFileMapping");
    if (GetLastError() == ERROR_ALREADY_EXISTS) return failed("CreateFileMapping");
  } else {
    section = OpenFileMappingW(access, FALSE, name);
    if (section == NULL) return failed("OpenFileMapping");
  }
  view = (unsigned char *)MapViewOfFile(section, access, 0, 0, 0);
  if (view == NULL) return failed("MapViewOfFile");
  MEMORY_BASIC_INFORMATION region;
  VirtualQuery(view, &region, sizeof(region));
  view_bytes = region.RegionSize;
  printf("ready %llu\n", (unsigned long long)view_bytes);
  fflush(stdout);

  static char line[LINE_BYTES];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    answer(line);
    fflush(stdout);
  }
  UnmapViewOfFile(view);
  CloseHandle(section);
  return 0;
}
