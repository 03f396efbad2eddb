/**
 * A hostile other side of a Pool, which writes nonsense into every shared word: whoever produces or consumes neither crashes nor
 * hangs nor reaches outside, and is told errors that are Sectile's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section, SectionError } from 'sectile';
import { Pool, type PoolConsumer, type PoolProducer } from 'sectile/channel';
import { drawer, FUZZ_SECONDS, FUZZ_SEED, loadScribbler, Outcomes, scribblerFile, tellSeed } from '../support/hostile.js';

/** What either side may be told. */
const codes = [
  'ERR_SECTION_CHANNEL_DAMAGED',
  'ERR_SECTION_TIMEOUT',
  'ERR_SECTION_PEER_ENDED',
  'ERR_SECTION_TYPE_MISMATCH',
  'ERR_SECTION_ROLE_TAKEN',
  'ERR_SECTION_LIMIT',
  'ERR_SECTION_ACCESS_DENIED',
];
const known = (error: unknown): string | null =>
  error instanceof SectionError && codes.includes(error.code) ? error.code : null;

const LIMIT = 2000;
const SIZE = 128 * 1024;
/** What belongs to nobody here: it must stay as it is. */
const FENCE = 4096;
const part = { offset: FENCE, length: SIZE - 2 * FENCE };
const timeout = (FUZZ_SECONDS + 60) * 1000;

class Sides {
  readonly #section: Section;
  readonly #outcomes: Outcomes;
  readonly #producer: PoolProducer;
  #consumers: (PoolConsumer | undefined)[] = [];

  constructor(section: Section, outcomes: Outcomes) {
    this.#section = section;
    this.#outcomes = outcomes;
    this.#producer = Pool.format(section.map(), { blockSize: 4096, blocks: 5, consumers: 3, ...part });
  }

  work(draw: (limit: number) => number, count: number): void {
    const outcomes = this.#outcomes;
    for (let step = 0; step < count; step++) {
      const at = draw(3);
      switch (draw(6)) {
        case 0:
          this.#consumers[at]?.close();
          this.#consumers[at] = outcomes.of('over', LIMIT, () =>
            Pool.over(this.#section.map(), {
              ...part,
              whenSlow: (['wait', 'skip', 'drop'] as const)[draw(3)] ?? 'wait',
              depth: 1 + draw(4),
            }),
          );
          break;
        case 1:
        case 2: {
          const block = outcomes.of('acquire', LIMIT, () => this.#producer.tryAcquire());
          if (block === null || block === undefined) break;
          block.bytes.fill(step);
          outcomes.of('publish', LIMIT, () => block.publish(draw(4097)));
          break;
        }
        case 3:
          for (const facts of outcomes.of('consumers', LIMIT, () => this.#producer.consumers) ?? []) {
            if (facts.holding > 2) outcomes.of('expel', LIMIT, () => this.#producer.expel(facts.id));
          }
          break;
        default: {
          const frame = outcomes.of('next', LIMIT, () => this.#consumers[at]?.tryNext());
          if (frame === null || frame === undefined) break;
          let sum = 0;
          for (const byte of frame.bytes) sum += byte;
          assert.ok(sum >= 0 && frame.bytes.length <= 4096 && frame.number >= 0);
          if (draw(4) !== 0) frame.release();
        }
      }
    }
  }

  async end(): Promise<void> {
    const outcomes = this.#outcomes;
    await outcomes.after('acquire later', LIMIT, async () => (await this.#producer.acquire({ timeout: 1 })).discard());
    await outcomes.after('next later', LIMIT, async () => this.#consumers.find(Boolean)?.next({ timeout: 1 }));
    for (const consumer of this.#consumers) consumer?.close();
    this.#producer.close();
    const view = this.#section.map();
    const second = outcomes.of('producerOver', LIMIT, () => Pool.producerOver(view, part));
    outcomes.of('acquire anew', LIMIT, () => second?.tryAcquire());
    second?.close();
    view.close();
  }
}

function fenced(hostile: Uint8Array): void {
  for (const at of [0, FENCE - 1, SIZE - FENCE, SIZE - 1]) assert.equal(hostile[at], 0xa5, `byte ${at}`);
}

test('a Pool whose words are changed between calls', { timeout }, async (t) => {
  tellSeed(t);
  const outcomes = new Outcomes(known);
  const draw = drawer(FUZZ_SEED);
  const end = performance.now() + FUZZ_SECONDS * 1000;
  const edges = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 5, 0x7fff_0000];
  while (performance.now() < end) {
    using section = Section.create({ size: SIZE });
    using hostile = section.map();
    hostile.bytes.fill(0xa5, 0, FENCE);
    hostile.bytes.fill(0xa5, SIZE - FENCE);
    const sides = new Sides(section, outcomes);
    sides.work(draw, 60);
    const words = new Int32Array(hostile.buffer, FENCE, 1024);
    for (let round = 0; round < 10; round++) {
      for (let count = draw(4); count >= 0; count--) {
        const at = 32 + draw(words.length - 32);
        words[at] = draw(2) === 0 ? (words[at] ?? 0) + 1 - draw(3) : (edges[draw(edges.length + 2)] ?? draw(2 ** 32));
      }
      sides.work(draw, 20);
    }
    await sides.end();
    fenced(hostile.bytes);
  }
  t.diagnostic(JSON.stringify(outcomes.counts));
  assert.ok((outcomes.counts['publish'] ?? 0) > 0 && (outcomes.counts['next'] ?? 0) > 0);
});

test('a Pool whose words another thread changes all the time', { timeout }, async (t) => {
  tellSeed(t);
  const outcomes = new Outcomes(known);
  const scribbler = loadScribbler(scribblerFile());
  const draw = drawer(FUZZ_SEED);
  const end = performance.now() + FUZZ_SECONDS * 1000;
  for (let round = 0; performance.now() < end; round++) {
    using section = Section.create({ size: SIZE });
    using hostile = section.map();
    hostile.bytes.fill(0xa5, 0, FENCE);
    hostile.bytes.fill(0xa5, SIZE - FENCE);
    const sides = new Sides(section, outcomes);
    sides.work(draw, 60);
    scribbler.start([hostile.bytes.subarray(FENCE, SIZE - FENCE)], FUZZ_SEED + round);
    try {
      sides.work(draw, 500);
      await sides.end();
    } finally {
      scribbler.stop();
    }
    fenced(hostile.bytes);
  }
  t.diagnostic(JSON.stringify(outcomes.counts));
});
