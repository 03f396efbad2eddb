/**
 * Promise 1, no use of a view can end the process, where what is mapped is no file.
 */
import deviceViews from '../fixtures/device-views.js';
import { testEach } from '../support/child.js';
import { compile } from '../support/compile.js';

testEach(deviceViews, { wrapper: [compile('device.c', 'program')] });
