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
