/**
 * Waits at words of a section that block: alone, and woken by another process.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section, waitOnAddress, wakeAddress } from 'sectile';
import addresses from '../fixtures/addresses.js';
import { run, sharedScratch, start } from '../support/child.js';

test('a word that differs, a timeout, and arguments that cannot be', async (t) => {
  await run(t, addresses, 'a word that differs, a timeout, and arguments that cannot be');
});

test('a thread that sleeps for a word is woken by another process, and sleeps on when nothing has changed', async (t) => {
  const scratch = sharedScratch(t);
  using section = Section.create({ name: 'words', size: 4096 });
  using view = section.map();
  const words = view.as(Int32Array);
  const rounds = 1000;
  const peer = start(t, addresses, 'follow', { scratch, args: [rounds] });
  await peer.reached('ready');
  for (let value = 1; value <= rounds; value++) {
    // Woken for nothing: it may not go on.
    wakeAddress(view, 0);
    assert.equal(Atomics.load(words, 1), value - 1);
    Atomics.store(words, 0, value);
    wakeAddress(view, 0);
    assert.equal(await waitOnAddress(view, 4, value - 1, { timeout: 60_000 }), true);
    assert.equal(Atomics.load(words, 1), value);
  }
  await peer.endsWell();
});
