/**
 * The client in Python at either end of each kind of channel.
 */
import { python } from '../support/channel-clients.js';
import { testClient, testGarbage } from '../support/channel-tests.js';

testClient(python);
testGarbage(python, 3);
