/**
 * What a view says when something cannot be done with it.
 */
import { SectionError } from '../base/error.js';
import { isOsError } from '../os/index.js';
import type { FaultReport } from './fault-events.js';
import { sectionErrorFrom } from './system-errors.js';

export function closedError(operation: string, object: string): SectionError {
  return new SectionError('ERR_SECTION_CLOSED', {
    operation,
    object,
    rule: 'the view is closed',
    wayOut: 'Map the section again',
  });
}

export function movedError(operation: string, object: string): SectionError {
  return new SectionError('ERR_SECTION_CLOSED', {
    operation,
    object,
    rule: "the view's buffer was moved away by ArrayBuffer.prototype.transfer",
    wayOut: 'Use the buffer that transfer() gave, or map the section again',
  });
}

/** Where there can be no buffer over the view. */
export function bufferError(object: string, rule: string, wayOut: string, cause?: unknown): SectionError {
  return new SectionError('ERR_SECTION_BUFFER_UNAVAILABLE', { operation: 'view.buffer', object, rule, wayOut, cause });
}

/** Of a copy in which the guard had to step in. @param fault The view's last, if it is known */
export function copyError(operation: string, object: string, fault: FaultReport | null): SectionError {
  return new SectionError('ERR_SECTION_FAULT', {
    operation,
    object,
    rule: `a part of the range cannot be accessed, or is not the section's memory any more (${fault?.kind ?? 'backing-lost'})`,
    wayOut: 'Commit the pages, or change their protection; map a file again that was cut short or whose disk was full',
  });
}

/** Of work on another thread that failed. */
export function workError(error: unknown, operation: string, object: string): unknown {
  if (isOsError(error) && error.code === 'ECANCELED') return closedError(operation, object);
  if (!isOsError(error) || error.code !== 'EFAULT') return sectionErrorFrom(error, operation, object);
  return new SectionError('ERR_SECTION_FAULT', {
    operation,
    object,
    rule: 'a part of the view has no backing any more',
    wayOut: 'The file was cut short: map it again',
    errno: error.errno,
    cause: error,
  });
}
