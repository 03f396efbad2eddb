/** What can be waited for, as people use it. */
export { waitOnAddress, waitOnAddressSync, wakeAddress } from './address.js';
export type { DispatcherOptions } from './create-options.js';
export type { WaitOptions, WaitSyncOptions } from './dispatcher-object.js';
export { Event, type EventOptions, type EventState } from './event.js';
export { type ManyOutcome, waitAll, waitAllSync, waitAny, waitAnySync } from './many.js';
export { Mutex, type Ownership } from './mutex.js';
export { Semaphore, type SemaphoreOptions, type SemaphoreState } from './semaphore.js';
