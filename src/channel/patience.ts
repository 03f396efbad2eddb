/**
 * How long a reader tries again against a writer that overwrites what it reads: long enough for any honest one, never for ever.
 */
import { SectionError } from '../base/error.js';

const PATIENCE_MS = 100;
/** So often at least, however long one attempt takes. */
const ATTEMPTS = 8;

export class Patience {
  #attempts = 0;
  #start = 0;

  begin(): void {
    this.#attempts = 0;
  }

  /** To be asked after each attempt that failed. */
  isOver(): boolean {
    if (this.#attempts++ === 0) this.#start = performance.now();
    return this.#attempts >= ATTEMPTS && performance.now() - this.#start > PATIENCE_MS;
  }

  error(operation: string, object: string): SectionError {
    return new SectionError('ERR_SECTION_TIMEOUT', {
      operation,
      object,
      rule: `the writer has overwritten what was read ${this.#attempts} times in ${PATIENCE_MS} ms`,
      wayOut: 'Try again; let the writer write less often, or give the channel more room',
    });
  }
}
