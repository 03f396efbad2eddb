/*
 * Loading and unloading. Both run in the system process, and so does the driver's thread: the views are mapped where
 * no application can tamper with them, and everybody who touches them is there.
 */
#include "driver.h"

#define OBJECT_DIRECTORY L"\\BaseNamedObjects\\"

/* Users may look at samples; at the controls they may write as well. */
#define MAY_READ (READ_CONTROL | SECTION_QUERY | SECTION_MAP_READ)
#define MAY_WRITE (MAY_READ | SECTION_MAP_WRITE)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD DriverUnload;

PAGED_FUNCTION static NTSTATUS AllocateCopies(DRIVER_STATE *state) {
  PAGED_CODE();
  state->sample = (SAMPLE *)AllocatePaged(sizeof(SAMPLE));
  state->incoming = (CONTROLS *)AllocatePaged(sizeof(CONTROLS));
  state->controls = (CONTROLS *)AllocatePaged(sizeof(CONTROLS));
  return state->sample != NULL && state->incoming != NULL && state->controls != NULL ? STATUS_SUCCESS
                                                                                     : STATUS_INSUFFICIENT_RESOURCES;
}

/* Undoes what was reached of the way, in the opposite order: first nobody new comes, then the thread ends. */
PAGED_FUNCTION static VOID Undo(PDEVICE_OBJECT device) {
  DRIVER_STATE *state = (DRIVER_STATE *)device->DeviceExtension;
  PAGED_CODE();
  HideControlDevice(state);
  StopWorker(state);
  DeleteSharedSection(&state->controlsSection);
  DeleteSharedSection(&state->sampleSection);
  if (state->controls != NULL) ExFreePoolWithTag(state->controls, DRIVER_POOL_TAG);
  if (state->incoming != NULL) ExFreePoolWithTag(state->incoming, DRIVER_POOL_TAG);
  if (state->sample != NULL) ExFreePoolWithTag(state->sample, DRIVER_POOL_TAG);
  IoDeleteDevice(device);
}

/* The system unloads a driver when nobody has its device open any more. */
PAGED_FUNCTION static VOID NTAPI DriverUnload(PDRIVER_OBJECT driver) {
  PAGED_CODE();
  Undo(driver->DeviceObject);
}

PAGED_FUNCTION NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registryPath) {
  PDEVICE_OBJECT device;
  PAGED_CODE();
  UNREFERENCED_PARAMETER(registryPath);
  NTSTATUS status = CreateControlDevice(driver, &device);
  if (!NT_SUCCESS(status)) return status;

  DRIVER_STATE *state = (DRIVER_STATE *)device->DeviceExtension;
  KeInitializeEvent(&state->stop, NotificationEvent, FALSE);
  KeInitializeEvent(&state->wake, SynchronizationEvent, FALSE);
  state->interval = DEFAULT_INTERVAL_MS;
  status = AllocateCopies(state);
  if (NT_SUCCESS(status))
    status = CreateSharedSection(OBJECT_DIRECTORY SAMPLE_SECTION_NAME, MAY_READ, sizeof(SAMPLE_SECTION), &state->sampleSection);
  if (NT_SUCCESS(status))
    status =
        CreateSharedSection(OBJECT_DIRECTORY CONTROLS_SECTION_NAME, MAY_WRITE, sizeof(CONTROLS_SECTION), &state->controlsSection);
  if (NT_SUCCESS(status)) status = PublishHeader(state);
  if (NT_SUCCESS(status)) status = StartWorker(state);
  if (NT_SUCCESS(status)) status = ShowControlDevice(state);
  if (!NT_SUCCESS(status)) {
    Undo(device);
    return status;
  }
  driver->DriverUnload = DriverUnload;
  return STATUS_SUCCESS;
}
