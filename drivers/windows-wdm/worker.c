/*
 * The driver's thread. It belongs to the system process, where the views are mapped, and it is the only one that
 * touches them between DriverEntry and DriverUnload.
 */
#include "driver.h"

static KSTART_ROUTINE WorkerMain;

PAGED_FUNCTION static VOID NTAPI WorkerMain(PVOID context) {
  DRIVER_STATE *state = (DRIVER_STATE *)context;
  PVOID events[] = {&state->stop, &state->wake};
  PAGED_CODE();
  PublishState(state, DRIVER_RUNNING);
  for (;;) {
    TakeControls(state);
    PublishSample(state);
    LARGE_INTEGER pause = {.QuadPart = (LONGLONG)state->interval * -10000};
    const NTSTATUS status =
        KeWaitForMultipleObjects(ARRAYSIZE(events), events, WaitAny, Executive, KernelMode, FALSE, &pause, NULL);
    if (status == STATUS_WAIT_0) break;
  }
  PublishState(state, DRIVER_STOPPED);
  (VOID) PsTerminateSystemThread(STATUS_SUCCESS);
}

PAGED_FUNCTION NTSTATUS StartWorker(DRIVER_STATE *state) {
  OBJECT_ATTRIBUTES attributes;
  HANDLE thread;
  PAGED_CODE();
  InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
  NTSTATUS status = PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, &attributes, NULL, NULL, WorkerMain, state);
  if (!NT_SUCCESS(status)) return status;
  status = ObReferenceObjectByHandle(thread, SYNCHRONIZE, THREAD_TYPE, KernelMode, &state->thread, NULL);
  if (!NT_SUCCESS(status)) {
    /* A thread that nobody can wait for must not outlive this call. */
    (VOID) KeSetEvent(&state->stop, IO_NO_INCREMENT, FALSE);
    (VOID) ZwWaitForSingleObject(thread, FALSE, NULL);
  }
  (VOID) ZwClose(thread);
  return status;
}

PAGED_FUNCTION VOID StopWorker(DRIVER_STATE *state) {
  PAGED_CODE();
  if (state->thread == NULL) return;
  (VOID) KeSetEvent(&state->stop, IO_NO_INCREMENT, FALSE);
  (VOID) KeWaitForSingleObject(state->thread, Executive, KernelMode, FALSE, NULL);
  ObDereferenceObject(state->thread);
  state->thread = NULL;
}
