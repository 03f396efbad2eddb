/**
 * A hostile other side of a Latest or a Broadcast, which writes nonsense into every shared word: whoever reads or writes neither
 * crashes nor hangs nor reaches outside, and is told errors that are Sectile's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section, SectionError } from 'sectile';
import { Broadcast, Latest } from 'sectile/channel';
import { drawer, FUZZ_SECONDS, FUZZ_SEED, loadScribbler, Outcomes, scribblerFile, tellSeed } from '../support/hostile.js';

/** What a reader or a writer may be told. */
const known = (error: unknown): string | null =>
  error instanceof SectionError &&
  [
    'ERR_SECTION_CHANNEL_DAMAGED',
    'ERR_SECTION_TIMEOUT',
    'ERR_SECTION_PEER_ENDED',
    'ERR_SECTION_TYPE_MISMATCH',
    'ERR_SECTION_ROLE_TAKEN',
  ].includes(error.code)
    ? error.code
    : null;

const LIMIT = 2000;
const SIZE = 64 * 1024;
/** What belongs to nobody here: it must stay as it is. */
const FENCE = 4096;

type Make = (section: Section) => { write(): void; read(outcomes: Outcomes): Promise<void> };

const latest: Make = (section) => {
  const view = section.map();
  const writer = Latest.format(view, { size: 1000, offset: FENCE, length: SIZE - 2 * FENCE });
  const value = new Uint8Array(1000).fill(1);
  const target = new Uint8Array(1000);
  return {
    write: () => void writer.write(value.subarray(0, writer.version % 1001)),
    read: async (outcomes) => {
      const readOnly = section.map({ access: 'read' });
      const reader = outcomes.of('over', LIMIT, () => Latest.over(readOnly, { offset: FENCE, length: SIZE - 2 * FENCE }));
      for (let count = 0; reader !== undefined && count < 20; count++) {
        outcomes.of('read', LIMIT, () => reader.tryRead(target));
        outcomes.of('read a copy', LIMIT, () => reader.tryRead());
      }
      if (reader !== undefined) {
        await outcomes.after('changed', LIMIT, () => reader.changed({ timeout: 1 }));
        outcomes.of('writer', LIMIT, () => reader.writer);
      }
      reader?.close();
      readOnly.close();
      const second = outcomes.of('writerOver', LIMIT, () => Latest.writerOver(view, { offset: FENCE, length: SIZE - 2 * FENCE }));
      if (second !== undefined) outcomes.of('write', LIMIT, () => second.write(value));
      second?.close();
    },
  };
};

const broadcast: Make = (section) => {
  const view = section.map();
  const part = { offset: FENCE, length: SIZE - 2 * FENCE };
  const writer = Broadcast.format(view, { capacity: 16_384, ...part });
  const message = new Uint8Array(8184).fill(1);
  const target = new Uint8Array(8184);
  const write = () => writer.write(message.subarray(0, writer.written % 300));
  return {
    write,
    read: async (outcomes) => {
      const readOnly = section.map({ access: 'read' });
      const reader = outcomes.of('over', LIMIT, () => Broadcast.over(readOnly, part));
      for (let count = 0; reader !== undefined && count < 20; count++) {
        outcomes.of('write', LIMIT, write);
        outcomes.of('read', LIMIT, () => reader.tryRead(target));
        outcomes.of('read a copy', LIMIT, () => reader.tryRead());
        outcomes.of('read a batch', LIMIT, () => reader.tryReadBatch(1 + count * 100));
      }
      if (reader !== undefined) await outcomes.after('read later', LIMIT, () => reader.read(undefined, { timeout: 1 }));
      reader?.close();
      readOnly.close();
      const second = outcomes.of('writerOver', LIMIT, () => Broadcast.writerOver(view, part));
      if (second !== undefined) outcomes.of('write anew', LIMIT, () => second.write(message));
      second?.close();
    },
  };
};

const timeout = (FUZZ_SECONDS + 60) * 1000;

for (const [title, make] of [
  ['a Latest', latest],
  ['a Broadcast', broadcast],
] as const) {
  test(`${title} whose words are changed between calls`, { timeout }, async (t) => {
    tellSeed(t);
    const outcomes = new Outcomes(known);
    const draw = drawer(FUZZ_SEED);
    const end = performance.now() + FUZZ_SECONDS * 1000;
    const edges = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 8, 0x7fff_0000];
    while (performance.now() < end) {
      using section = Section.create({ size: SIZE });
      using hostile = section.map();
      hostile.bytes.fill(0xa5, 0, FENCE);
      hostile.bytes.fill(0xa5, SIZE - FENCE);
      const pair = make(section);
      for (let count = draw(60); count > 0; count--) pair.write();
      const words = new Int32Array(hostile.buffer, FENCE, (SIZE - 2 * FENCE) / 4);
      for (let count = draw(4); count >= 0; count--) {
        const at = draw(4) === 0 ? draw(words.length) : draw(160);
        const value = draw(3) === 0 ? (words[at] ?? 0) + 1 - draw(3) : (edges[draw(edges.length + 2)] ?? draw(2 ** 32));
        words[at] = value;
      }
      await pair.read(outcomes);
      for (const at of [0, FENCE - 1, SIZE - FENCE, SIZE - 1]) assert.equal(hostile.bytes[at], 0xa5, `byte ${at}`);
    }
    t.diagnostic(JSON.stringify(outcomes.counts));
    const isDamage = (name: string) => name.endsWith('DAMAGED');
    assert.ok((outcomes.counts['read'] ?? 0) > 0 && Object.keys(outcomes.counts).some(isDamage));
  });

  test(`${title} whose words another thread changes all the time`, { timeout }, async (t) => {
    tellSeed(t);
    const outcomes = new Outcomes(known);
    const scribbler = loadScribbler(scribblerFile());
    const end = performance.now() + FUZZ_SECONDS * 1000;
    for (let round = 0; performance.now() < end; round++) {
      using section = Section.create({ size: SIZE });
      using hostile = section.map();
      hostile.bytes.fill(0xa5, 0, FENCE);
      hostile.bytes.fill(0xa5, SIZE - FENCE);
      const pair = make(section);
      for (let count = 0; count < 100; count++) pair.write();
      scribbler.start([hostile.bytes.subarray(FENCE, SIZE - FENCE)], FUZZ_SEED + round);
      try {
        for (let count = 0; count < 3; count++) await pair.read(outcomes);
      } finally {
        scribbler.stop();
      }
      for (const at of [0, FENCE - 1, SIZE - FENCE, SIZE - 1]) assert.equal(hostile.bytes[at], 0xa5, `byte ${at}`);
    }
    t.diagnostic(JSON.stringify(outcomes.counts));
  });
}
