/**
 * Races of processes for local names: exactly one object at a time stands under a name; and, over many
 * rounds in which one process is killed with SIGKILL anywhere in its doings, no memory, no name and no
 * wrong byte is left. SECTILE_TEST_ROUNDS says how many rounds: 100 by default, 400 in CI, 1,000 for a night.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Section } from 'sectile';
import racers from '../fixtures/racers.js';
import { type Child, run, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { ControlGroup, noControlGroups } from '../support/control-group.js';
import { withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';
import { eventually } from '../support/processes.js';

const MiB = 1024 * 1024;
const ROUNDS = Number(process.env['SECTILE_TEST_ROUNDS'] ?? 100);
const TIMEOUT = 600_000;

function sharedFolder(t: TestContext): string {
  const scratch = scratchFolder(t);
  process.env['SECTILE_RUNTIME_DIR'] = runtimeFolder(scratch);
  return scratch;
}

test('many processes that take one name at the same time get one object', async (t) => {
  const scratch = sharedFolder(t);
  const children = Array.from({ length: 6 }, () => start(t, racers, 'takes and gives names in turns', { scratch }));
  await Promise.all(children.map((child) => child.reached('ready')));
  for (let round = 0; round < Math.min(ROUNDS, 300); round++) {
    for (const child of children) child.tell('take', { name: 'contested' });
    const objects = await Promise.all(children.map((child) => child.reached('took')));
    const distinct = new Set(objects.filter((each) => each !== null));
    assert.ok(distinct.size <= 1, `round ${round}: ${[...distinct].join(', ')} at the same time`);
    for (const child of children) child.tell('give');
    await Promise.all(children.map((child) => child.reached('gave')));
  }
  for (const child of children) child.tell('take', null);
  for (const child of children) await child.endsWell();
  assert.equal(platform.localNames(scratch), 0);
});

test('processes that take and give a few names freely never see a second object', async (t) => {
  const scratch = sharedFolder(t);
  const options = { scratch, args: [['a', 'b'], 2000] };
  const endings = await Promise.all(Array.from({ length: 4 }, () => run(t, racers, 'takes and gives names freely', options)));
  assert.equal(endings.length, 4);
  assert.equal(platform.localNames(scratch), 0);
});

const RACERS = 3;
const BLOCK = 64 * 1024;
const SIZE = 64 + RACERS * BLOCK;

/** Processes take far longer to start than a round: some are always on their way. */
const SPARES = 3;

class Race {
  readonly #t: TestContext;
  readonly #scratch: string;
  readonly racers: Child[] = [];
  readonly spares: Child[] = [];
  readonly #wrapper: readonly string[];

  constructor(t: TestContext, scratch: string, wrapper: readonly string[]) {
    this.#t = t;
    this.#scratch = scratch;
    this.#wrapper = wrapper;
  }

  #start(): Child {
    return start(this.#t, racers, 'works until it is killed', {
      wrapper: this.#wrapper,
      scratch: this.#scratch,
      args: [BLOCK, SIZE],
      timeout: TIMEOUT,
    });
  }

  async fill(): Promise<void> {
    for (let slot = 0; slot < RACERS; slot++) {
      if (this.racers[slot] !== undefined) continue;
      const child = this.spares.shift() ?? this.#start();
      this.racers[slot] = child;
      await child.reached('ready');
    }
    while (this.spares.length < SPARES) this.spares.push(this.#start());
  }

  async end(): Promise<void> {
    const all = [...this.racers, ...this.spares];
    for (const child of all) child.tell('round', null);
    for (const child of all) await child.endsWell();
  }

  /** One round: all create or open, write and check; the victim is killed at a moment of its own. */
  async round(number: number): Promise<void> {
    const name = `round-${process.pid}-${number}`;
    const victim = number % RACERS;
    const value = (slot: number) => ((number * RACERS + slot) % 255) + 1;
    this.racers.forEach((child, slot) => {
      child.tell('round', { name, slot, value: value(slot), spin: slot === victim });
    });
    const doomed = this.racers[victim] as Child;
    const others = this.racers.filter((child) => child !== doomed);
    await doomed.reached('spinning');
    await Promise.all(others.map((child) => child.reached('written')));
    const pause = Math.random() * 3;
    for (const until = performance.now() + pause; performance.now() < until; );
    const { signal } = await doomed.kill('SIGKILL');
    assert.equal(signal, 'SIGKILL');
    delete this.racers[victim];

    const replaced = this.fill();
    const section = Section.open(name);
    const view = section.map();
    assert.equal(view.bytes[64 + victim * BLOCK], value(victim), 'what the victim wrote first is still there');
    section.close();
    view.close();
    const expected = [0, 1, 2].map((slot) => ({ slot, value: value(slot) }));
    for (const child of others) child.tell('check', expected);
    await Promise.all(others.map((child) => child.reached('checked')));
    for (const each of [name, `${name}-own`]) assert.throws(() => Section.open(each), withCode('ERR_SECTION_NOT_FOUND'));
    await replaced;
  }
}

test(`${ROUNDS} rounds of create, open, write and SIGKILL leave no memory, no name and no wrong byte`, async (t) => {
  const scratch = sharedFolder(t);
  // In a group of their own nobody else's memory is counted with theirs.
  const group = noControlGroups ? null : new ControlGroup(t, 'races');
  const shared = () => group?.sharedMemory() ?? platform.sharedMemory();
  const before = shared();
  const race = new Race(t, scratch, group?.wrapper ?? []);
  await race.fill();
  const started = performance.now();
  for (let number = 0; number < ROUNDS; number++) await race.round(number);
  t.diagnostic(`${((performance.now() - started) / ROUNDS).toFixed(1)} ms a round`);
  await race.end();
  assert.deepEqual(platform.holders(`round-${process.pid}-`, SIZE), []);
  await eventually('the shared memory is as before', () => shared() - before < (group === null ? 32 * MiB : MiB), 30_000);
  assert.equal(platform.localNames(scratch), 0);
});
