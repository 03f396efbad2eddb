/*
 * The driver's half of the protocol: one sample under a sequence lock, and the controls under the lock word. Nothing
 * here waits for an application, and nothing that stands in shared memory is used before it is copied and checked.
 */
#include "driver.h"

/* In 100 ns, as KeQueryInterruptTime counts. */
#define LEASE_TIME ((ULONGLONG)LOCK_LEASE_MS * 10000)

/* Counts an access that raised an exception. */
static BOOLEAN Went(DRIVER_STATE *state, NTSTATUS status) {
  if (NT_SUCCESS(status)) return TRUE;
  InterlockedIncrement64(&state->faults);
  return FALSE;
}

static SAMPLE_SECTION *SampleView(DRIVER_STATE *state) { return (SAMPLE_SECTION *)state->sampleSection.view; }
static CONTROLS_SECTION *ControlsView(DRIVER_STATE *state) { return (CONTROLS_SECTION *)state->controlsSection.view; }

PAGED_FUNCTION NTSTATUS PublishHeader(DRIVER_STATE *state) {
  SAMPLE_SECTION *view = SampleView(state);
  const SAMPLE_HEADER header = {
      .layoutId = LAYOUT_ID, .sampleBytes = sizeof(SAMPLE), .controlsBytes = sizeof(CONTROLS), .state = DRIVER_STARTING};
  PAGED_CODE();
  NTSTATUS status = GuardedCopy(&view->header, &header, sizeof(header));
  if (NT_SUCCESS(status)) status = GuardedExchange((volatile LONG *)&view->header.magic, PROTOCOL_MAGIC);
  return status;
}

PAGED_FUNCTION VOID PublishState(DRIVER_STATE *state, ULONG value) {
  PAGED_CODE();
  (VOID) Went(state, GuardedExchange((volatile LONG *)&SampleView(state)->header.state, (LONG)value));
}

/* An exchange is a full barrier: what stands between the two is written between the two. */
PAGED_FUNCTION VOID PublishSample(DRIVER_STATE *state) {
  SAMPLE_SECTION *view = SampleView(state);
  SAMPLE *sample = state->sample;
  PAGED_CODE();
  sample->number++;
  sample->time = KeQueryInterruptTime();
  sample->interval = (uint32_t)state->interval;
  sample->leases = (uint32_t)state->leases;
  CollectSample(sample, state->controls);

  /* Our own count: it goes on in step, whatever happened to the last sample. */
  state->sequence += 2;
  if (state->sequence == 0) state->sequence = 2; /* 0 says that there is no sample yet */
  BOOLEAN whole = Went(state, GuardedExchange((volatile LONG *)&view->header.sequence, (LONG)(state->sequence - 1))) &&
                  Went(state, GuardedCopy(&view->sample, sample, sizeof(*sample)));
  /* A sample that did not come through stays marked as unfinished until the next one does. */
  if (whole && Went(state, GuardedExchange((volatile LONG *)&view->header.sequence, (LONG)state->sequence)))
    InterlockedIncrement64(&state->samples);
}

/* Tries to take the lock, once. An owner that keeps one turn for too long loses it. */
PAGED_FUNCTION static BOOLEAN TryLock(DRIVER_STATE *state) {
  CONTROLS_SECTION *view = ControlsView(state);
  volatile LONG *word = (volatile LONG *)&view->owner;
  LEASE *lease = &state->lease;
  LONG owner;
  ULONG turn;
  PAGED_CODE();
  if (!Went(state, GuardedCompareExchange(word, (LONG)DRIVER_TOKEN, 0, &owner))) return FALSE;
  if (owner == 0) {
    lease->owner = 0;
    return TRUE;
  }
  if (!Went(state, GuardedCopy(&turn, (const VOID *)&view->turn, sizeof(turn)))) return FALSE;

  const ULONGLONG now = KeQueryInterruptTime();
  if ((ULONG)owner != lease->owner || turn != lease->turn) {
    *lease = (LEASE){(ULONG)owner, turn, now};
    return FALSE;
  }
  if (now - lease->since < LEASE_TIME) return FALSE;

  LONG found;
  lease->owner = 0;
  if (!Went(state, GuardedCompareExchange(word, (LONG)DRIVER_TOKEN, owner, &found)) || found != owner) return FALSE;
  InterlockedIncrement64(&state->leases);
  return TRUE;
}

PAGED_FUNCTION VOID TakeControls(DRIVER_STATE *state) {
  CONTROLS_SECTION *view = ControlsView(state);
  CONTROLS *incoming = state->incoming;
  LONG found;
  PAGED_CODE();
  if (!TryLock(state)) return;
  /* The one look at what applications wrote. From here on they may change it as they like. */
  const BOOLEAN copied = Went(state, GuardedCopy(incoming, &view->controls, sizeof(*incoming)));
  (VOID) Went(state, GuardedCompareExchange((volatile LONG *)&view->owner, 0, (LONG)DRIVER_TOKEN, &found));
  if (!copied || incoming->request == state->request) return;

  state->request = incoming->request;
  const NTSTATUS status = CheckControls(incoming);
  if (NT_SUCCESS(status)) {
    *state->controls = *incoming;
    ApplyControls(state->sample, state->controls);
    InterlockedIncrement64(&state->requests);
  } else {
    InterlockedIncrement64(&state->refused);
  }
  state->sample->request = incoming->request;
  state->sample->status = (uint32_t)status;
}
