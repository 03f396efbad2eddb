/**
 * An ordinary process that runs the cases of user mode.
 */
import { openChannel } from './channel.js';
import { serve } from './serve.js';
import { userWorld } from './world.js';

const channel = openChannel();
channel.on('close', () => process.exit(0));
serve(channel, userWorld);
