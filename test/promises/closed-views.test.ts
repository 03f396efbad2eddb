/**
 * Promise 1, no use of a view can end the process: use of a view after it was closed, while it is closed,
 * and of its buffer after that was moved. Each scenario in a process of its own: exit code 0, no signal.
 */
import closedViews from '../fixtures/closed-views.js';
import { testEach } from '../support/child.js';

testEach(closedViews);
