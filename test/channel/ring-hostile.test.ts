/**
 * A peer that writes anything at any word of a ring: whoever reads it is told of the damage or goes on, and neither ends, nor
 * hangs, nor gives out a byte that is not the ring's. SECTILE_FUZZ_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section, SectionError } from 'sectile';
import { MessageBatch, Ring } from 'sectile/channel';

const SEED = Number(process.env['SECTILE_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const HEADER = 1536;
const CAPACITY = 1024;

/** What stands behind the ring. */
const BEHIND = Buffer.alloc(16, 0xaa);

/** Mulberry32: small, and the same everywhere. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}

/** Where peers write: positions, ends, sleep words, the headers of records. */
const words = [256, 260, 384, 388, 512, 640].map((offset) => offset / 4);

const expected = new Set([
  'ERR_SECTION_CHANNEL_DAMAGED',
  'ERR_SECTION_OUT_OF_RANGE',
  'ERR_SECTION_TIMEOUT',
  'ERR_SECTION_PEER_ENDED',
]);

function orDamaged(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    assert.ok(error instanceof SectionError && expected.has(error.code), String(error));
    return error.code !== 'ERR_SECTION_CHANNEL_DAMAGED';
  }
}

for (const producers of ['one', 'many'] as const) {
  test(`whatever a peer writes, nothing leaves the ring (${producers}, seed ${SEED})`, () => {
    const random = numbers(SEED);
    const section = Section.create({ size: 8192 });
    const view = section.map();
    const shared = new Int32Array(view.buffer, 64);
    const outside = 64 + HEADER + CAPACITY;
    const batch = new MessageBatch(2048, 16);
    const target = new Uint8Array(600);
    const again = new Uint8Array(61).fill(1);
    let damages = 0;
    for (let round = 0; round < 3000; round++) {
      view.bytes.fill(0xaa, outside);
      const ring = Ring.format(view, { offset: 64, length: HEADER + CAPACITY, producers });
      const producer = ring.producer();
      const consumer = ring.consumer();
      let intact = true;
      for (let step = 0; intact && step < 30; step++) {
        const inBounds = (bytes: Uint8Array | null): void => {
          if (bytes === null) return;
          assert.ok(bytes.length <= 504 && Buffer.from(bytes).indexOf(BEHIND) < 0, `${bytes.length} bytes`);
        };
        const values = [
          random(2 ** 32) | 0,
          -1,
          random(64) * 8,
          (shared[64] ?? 0) + 8 * random(200),
          -8 * random(200),
          0x7ffffff8,
        ];
        const value = values[random(values.length)] as number;
        switch (random(10)) {
          case 0:
            shared[words[random(words.length)] as number] = value;
            break;
          case 1:
            // Anywhere in the data: most hit the length of a record.
            shared[(HEADER >> 2) + random(CAPACITY / 8) * 2] = value;
            break;
          case 2:
            intact = orDamaged(() => inBounds(consumer.tryReceive()));
            break;
          case 3:
            intact = orDamaged(() => consumer.tryReceiveMany().forEach(inBounds));
            break;
          case 4:
            intact = orDamaged(() => {
              consumer.tryReceiveBatch(batch);
              for (const message of batch) inBounds(message);
            });
            break;
          case 5:
            intact = orDamaged(() => {
              const length = consumer.tryReceiveInto(target);
              if (length >= 0) inBounds(target.subarray(0, length));
            });
            break;
          case 6:
            intact = orDamaged(() => {
              consumer.drain(inBounds);
            });
            break;
          case 7:
            intact = orDamaged(() => {
              inBounds(consumer.next());
              if (random(2) === 0) consumer.release();
            });
            break;
          case 8:
            // What is sent again and again goes another way.
            intact = orDamaged(() => {
              producer.trySend(random(2) === 0 ? again : new Uint8Array(random(505)).fill(1));
            });
            break;
          default:
            intact = orDamaged(() => {
              const claim = producer.claim(random(300));
              claim?.fill(2);
              if (claim !== null) producer.commit();
            });
        }
      }
      if (!intact) damages++;
      assert.ok(
        view.bytes.subarray(outside).every((byte) => byte === 0xaa),
        'a byte behind the ring',
      );
      ring.close();
    }
    assert.ok(damages > 500, `${damages} damages were found`);
    view.close();
    section.close();
  });
}

test('a header that lies is no ring', () => {
  const random = numbers(SEED);
  const section = Section.create({ size: 8192 });
  const view = section.map();
  const shared = new Int32Array(view.buffer);
  for (let round = 0; round < 2000; round++) {
    Ring.format(view, { length: HEADER + CAPACITY }).close();
    shared[random(16)] = [random(2 ** 32) | 0, 1 << random(32), random(9000), 0, -1][random(5)] as number;
    try {
      const ring = Ring.over(view);
      const producer = ring.producer();
      const consumer = ring.consumer();
      producer.trySend(new Uint8Array(100));
      consumer.tryReceive();
      ring.close();
    } catch (error) {
      const codes = ['ERR_SECTION_TYPE_MISMATCH', 'ERR_SECTION_CHANNEL_DAMAGED'];
      assert.ok(error instanceof SectionError && codes.includes(error.code), String(error));
    }
  }
  view.close();
  section.close();
});
