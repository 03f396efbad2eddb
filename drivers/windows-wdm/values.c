/*
 * What the values mean: the one file to change for a device of one's own. Everything here runs in the driver's thread,
 * on copies; nothing here sees shared memory.
 */
#include "driver.h"

/* Fills in the driver's own values; those that every layout has are there already. */
PAGED_FUNCTION VOID CollectSample(SAMPLE *sample, const CONTROLS *controls) {
  LARGE_INTEGER now;
  PAGED_CODE();
  UNREFERENCED_PARAMETER(controls);
  KeQuerySystemTime(&now);
  sample->wallClock = (uint64_t)now.QuadPart;
  sample->processors = KeQueryActiveProcessorCount(NULL);
}

/* Says whether these values can be. They come from an application and may be anything. */
PAGED_FUNCTION NTSTATUS CheckControls(const CONTROLS *controls) {
  PAGED_CODE();
  return controls->slot < ARRAYSIZE(((SAMPLE *)NULL)->tally) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* Puts values to use that were checked. */
PAGED_FUNCTION VOID ApplyControls(SAMPLE *sample, const CONTROLS *controls) {
  PAGED_CODE();
  sample->tally[controls->slot] += controls->amount;
}
