/**
 * Sections shared between TypeScript and a native program in C, both ways: each makes one that the other opens.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section } from 'sectile';
import { Partner, prints, program } from './programs.js';

const name = (what: string) => `Local\\SectilePartner${what}${process.pid}`;

test('C opens what TypeScript made', async (t) => {
  using section = Section.create({ name: name('Ts'), size: 10_000 });
  using view = section.map();
  view.bytes.set([1, 2, 3], 9_000);
  const { partner, bytes } = await Partner.start(t, 'open', name('Ts'), 'readwrite');
  // A view in C is whole pages.
  assert.equal(bytes, 12_288);
  assert.equal(await partner.asks('read 9000 3'), '010203');
  assert.equal(await partner.asks('write 9999 7f'), 'done');
  assert.equal(view.bytes[9_999], 0x7f);
  await partner.ends();
});

test('TypeScript opens what C made, and learns its size', async (t) => {
  const { partner } = await Partner.start(t, 'create', name('C'), '20000');
  assert.equal(await partner.asks('write 0 0badcafe'), 'done');
  using section = Section.open(name('C'));
  assert.ok(section.size >= 20_000 && section.size <= 20_480, `size ${section.size}`);
  using view = section.map();
  assert.equal(Buffer.from(view.bytes.subarray(0, 4)).toString('hex'), '0badcafe');
  view.bytes[19_999] = 0x55;
  assert.equal(await partner.asks('read 19999 1'), '55');
  // The name goes with the last handle, whoever made it.
  await partner.ends();
  assert.equal(Section.open(name('C')).size, section.size);
});

test('atomic steps of both sides lose nothing', async (t) => {
  using section = Section.create({ name: name('Atomic'), size: 4096 });
  using view = section.map();
  const words = view.as(Int32Array);
  const { partner } = await Partner.start(t, 'open', name('Atomic'), 'readwrite');
  const theirs = partner.asks('add-many 64 200000');
  for (let round = 0; round < 200_000; round++) Atomics.add(words, 16, 1);
  assert.equal(await theirs, 'done');
  assert.equal(words[16], 400_000);
  assert.equal(await partner.asks('add 64 -400000'), '400000');
  assert.equal(words[16], 0);
});

test('a section of TypeScript alone to write is for reading in C', async (t) => {
  using section = Section.create({ name: name('Read'), size: 4096, protection: 'read' });
  using view = section.map({ access: 'readwrite' });
  const { partner } = await Partner.start(t, 'open', name('Read'), 'read');
  view.bytes[5] = 9;
  assert.equal(await partner.asks('read 5 1'), '09');
  assert.equal(await partner.asks('write 5 01'), 'error 5');
  await assert.rejects(prints(program('partner.exe'), 'open', name('Read'), 'readwrite'), /OpenFileMapping: error 5/);
});
