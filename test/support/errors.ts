/**
 * Checks of the errors that Sectile throws: always a SectionError, with the code that the test names, and
 * a message that says what was done, what was wrong and, where there is one, the way out.
 */
import assert from 'node:assert/strict';
import { SectionError, type SectionErrorCode } from 'sectile';

/** For assert.throws and assert.rejects. */
export function withCode(code: SectionErrorCode, text?: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof SectionError, `not a SectionError: ${error instanceof Error ? error.stack : String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.ok(error.message.startsWith(error.operation) && error.message.includes(error.rule), error.message);
    if (text !== undefined) assert.match(error.message, text);
    return true;
  };
}

/**
 * What a reader takes of a writer that never rests; null where the writer was quicker for the whole of the reader's patience, as on a
 * machine that stops the reader again and again.
 */
export function unlessOutrun<Taken>(take: () => Taken): Taken | null {
  try {
    return take();
  } catch (error) {
    if (error instanceof SectionError && error.code === 'ERR_SECTION_TIMEOUT') return null;
    throw error;
  }
}
