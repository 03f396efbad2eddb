/**
 * The client in C at either end of each kind of channel.
 */
import { c } from '../support/channel-clients.js';
import { testClient, testGarbage, testSwaps } from '../support/channel-tests.js';

testClient(c);
testSwaps(c);
testGarbage(c, 40);
