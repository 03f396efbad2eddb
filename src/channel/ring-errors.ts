/**
 * What both sides of a ring say of arguments that they cannot take. Knows no ring's own state.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { RECORD_HEADER } from './ring-layout.js';

export function invalid(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule });
}

export function requireMessage(operation: string, message: unknown): void {
  if (message instanceof Uint8Array) return;
  throw invalid(operation, `message must be a Uint8Array, not ${show(message)}`);
}

export function requireMost(operation: string, most: unknown): void {
  if (most === Number.POSITIVE_INFINITY || (typeof most === 'number' && Number.isInteger(most) && most >= 1)) return;
  throw invalid(operation, `most must be a whole number from 1, not ${show(most)}`);
}

export function tooBig(object: string, length: number, maximum: number): SectionError {
  return new SectionError('ERR_SECTION_MESSAGE_TOO_BIG', {
    operation: 'producer.send',
    object,
    rule: `a message has at most ${maximum} bytes, half the ring less ${RECORD_HEADER}, not ${length}`,
    wayOut: 'Send it in parts, or make a larger ring',
  });
}

export function tooShort(operation: string, object: string, length: number, room: number, maximum: number): SectionError {
  return new SectionError('ERR_SECTION_OUT_OF_RANGE', {
    operation,
    object,
    rule: `the next message has ${length} bytes, there is room for ${room}`,
    wayOut: `A message has at most ${maximum} bytes`,
  });
}
