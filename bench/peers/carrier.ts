/**
 * Peer of the message benchmarks: the carrier as another process. What comes by its own channel and is no request is a
 * message. The argument says how that channel carries them: json or advanced.
 */
import { Carrier, type CarrierRequest } from '../carry/carrier.js';
import { ChannelSender, cargo } from '../carry/wire.js';
import { answer, serve } from '../peer.js';

const carrier = new Carrier((message) => void answer(message), new ChannelSender(process, process.argv[2] === 'json'));

serve<CarrierRequest | Uint8Array | string>((message) => {
  const carried = cargo(message);
  if (carried === undefined) return carrier.handle(message as CarrierRequest);
  carrier.took(carried);
});
