/**
 * The producer and the consumers of a Pool in the soak run: frames of megabytes, written and read in place.
 */
import { SectionError } from 'sectile';
import { Pool, type PoolFrame } from 'sectile/channel';
import { BLOCKED, type Duty, pause, taken, turn } from './duty.js';
import { LifeWord, Phase, PostWord } from './ledger.js';
import { mix, oneOf } from './pattern.js';

const MiB = 2 ** 20;

export const BLOCK_BYTES = 8 * MiB;

const wordsOf = (bytes: Uint8Array<ArrayBuffer>): Int32Array => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);

const frameBytes = (life: number, number: number): number => MiB + 64 * ((mix(life, number) >>> 0) % ((7 * MiB) / 64 + 1));

/** Fills a frame whole; returns its length. */
export function fillFrame(bytes: Uint8Array<ArrayBuffer>, life: number, number: number): number {
  const length = frameBytes(life, number);
  const words = wordsOf(bytes.subarray(0, length));
  words.fill(mix(number, life));
  words[0] = life;
  words[1] = number;
  return length;
}

/** One word in each line of the processor's memory, and the last. */
function judge(duty: Duty, frame: PoolFrame): number {
  const words = wordsOf(frame.bytes);
  const [life, number] = [words[0] as number, words[1] as number];
  if (number !== frame.number) duty.fail(`frame ${frame.number} is what was written as ${number}`);
  if (frame.bytes.length !== frameBytes(life, number)) duty.fail(`frame ${number} has ${frame.bytes.length} bytes`);
  if (number > duty.ledger.life(life, LifeWord.begun)) duty.fail(`frame ${number} came, which nobody has begun to hand over`);
  const value = mix(number, life);
  for (let index = 16; index < words.length; index += 16) {
    if (words[index] !== value) duty.fail(`byte ${4 * index} of frame ${number} of life ${life} is wrong`);
  }
  if (words[words.length - 1] !== value) duty.fail(`the end of frame ${number} of life ${life} is wrong`);
  return life;
}

async function produce(duty: Duty): Promise<void> {
  const producer = await taken(duty, () => Pool.openProducer(`${duty.orders.name}-pool`));
  const { ledger } = duty;
  if (producer.number < ledger.current) duty.fail(`frames go on behind ${producer.number}, ${ledger.current} were handed over`);
  for (let sent = 0; duty.running && sent < duty.orders.quota; sent++) {
    duty.doing('waiting for a block');
    const way = duty.random(3);
    const block = way === 0 ? producer.tryAcquire() : way === 1 ? producer.acquireSync(BLOCKED) : await producer.acquire();
    duty.doing('writing');
    if (block !== null && duty.random(20) === 0) block.discard();
    else if (block !== null) {
      const number = producer.number + 1;
      const length = fillFrame(block.bytes, duty.life, number);
      ledger.setLife(duty.life, LifeWord.begun, number);
      block.publish(length);
      ledger.current = number;
      duty.progress();
    }
    await turn();
  }
  duty.doing('closing');
  producer.close();
}

async function consume(duty: Duty): Promise<void> {
  const whenSlow = oneOf(duty.random, ['wait', 'skip', 'drop'] as const);
  const consumer = Pool.open(`${duty.orders.name}-pool`, { whenSlow, depth: 1 + duty.random(3) });
  let sender = 0;
  let received = 0;
  const take = async (frame: PoolFrame): Promise<void> => {
    duty.doing('holding a frame');
    const last = duty.get(PostWord.first);
    const { number, missed } = frame;
    if (number <= last) duty.fail(`frame ${number} came after frame ${last}`);
    const life = judge(duty, frame);
    // One producer hands over every frame, but for what a slow consumer is told of; one that is killed may not get so far.
    if (life === sender && number !== last + 1 + missed) duty.fail(`frame ${number} came after ${last}, ${missed} told missed`);
    sender = life;
    received++;
    duty.set(PostWord.first, number);
    if (duty.random(3) === 0) {
      await pause(duty.random(20));
      if (judge(duty, frame) !== life) duty.fail(`frame ${number} was changed while it was held`);
    }
    frame.release();
    if (missed > 0) duty.told(missed);
    duty.count();
    duty.progress();
  };
  while (duty.ledger.phase < Phase.end && received < duty.orders.quota) {
    duty.doing('waiting for a frame');
    try {
      const way = duty.random(3);
      const frame = way === 0 ? consumer.tryNext() : way === 1 ? consumer.nextSync(BLOCKED) : await consumer.next();
      if (frame !== null) await take(frame);
      else await pause(1);
    } catch (error) {
      if (!(error instanceof SectionError && error.code === 'ERR_SECTION_PEER_ENDED')) throw error;
    }
  }
  duty.doing('closing');
  consumer.close();
}

export const poolRoles = { produce, consume };
