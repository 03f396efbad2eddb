/**
 * What a view says when something cannot be done with it.
 */
import { SectionError } from '../base/error.js';
import { isOsError } from '../os/index.js';
import { sectionErrorFrom } from './memory-object.js';

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
