/*
 * A native application of the driver: what application.ts does, in C, for whoever writes in C and for tests.
 *
 *   client read [COUNT]    prints so many samples, each whole
 *   client write           changes nothing but the request number, under the lock, and waits for the driver's answer
 *   client hold            takes the lock and keeps it until the driver takes it away
 *   client rights          tries what is not granted, and prints what the system says
 *   client interval MS     sets the time between samples (administrators)
 *   client counts          prints what the driver counts
 *
 * Exit code 0, 1 (one line on stderr says why) or 2 (bad usage).
 */
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <winioctl.h>

#include "protocol.h"

#define GLOBAL L"Global\\"
#define PATIENCE_MS 5000

static int failed(const char *what) {
  fprintf(stderr, "%s: error %lu\n", what, GetLastError());
  return 1;
}

static int timed_out(const char *what) {
  fprintf(stderr, "%s: not within %d ms\n", what, PATIENCE_MS);
  return 1;
}

static volatile void *map(const wchar_t *name, DWORD access) {
  HANDLE section = OpenFileMappingW(access, FALSE, name);
  if (section == NULL) return NULL;
  volatile void *view = MapViewOfFile(section, access, 0, 0, 0);
  const DWORD error = GetLastError();
  CloseHandle(section); /* the view stays */
  SetLastError(error);
  return view;
}

static const SAMPLE_SECTION *map_sample(void) {
  const SAMPLE_SECTION *view = (const SAMPLE_SECTION *)map(GLOBAL SAMPLE_SECTION_NAME, FILE_MAP_READ);
  if (view == NULL || (view->header.magic == PROTOCOL_MAGIC && view->header.layoutId == LAYOUT_ID)) return view;
  UnmapViewOfFile(view);
  SetLastError(ERROR_REVISION_MISMATCH);
  return NULL;
}

/* A copy that the driver did not write into meanwhile, or 0. */
static int read_sample(const SAMPLE_SECTION *view, SAMPLE *sample) {
  const ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
  do {
    const uint32_t before = view->header.sequence;
    MemoryBarrier();
    memcpy(sample, &view->sample, sizeof(*sample));
    MemoryBarrier();
    if ((before & 1) == 0 && before != 0 && view->header.sequence == before) return 1;
    SwitchToThread();
  } while (GetTickCount64() < deadline);
  return 0;
}

static int read_command(unsigned count) {
  const SAMPLE_SECTION *view = map_sample();
  SAMPLE sample = {0};
  if (view == NULL) return failed("map the samples");
  for (uint64_t last = 0; count > 0; count--) {
    const ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
    do {
      if (!read_sample(view, &sample) || GetTickCount64() > deadline) return timed_out("a new sample");
      if (sample.number == last) Sleep(1);
    } while (sample.number == last);
    last = sample.number;
    printf("sample %llu at %llu, request %u: %08x, every %u ms\n", (unsigned long long)sample.number,
           (unsigned long long)sample.time, sample.request, sample.status, sample.interval);
  }
  UnmapViewOfFile(view);
  return 0;
}

/* A number that no other process has, and no second call in this one. */
static LONG lock_token(void) { return (LONG)GetCurrentProcessId(); }

static int take_lock(CONTROLS_SECTION *view) {
  const ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
  while (InterlockedCompareExchange((volatile LONG *)&view->owner, lock_token(), 0) != 0) {
    if (GetTickCount64() > deadline) return 0;
    SwitchToThread();
  }
  view->turn = view->turn + 1;
  return 1;
}

/* 0 when the driver has taken the lock away. */
static int give_lock(CONTROLS_SECTION *view) {
  return InterlockedCompareExchange((volatile LONG *)&view->owner, 0, lock_token()) == lock_token();
}

static int write_command(void) {
  const SAMPLE_SECTION *samples = map_sample();
  if (samples == NULL) return failed("map the samples");
  CONTROLS_SECTION *controls = (CONTROLS_SECTION *)map(GLOBAL CONTROLS_SECTION_NAME, FILE_MAP_READ | FILE_MAP_WRITE);
  if (controls == NULL) return failed("map the controls");
  if (!take_lock(controls)) return timed_out("the lock");
  const uint32_t request = ++controls->controls.request;
  if (!give_lock(controls)) return timed_out("writing under the lock");

  const ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
  SAMPLE sample;
  do {
    if (!read_sample(samples, &sample) || GetTickCount64() > deadline) return timed_out("the driver's answer");
  } while (sample.request != request);
  printf("request %u: %08x\n", sample.request, sample.status);
  return 0;
}

static int hold_command(void) {
  CONTROLS_SECTION *controls = (CONTROLS_SECTION *)map(GLOBAL CONTROLS_SECTION_NAME, FILE_MAP_READ | FILE_MAP_WRITE);
  if (controls == NULL) return failed("map the controls");
  if (!take_lock(controls)) return timed_out("the lock");
  const ULONGLONG deadline = GetTickCount64() + PATIENCE_MS;
  while (controls->owner == (uint32_t)lock_token()) {
    if (GetTickCount64() > deadline) return timed_out("losing the lock");
    Sleep(1);
  }
  printf("lost\n");
  return 0;
}

/* Each line: what was tried, and 0 or the system's error. */
static void report(const char *what, int went) { printf("%s: %lu\n", what, went ? 0ul : GetLastError()); }

static int rights_command(void) {
  HANDLE section = OpenFileMappingW(FILE_MAP_WRITE, FALSE, GLOBAL SAMPLE_SECTION_NAME);
  report("open samples for writing", section != NULL);
  section = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, GLOBAL SAMPLE_SECTION_NAME);
  report("open samples for everything", section != NULL);
  section = OpenFileMappingW(WRITE_DAC, FALSE, GLOBAL SAMPLE_SECTION_NAME);
  report("open samples to change their security", section != NULL);
  section = OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, GLOBAL CONTROLS_SECTION_NAME);
  report("open controls for everything", section != NULL);
  section = OpenFileMappingW(FILE_MAP_READ, FALSE, GLOBAL SAMPLE_SECTION_NAME);
  report("open samples for reading", section != NULL);
  report("map samples for writing", MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 0) != NULL);
  void *view = MapViewOfFile(section, FILE_MAP_READ, 0, 0, 0);
  report("map samples for reading", view != NULL);
  DWORD before;
  report("make a mapped page writable", VirtualProtect(view, 1, PAGE_READWRITE, &before));
  return 0;
}

static int device_command(DWORD access, DWORD code, void *in, DWORD inBytes, void *out, DWORD outBytes) {
  HANDLE device =
      CreateFileW(L"\\\\.\\" CONTROL_DEVICE_NAME, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
  if (device == INVALID_HANDLE_VALUE) return failed("open the device");
  DWORD bytes;
  const BOOL went = DeviceIoControl(device, code, in, inBytes, out, outBytes, &bytes, NULL);
  const int result = went ? 0 : failed("DeviceIoControl");
  CloseHandle(device);
  return result;
}

static int interval_command(const wchar_t *text) {
  INTERVAL interval = {(uint32_t)wcstoul(text, NULL, 10)};
  return device_command(GENERIC_READ | GENERIC_WRITE, IOCTL_SET_INTERVAL, &interval, sizeof(interval), NULL, 0);
}

static int counts_command(void) {
  COUNTS counts;
  const int result = device_command(GENERIC_READ, IOCTL_GET_COUNTS, NULL, 0, &counts, sizeof(counts));
  if (result == 0)
    printf("samples %llu, requests %llu, refused %llu, leases %llu, faults %llu\n", (unsigned long long)counts.samples,
           (unsigned long long)counts.requests, (unsigned long long)counts.refused, (unsigned long long)counts.leases,
           (unsigned long long)counts.faults);
  return result;
}

int wmain(int argc, wchar_t **argv) {
  const wchar_t *command = argc > 1 ? argv[1] : L"read";
  if (wcscmp(command, L"read") == 0) return read_command(argc > 2 ? wcstoul(argv[2], NULL, 10) : 3);
  if (wcscmp(command, L"write") == 0) return write_command();
  if (wcscmp(command, L"hold") == 0) return hold_command();
  if (wcscmp(command, L"rights") == 0) return rights_command();
  if (wcscmp(command, L"interval") == 0 && argc == 3) return interval_command(argv[2]);
  if (wcscmp(command, L"counts") == 0) return counts_command();
  fprintf(stderr, "use: client read [COUNT] | write | hold | rights | interval MS | counts\n");
  return 2;
}
