/**
 * What users pass as bytes: read into one kind of array.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';

/** Anything whose bytes can be copied: a typed array, a DataView, a Buffer, an ArrayBuffer. */
export type Bytes = ArrayBufferView | ArrayBuffer;

/** The bytes of what a user passed; throws ERR_SECTION_INVALID_ARGUMENT where it has none. */
export function bytesOf(operation: string, name: string, value: unknown): Uint8Array {
  try {
    if (value instanceof Uint8Array) return value;
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value);
  } catch (cause) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `${name} has lost its memory: ${(cause as Error).message}`,
      cause,
    });
  }
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `${name} must be a typed array, a DataView or an ArrayBuffer, not ${show(value)}`,
  });
}
