/**
 * The driver that runs the cases of kernel mode, in a system process of the runner's own.
 */
import * as k from 'sectile/ntddk';
import { openChannel } from './channel.js';
import { serve } from './serve.js';
import { kernelWorld } from './world.js';

export function DriverEntry(driverObject: k.DriverObject): k.NTSTATUS {
  const channel = openChannel();
  driverObject.DriverUnload = () => {
    channel.destroy();
  };
  serve(channel, (suite, folder) => kernelWorld(suite, folder, k));
  return k.STATUS_SUCCESS;
}
