/**
 * Promise 1, no use of a view can end the process: tens of thousands of views, closed or forgotten, run
 * into no limit of the system, and a collected view is unmapped. Each scenario in a process of its own.
 */
import manyViews from '../fixtures/many-views.js';
import { testEach } from '../support/child.js';

testEach(manyViews);
