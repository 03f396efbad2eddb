/**
 * Promise 1, no use of a view can end the process: threads of the runtime and Workers at work on views
 * that are closed, fault or are terminated. Each scenario in a process of its own: exit code 0, no signal.
 */
import busyThreads from '../fixtures/busy-threads.js';
import { testEach } from '../support/child.js';

testEach(busyThreads);
