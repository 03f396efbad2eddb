/**
 * Sectile: memory that processes share, each through its own view. The idiomatic face, and the only
 * place that decides what of it is public.
 */
export { SectionError, type SectionErrorCode } from './base/error.js';
export { type NTSTATUS, statusName } from './base/status.js';
export {
  type DispatcherOptions,
  Event,
  type EventOptions,
  type EventState,
  type ManyOutcome,
  Mutex,
  type Ownership,
  Semaphore,
  type SemaphoreOptions,
  type SemaphoreState,
  type WaitOptions,
  type WaitSyncOptions,
  waitAll,
  waitAllSync,
  waitAny,
  waitAnySync,
  waitOnAddress,
  waitOnAddressSync,
  wakeAddress,
} from './dispatcher/index.js';
export type { Backing, ViewAccess } from './memory/memory-object.js';
export type { Bytes, FaultReport, View } from './memory/view.js';
export {
  type CreateOptions,
  type DescriptorOptions,
  type FileOptions,
  type OpenOptions,
  Section,
  type SectionAccess,
  type ViewOptions,
} from './section.js';
