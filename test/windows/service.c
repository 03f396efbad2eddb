/*
 * Loads and unloads a driver through the service control manager, and waits until it is so.
 *
 *   service load NAME FILE     creates a kernel service for the file and starts it
 *   service unload NAME        stops it and deletes the service
 *
 * Exit code 0, or 1 with one line on stderr: the call that failed, and the system's error number.
 */
#include <stdio.h>
#include <windows.h>

#define WAIT_MS 10000

static int failed(const char *call) {
  fprintf(stderr, "%s: error %lu\n", call, GetLastError());
  return 1;
}

/* A kernel driver changes state within the call; the manager may be a moment behind. */
static int await_state(SC_HANDLE service, DWORD wanted) {
  const ULONGLONG deadline = GetTickCount64() + WAIT_MS;
  SERVICE_STATUS status;
  do {
    if (!QueryServiceStatus(service, &status)) return failed("QueryServiceStatus");
    if (status.dwCurrentState == wanted) return 0;
    Sleep(1);
  } while (GetTickCount64() < deadline);
  fprintf(stderr, "the service is in state %lu after %d ms, not in %lu\n", status.dwCurrentState, WAIT_MS, wanted);
  return 1;
}

/* While the manager starts other services, as it does for a while after the system's start, it turns requests away. */
static int start(SC_HANDLE service) {
  const ULONGLONG deadline = GetTickCount64() + WAIT_MS;
  while (!StartServiceW(service, 0, NULL)) {
    if (GetLastError() != ERROR_SERVICE_DATABASE_LOCKED || GetTickCount64() > deadline) return failed("StartService");
    Sleep(10);
  }
  return await_state(service, SERVICE_RUNNING);
}

static int load(SC_HANDLE manager, const wchar_t *name, const wchar_t *file) {
  SC_HANDLE service = CreateServiceW(manager, name, name, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START,
                                     SERVICE_ERROR_NORMAL, file, NULL, NULL, NULL, NULL, NULL);
  if (service == NULL) return failed("CreateService");
  const int result = start(service);
  if (result != 0) DeleteService(service);
  CloseServiceHandle(service);
  return result;
}

static int unload(SC_HANDLE manager, const wchar_t *name) {
  SC_HANDLE service = OpenServiceW(manager, name, SERVICE_ALL_ACCESS);
  if (service == NULL) return failed("OpenService");
  SERVICE_STATUS status;
  int result =
      ControlService(service, SERVICE_CONTROL_STOP, &status) ? await_state(service, SERVICE_STOPPED) : failed("ControlService");
  if (!DeleteService(service)) result = failed("DeleteService");
  CloseServiceHandle(service);
  return result;
}

int wmain(int argc, wchar_t **argv) {
  const int loads = argc == 4 && wcscmp(argv[1], L"load") == 0;
  if (!loads && !(argc == 3 && wcscmp(argv[1], L"unload") == 0)) {
    fprintf(stderr, "use: service load NAME FILE | service unload NAME\n");
    return 2;
  }
  SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
  if (manager == NULL) return failed("OpenSCManager");
  const int result = loads ? load(manager, argv[2], argv[3]) : unload(manager, argv[2]);
  CloseServiceHandle(manager);
  return result;
}
