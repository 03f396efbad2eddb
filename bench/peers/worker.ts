/**
 * Worker of the handover benchmark: the other thread of the same process.
 */
import { parentPort } from 'node:worker_threads';
import { receive } from '../payload.js';

export interface WorkerRequest {
  readonly bytes: Uint8Array;
  readonly stamp: number;
  readonly whole: boolean;
  /** Whether the sender gave its buffer away and wants it back. */
  readonly giveBack: boolean;
}

parentPort?.on('message', ({ bytes, stamp, whole, giveBack }: WorkerRequest) => {
  const receipt = receive(bytes, stamp, whole);
  if (giveBack) parentPort?.postMessage({ ...receipt, bytes }, [bytes.buffer as ArrayBuffer]);
  else parentPort?.postMessage(receipt);
});
