/**
 * Promise 4, failure comes early and says why: sizes and offsets are checked in the full 64-bit range, and
 * whatever is passed to a public call, it throws SectionError alone and leaves nothing open or mapped.
 */
import args from '../fixtures/arguments.js';
import { testEach } from '../support/child.js';

testEach(args);
