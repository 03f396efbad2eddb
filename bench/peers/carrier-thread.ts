/**
 * The carrier of the message benchmarks as another thread of the same process.
 */
import { parentPort } from 'node:worker_threads';
import { Carrier, type CarrierRequest } from '../carry/carrier.js';
import { cargo, PortSender } from '../carry/wire.js';

if (parentPort === null) throw new Error('this file runs as a worker');
const port = parentPort;
const carrier = new Carrier((message) => port.postMessage(message), new PortSender(port));

port.on('message', (message: CarrierRequest | Uint8Array) => {
  const carried = cargo(message);
  if (carried === undefined) void carrier.handle(message as CarrierRequest);
  else carrier.took(carried);
});
