/**
 * What the floors below throw, as a status: no call of the NT faces throws.
 */
import { SectionError } from '../base/error.js';
import type { NTSTATUS } from '../base/status.js';

/** A status for what the floors below threw; anything but their own error is a fault of ours. */
export function statusOf(error: unknown): NTSTATUS {
  if (error instanceof SectionError) return error.status;
  throw error;
}

/** A status, as calls pass it on that cannot go on. */
export interface Refusal {
  readonly status: NTSTATUS;
}
