/**
 * Calls on words of mappings, whose arguments the addon takes out of memory that anything may have written to: nothing that stands
 * there may reach what is no open mapping.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Event, Section } from 'sectile';
import { mappingOf } from '../../dist/memory/view.js';
import { os } from '../../dist/os/index.js';
import { MutexWords, Word } from '../../dist/sync/word.js';

const { registers } = os;
const [MAPPING, OFFSET, FIRST, SECOND, ANSWER] = [0, 1, 2, 3, 4] as const;
const calls = {
  wordLoad: os.wordLoad,
  wordExchange: os.wordExchange,
  wordCompareExchange: os.wordCompareExchange,
  wordStoreWake: os.wordStoreWake,
  wordWake: os.wordWake,
  wordWaitSync: os.wordWaitSync,
  mutexTake: os.mutexTake,
  mutexRelease: os.mutexRelease,
  mutexAbandon: os.mutexAbandon,
  mutexQuery: os.mutexQuery,
};

const nonsense = [
  0,
  -0,
  0.5,
  -1,
  1,
  4096,
  2 ** 31,
  2 ** 47,
  2 ** 53,
  2 ** 63,
  2 ** 64,
  1e300,
  -1e300,
  5e-324,
  Infinity,
  -Infinity,
  NaN,
];

test('a key that means no mapping is told, whatever it is', () => {
  using section = Section.create({ size: 4096 });
  using view = section.map();
  const key = os.mappingKey(view[mappingOf]);
  for (const [name, call] of Object.entries(calls)) {
    for (const wrong of [...nonsense, ...[1, 2, 4, 8, 15].map((bits) => key + bits), key + 2 ** 40]) {
      registers.fill(0);
      registers[MAPPING] = wrong;
      call();
      assert.ok(Number.isNaN(registers[ANSWER]), `${name} with ${wrong}`);
    }
  }
});

test('offsets and values that cannot be are refused, of a mapping that is there', () => {
  using section = Section.create({ size: 4096 });
  using view = section.map();
  const words = view.as(Int32Array).fill(7);
  registers[MAPPING] = os.mappingKey(view[mappingOf]);
  for (const [name, call] of Object.entries(calls)) {
    for (const offset of [...nonsense.filter((each) => each !== 0), 2, 4094, 4097]) {
      registers.fill(1, OFFSET);
      registers[OFFSET] = offset;
      assert.throws(call, TypeError, `${name} at ${offset}`);
    }
  }
  for (const [name, places] of Object.entries({
    wordExchange: [FIRST],
    wordCompareExchange: [FIRST, SECOND],
    wordStoreWake: [FIRST],
    wordWake: [FIRST],
    wordWaitSync: [FIRST, SECOND],
    mutexTake: [FIRST],
  } as const)) {
    for (const place of places) {
      for (const wrong of [0.5, 2 ** 31, -(2 ** 31) - 1, 1e300, -Infinity, NaN]) {
        // As a timeout anything is sound that is not less than 0.
        if (name === 'wordWaitSync' && place === SECOND && wrong > 0) continue;
        registers.fill(1, FIRST);
        registers[OFFSET] = 8;
        registers[place] = wrong;
        assert.throws(calls[name as keyof typeof calls], TypeError, `${name} with ${wrong}`);
      }
    }
  }
  assert.ok(words.every((word) => word === 7));
});

test('a closed mapping, and what may not be written to, are refused', () => {
  using section = Section.create({ size: 4096 });
  const view = section.map({ access: 'read' });
  const [word, mutex] = [new Word(view[mappingOf], 0), new MutexWords(view[mappingOf], 8)];
  assert.equal(word.load(), 0);
  for (const write of [
    () => word.exchange(1),
    () => word.compareExchange(0, 1),
    () => word.storeAndWake(1),
    () => mutex.take(false),
  ]) {
    assert.throws(write, { code: 'EACCES' });
  }
  view.close();
  for (const use of [() => word.load(), () => word.waitSync(0, 1), () => mutex.query()]) assert.throws(use, { code: 'EBADF' });
});

test('of more mappings than there are keys, each word is its own', () => {
  const COUNT = 3000;
  using section = Section.create({ size: 4096 * 16 });
  const all = Array.from({ length: COUNT }, (_, index) => {
    const view = section.map({ offset: 4096 * (index % 16), length: 4096 });
    return { view, word: new Word(view[mappingOf], 4 * (index >> 4)), mutex: new MutexWords(view[mappingOf], 2048) };
  });
  for (const [index, { word }] of all.entries()) assert.equal(word.exchange(index + 1), 0);
  // Ever others, in an order without a pattern that keys could follow.
  for (let turn = 0; turn < 20_000; turn++) {
    const index = (turn * 7919) % COUNT;
    const { word } = all[index] as (typeof all)[0];
    assert.equal(word.load(), index + 1);
  }
  for (const { mutex } of all) assert.ok(mutex.take(false) === 1);
  assert.equal(all[0]?.mutex.query().times, Math.ceil(COUNT / 16));
  for (const { mutex } of all) assert.ok(mutex.release() >= 0);
  for (const { view } of all) view.close();
});

test('objects whose mappings were collected leave no key behind that means others', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 20; round++) {
    const keys = Array.from({ length: 50 }, () => {
      const section = Section.create({ size: 4096 });
      const key = os.mappingKey(section.map()[mappingOf]);
      return key;
    });
    collect();
    await new Promise(setImmediate);
    collect();
    await new Promise(setImmediate);
    for (const key of keys) {
      registers.fill(0);
      registers[MAPPING] = key;
      // Gone, or in the hands of another one, or not collected yet: never memory that is nobody's.
      try {
        os.wordLoad();
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'EBADF');
      }
    }
  }
  using event = Event.create({ manualReset: true });
  event.set();
  assert.ok(event.tryWait());
});
