/*
 * The device: for what is not memory. Its dispatch routines run in the process of whoever calls, where the driver's
 * views are not mapped: they touch the driver's own counters only.
 */
#include "driver.h"

#if defined(_MSC_VER)
#include <wdmsec.h>
#endif

#define DEVICE_PATH L"\\Device\\" CONTROL_DEVICE_NAME
#define LINK_PATH L"\\DosDevices\\" CONTROL_DEVICE_NAME

/* The system and administrators do everything, users read. */
#define DEVICE_SECURITY L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;AU)"

static DRIVER_DISPATCH DispatchOpen;
static DRIVER_DISPATCH DispatchControl;

static NTSTATUS Complete(PIRP irp, NTSTATUS status, ULONG_PTR information) {
  irp->IoStatus.Status = status;
  irp->IoStatus.Information = information;
  IoCompleteRequest(irp, IO_NO_INCREMENT);
  return status;
}

static NTSTATUS SetInterval(DRIVER_STATE *state, const VOID *buffer, ULONG bytes) {
  INTERVAL wanted;
  if (bytes != sizeof(wanted)) return STATUS_INFO_LENGTH_MISMATCH;
  RtlCopyMemory(&wanted, buffer, sizeof(wanted));
  if (wanted.milliseconds < 1 || wanted.milliseconds > MAXIMUM_INTERVAL_MS) return STATUS_INVALID_PARAMETER;
  (VOID) InterlockedExchange(&state->interval, (LONG)wanted.milliseconds);
  (VOID) KeSetEvent(&state->wake, IO_NO_INCREMENT, FALSE);
  return STATUS_SUCCESS;
}

static NTSTATUS GetCounts(DRIVER_STATE *state, VOID *buffer, ULONG bytes) {
  if (bytes < sizeof(COUNTS)) return STATUS_BUFFER_TOO_SMALL;
  const COUNTS counts = {(uint64_t)state->samples, (uint64_t)state->requests, (uint64_t)state->refused, (uint64_t)state->leases,
                         (uint64_t)state->faults};
  RtlCopyMemory(buffer, &counts, sizeof(counts));
  return STATUS_SUCCESS;
}

PAGED_FUNCTION static NTSTATUS NTAPI DispatchOpen(PDEVICE_OBJECT device, PIRP irp) {
  PAGED_CODE();
  UNREFERENCED_PARAMETER(device);
  return Complete(irp, STATUS_SUCCESS, 0);
}

/* METHOD_BUFFERED: the system has copied the caller's bytes, so they cannot change under our hands. */
PAGED_FUNCTION static NTSTATUS NTAPI DispatchControl(PDEVICE_OBJECT device, PIRP irp) {
  DRIVER_STATE *state = (DRIVER_STATE *)device->DeviceExtension;
  const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
  VOID *buffer = irp->AssociatedIrp.SystemBuffer;
  NTSTATUS status;
  PAGED_CODE();
  switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_SET_INTERVAL:
      return Complete(irp, SetInterval(state, buffer, stack->Parameters.DeviceIoControl.InputBufferLength), 0);
    case IOCTL_GET_COUNTS:
      status = GetCounts(state, buffer, stack->Parameters.DeviceIoControl.OutputBufferLength);
      return Complete(irp, status, NT_SUCCESS(status) ? sizeof(COUNTS) : 0);
    default:
      return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
  }
}

/*
 * FILE_DEVICE_SECURE_OPEN: the device's security holds for names below it as well. IoCreateDeviceSecure is a library of
 * the Driver Kit (wdmsec.lib) that mingw-w64 does not have: there the device gets the security of its directory, by
 * which everybody may read, and administrators may write.
 */
PAGED_FUNCTION NTSTATUS CreateControlDevice(PDRIVER_OBJECT driver, PDEVICE_OBJECT *device) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(DEVICE_PATH);
  PAGED_CODE();
#if defined(_MSC_VER)
  /* Made for this driver: administrators may override the security above under this class. */
  static const GUID class = {0x5154c676, 0xfc99, 0x8f13, {0x9b, 0x9c, 0x4a, 0x8e, 0x92, 0x8e, 0xa5, 0x25}};
  const UNICODE_STRING security = RTL_CONSTANT_STRING(DEVICE_SECURITY);
  NTSTATUS status = IoCreateDeviceSecure(driver, sizeof(DRIVER_STATE), &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE,
                                         &security, &class, device);
#else
  NTSTATUS status =
      IoCreateDevice(driver, sizeof(DRIVER_STATE), &name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, device);
#endif
  if (!NT_SUCCESS(status)) return status;
  driver->MajorFunction[IRP_MJ_CREATE] = DispatchOpen;
  driver->MajorFunction[IRP_MJ_CLOSE] = DispatchOpen;
  driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = DispatchControl;
  return STATUS_SUCCESS;
}

PAGED_FUNCTION NTSTATUS ShowControlDevice(DRIVER_STATE *state) {
  UNICODE_STRING name = RTL_CONSTANT_STRING(DEVICE_PATH);
  UNICODE_STRING link = RTL_CONSTANT_STRING(LINK_PATH);
  PAGED_CODE();
  const NTSTATUS status = IoCreateSymbolicLink(&link, &name);
  state->hasSymbolicLink = NT_SUCCESS(status);
  return status;
}

PAGED_FUNCTION VOID HideControlDevice(DRIVER_STATE *state) {
  UNICODE_STRING link = RTL_CONSTANT_STRING(LINK_PATH);
  PAGED_CODE();
  if (state->hasSymbolicLink) (VOID) IoDeleteSymbolicLink(&link);
  state->hasSymbolicLink = FALSE;
}
