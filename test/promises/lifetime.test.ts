/**
 * Promise 2, nothing outlives its last user: name and memory go with the last handle and view, however
 * the processes that had them end. The memory is looked for in every process, and in the machine's count.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Section } from 'sectile';
import holders from '../fixtures/holders.js';
import { type Child, run, sharedScratch, start } from '../support/child.js';
import { ControlGroup, noControlGroups } from '../support/control-group.js';
import { withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';
import { eventually } from '../support/processes.js';

const PAGE = 4096;
const MiB = 1024 * 1024;
/** Sizes that nothing else has. */
const LARGE = 512 * MiB + 37 * PAGE;
const SMALL = MiB + 37 * PAGE;
let names = 0;

/** A scratch folder whose registry this process uses as well. */
function sharedFolder(t: TestContext): { scratch: string; name: string } {
  const scratch = sharedScratch(t);
  return { scratch, name: `lifetime-${process.pid}-${++names}` };
}

async function assertNothingLeft(name: string, scratch: string): Promise<void> {
  await eventually('no process has the memory', () => platform.holders(name, SMALL).length === 0);
  assert.throws(() => Section.open(name), withCode('ERR_SECTION_NOT_FOUND'));
  const again = Section.create({ name, size: PAGE });
  assert.equal(again.map().bytes[0], 0);
  again.close();
  assert.equal(platform.localNames(scratch), 0, 'no name is left');
}

async function holding(t: TestContext, scratch: string, ...args: unknown[]): Promise<Child> {
  const child = start(t, holders, 'holds a section until it is killed', { scratch, args });
  await child.reached('held');
  return child;
}

test('SIGKILL of the only holder frees name and memory', async (t) => {
  const { scratch, name } = sharedFolder(t);
  const child = await holding(t, scratch, name, SMALL);
  assert.deepEqual(platform.holders(name, SMALL), [child.pid]);
  assert.equal((await child.kill('SIGKILL')).signal, 'SIGKILL');
  await assertNothingLeft(name, scratch);
});

test('memory counts for the machine while a process holds it, and no longer', {
  skip: platform.lacks.countedMemory,
}, async (t) => {
  const { scratch, name } = sharedFolder(t);
  // In a group of its own nobody else's memory is counted with it.
  const group = noControlGroups ? null : new ControlGroup(t, 'holder');
  const shared = () => group?.sharedMemory() ?? platform.sharedMemory();
  const before = shared();
  const child = start(t, holders, 'holds a section until it is killed', {
    scratch,
    args: [name, LARGE],
    wrapper: group?.wrapper ?? [],
  });
  await child.reached('held');
  assert.ok(shared() - before > 400 * MiB, 'the memory counts while it is held');
  await child.kill('SIGKILL');
  await eventually('the shared memory is as before', () => shared() - before < (group === null ? 100 * MiB : MiB));
});

test('SIGKILL of one of two holders leaves the other everything', async (t) => {
  const { scratch, name } = sharedFolder(t);
  const creator = await holding(t, scratch, name, SMALL);
  const section = Section.open(name);
  const view = section.map();
  view.bytes[5] = 77;
  await creator.kill('SIGKILL');
  const opener = Section.open(name);
  assert.equal(opener.map().bytes[5], 77);
  opener.close();
  section.close();
  view.close();
  await assertNothingLeft(name, scratch);
});

test('while a killed holder ends, its name is there or not, and nothing else', async (t) => {
  for (let round = 0; round < 10; round++) {
    const { scratch, name } = sharedFolder(t);
    const holder = await holding(t, scratch, name, SMALL);
    holder.process.kill('SIGKILL');
    for (;;) {
      try {
        Section.open(name).close();
      } catch (error) {
        withCode('ERR_SECTION_NOT_FOUND')(error);
        break;
      }
    }
    await holder.ended;
  }
});

test('the name dies with the last handle while views live on', async (t) => {
  const { scratch, name } = sharedFolder(t);
  const section = Section.create({ name, size: PAGE });
  const view = section.map();
  view.bytes[0] = 9;
  section.close();
  assert.throws(() => Section.open(name), withCode('ERR_SECTION_NOT_FOUND'));
  const successor = Section.create({ name, size: PAGE });
  assert.equal(successor.map().bytes[0], 0, 'a new object');
  assert.equal(view.bytes[0], 9);
  view.bytes[0] = 10;
  assert.equal(successor.map().bytes[0], 0);
  successor.close();
  view.close();
  assert.throws(() => Section.open(name), withCode('ERR_SECTION_NOT_FOUND'));
  await run(t, holders, 'ends without closing anything', { scratch, args: [name, PAGE] });
});

test('a process that only has views keeps the memory, not the name; SIGKILL frees it', async (t) => {
  const { scratch, name } = sharedFolder(t);
  const child = await holding(t, scratch, name, SMALL, 'closed-section');
  assert.throws(() => Section.open(name), withCode('ERR_SECTION_NOT_FOUND'));
  assert.deepEqual(platform.holders(name, SMALL), [child.pid]);
  await child.kill('SIGKILL');
  await assertNothingLeft(name, scratch);
});

for (const title of ['ends without closing anything', 'calls process.exit'] as const) {
  test(`a process that ${title} leaves nothing`, async (t) => {
    const { scratch, name } = sharedFolder(t);
    await run(t, holders, title, { scratch, args: [name, SMALL] });
    await assertNothingLeft(name, scratch);
  });
}

for (const title of ['throws an error that nobody catches', 'calls process.abort', 'runs out of heap'] as const) {
  test(`a process that ${title} leaves nothing`, async (t) => {
    const { scratch, name } = sharedFolder(t);
    const child = start(t, holders, title, { scratch, args: [name, SMALL], execArgv: ['--max-old-space-size=40'] });
    const { code, signal } = await child.ended;
    assert.ok(code !== 0 || signal !== null);
    await assertNothingLeft(name, scratch);
  });
}

for (const signals of [['SIGTERM'], ['SIGINT'], ['SIGQUIT'], ['SIGHUP', 'SIGSEGV', 'SIGBUS']] as const) {
  test(`${signals.join(', ')}: leaves nothing`, { skip: platform.lacks.signal(signals[0]) }, async (t) => {
    for (const signal of signals) {
      const { scratch, name } = sharedFolder(t);
      const child = await holding(t, scratch, name, SMALL, 'read-view');
      const ending = await child.kill(signal);
      assert.ok(platform.endedBy(ending, signal), `ended by ${ending.signal}`);
      await assertNothingLeft(name, scratch);
    }
  });
}

test('a Worker that is terminated takes what it held with it', async (t) => {
  const { scratch, name } = sharedFolder(t);
  const child = start(t, holders, 'ends in a Worker that holds it', { scratch, args: [name] });
  await child.reached('held');
  Section.open(name).close();
  child.tell('terminate');
  await child.reached('terminated');
  await assertNothingLeft(name, scratch);
  child.tell('end');
  await child.endsWell();
});
