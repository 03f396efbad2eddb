/**
 * A hostile process of the same user, which nothing walls off: it writes nonsense into the states of objects, cuts files
 * under their views, and spoils the registry of names. Whoever uses them neither crashes nor hangs, and is told errors
 * that are Sectile's.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CommandLine } from '../cli/command.js';
import fixture from '../fixtures/hostile-neighbours.js';
import { runtimeFolder, scratchFolder, start } from '../support/child.js';
import { FUZZ_SECONDS, FUZZ_SEED, scribblerFile, tellSeed } from '../support/hostile.js';

const timeout = (FUZZ_SECONDS + 60) * 1000;
type Counts = Record<string, number>;

test('objects whose states are nonsense', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const user = start(t, fixture, 'uses objects', { scratch, timeout, args: [FUZZ_SECONDS] });
  await user.reached('ready');
  const args = [user.pid, scribblerFile(), FUZZ_SEED];
  const hostile = start(t, fixture, 'spoils the objects of a process', { scratch, timeout, args });
  await hostile.reached('begun');
  user.tell('go');
  const counts = (await user.reached('outcomes')) as Counts;
  await user.endsWell();
  hostile.tell('end');
  await hostile.endsWell();
  t.diagnostic(JSON.stringify(counts));
  assert.ok((counts['set'] ?? 0) > 0);
});

test('views of a file that is cut and grown', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  writeFileSync(join(scratch, 'shared'), randomBytes(64 * 4096));
  const hostile = [0, 1].map((index) =>
    start(t, fixture, 'cuts and grows a file', { scratch, timeout, args: [FUZZ_SEED + index] }),
  );
  for (const each of hostile) await each.reached('begun');
  const user = start(t, fixture, 'maps a file that others cut', { scratch, timeout, args: [FUZZ_SECONDS, FUZZ_SEED] });
  const counts = (await user.reached('outcomes')) as Counts;
  await user.endsWell();
  for (const each of hostile) {
    each.tell('end');
    await each.endsWell();
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok((counts['read'] ?? 0) > 0 && (FUZZ_SECONDS < 10 || (counts['read: ERR_SECTION_FAULT'] ?? 0) > 0));
});

test('a registry that is spoilt while it is used', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const command = new CommandLine(t);
  const { scratch } = command;
  const folder = join(runtimeFolder(scratch), `local-${process.geteuid?.()}`);
  const first = start(t, fixture, 'uses names', { scratch, timeout, args: [0, FUZZ_SEED] });
  await first.endsWell();
  const hostile = start(t, fixture, 'spoils the registry', { scratch, timeout, args: [folder, FUZZ_SEED] });
  await hostile.reached('begun');
  const users = [0, 1].map((index) =>
    start(t, fixture, 'uses names', { scratch, timeout, args: [FUZZ_SECONDS, FUZZ_SEED + 1 + index] }),
  );
  for (const args of [['ls'], ['ls', '--json'], ['show', 'one'], ['dump', 'two'], ['doctor']]) {
    const { code, signal, stdout, stderr } = await command.run(args);
    assert.ok((code === 0 || code === 1) && signal === null, `${args.join(' ')}: ${code ?? signal}: ${stderr}`);
    assert.doesNotMatch(stdout + stderr, /^ {4}at |[^\P{Cc}\n]/mu);
  }
  for (const user of users) {
    const counts = (await user.reached('outcomes')) as Counts;
    await user.endsWell();
    t.diagnostic(JSON.stringify(counts));
  }
  hostile.tell('end');
  await hostile.endsWell();
});
