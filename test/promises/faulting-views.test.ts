/**
 * Promise 1, no use of a view can end the process: files cut short under views, and writes to read-only
 * ones. Each scenario in a process of its own: exit code 0, no signal.
 */
import faultingViews from '../fixtures/faulting-views.js';
import { testEach } from '../support/child.js';

testEach(faultingViews);
