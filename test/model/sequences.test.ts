/**
 * Random sequences of calls by several applications and one driver, on names they share: every status
 * must be the reference's, and after each sequence nothing may be left, though processes were killed.
 * SECTILE_TEST_SEQUENCES says how many: 300 by default, 2,000 in CI, 100,000 for a night.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { listLocal } from '../../dist/namespace/local.js';
import type { ObjectDirectory } from '../../dist/system/objects.js';
import { runSystem } from '../../dist/system/run.js';
import { runtimeDirectory } from '../nt/runtime.js';
import { type Child, scratchFolder, start } from '../support/child.js';
import { descriptors, eventually, mappings } from '../support/processes.js';
import { Caller } from './caller.js';
import { type Call, KERNEL, sequences, USERS } from './operations.js';
import { type Answer, Reference } from './reference.js';
import user from './user.js';

const SEQUENCES = Number(process.env['SECTILE_TEST_SEQUENCES'] ?? 300);
const SEED = process.env['SECTILE_TEST_SEED'];
/** Looking at all mappings takes a while: after every so many sequences. */
const BETWEEN_LOOKS = 50;
/** By then the runtime has opened what it keeps; a process that took a killed one's place may not be connected yet. */
const WARM = 40;
const MEMORY = 'memfd:sectile';

const system = (await runSystem({})) as Awaited<ReturnType<typeof runSystem>> & {
  readonly directory: ObjectDirectory;
};
after(() => system.stop());
const kernel = new Caller(await import('sectile/ntddk'));

test(`${SEQUENCES} random sequences of calls agree with the reference, and leave nothing`, async (t) => {
  const scratch = scratchFolder(t);
  const begin = async (): Promise<Child> => {
    const child = start(t, user, 'calls as it is told', {
      scratch,
      env: { SECTILE_RUNTIME_DIR: runtimeDirectory },
      timeout: 3_600_000,
    });
    await child.reached('ready');
    return child;
  };
  const users: Child[] = [];
  for (let number = 0; number < USERS; number++) users.push(await begin());
  let count = 0;
  let warm = 0;

  const act = async (call: Call): Promise<Answer> => {
    if (call.process === KERNEL) return kernel.do(call);
    const child = users[call.process] as Child;
    if (call.call !== 'kill') {
      child.tell('call', call);
      return (await child.reached('answer')) as Answer;
    }
    const pid = child.process.pid as number;
    child.process.kill('SIGKILL');
    assert.equal((await child.ended).signal, 'SIGKILL');
    // Of a global name's holder the system process hears in a moment of its own.
    await eventually('the system process hears of the end', () => !holders().includes(pid));
    users[call.process] = await begin();
    return { status: 'STATUS_SUCCESS' };
  };
  const holders = () => system.directory.list().flatMap((each) => [...each.holders.keys()].map((holder) => holder.pid));

  const reset = async (): Promise<void> => {
    kernel.reset();
    for (const child of users) child.tell('reset');
    for (const child of users) await child.reached('reset');
    assert.equal(system.directory.size, 0, 'names in the system process');
    // A record whose holders were killed names nothing any more; whoever looks clears it away.
    assert.deepEqual(listLocal('look'), { objects: [], problems: [] });
    const records = readdirSync(runtimeDirectory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.object'),
    );
    assert.deepEqual(records, [], 'records of local names');
    const pids = [...users.map(({ process: { pid } }) => pid as number), process.pid];
    for (const pid of pids)
      assert.deepEqual(
        descriptors(pid).filter((each) => each.includes(MEMORY)),
        [],
        'descriptors',
      );
    if (++count === WARM) warm = descriptors().length;
    if (count % BETWEEN_LOOKS !== 0) return;
    for (const pid of pids) assert.deepEqual(mappings(MEMORY, pid), [], 'mappings');
  };

  const property = fc.asyncProperty(sequences, async (calls) => {
    const reference = new Reference(USERS + 1);
    const story: string[] = [];
    try {
      for (const call of calls) {
        const expected = reference.answer(call);
        if (expected === null) continue;
        const got = await act(call);
        story.push(`${JSON.stringify(call)} -> ${JSON.stringify(got)}`);
        assert.deepEqual(got, expected, story.join('\n'));
      }
    } finally {
      await reset();
    }
  });
  const seed = SEED === undefined ? {} : { seed: Number(SEED) };
  await fc.assert(property, { numRuns: SEQUENCES, interruptAfterTimeLimit: 3_000_000, markInterruptAsFailure: true, ...seed });

  const isAsBefore = () => count < WARM || descriptors().length <= warm + USERS;
  await eventually('descriptors are as many as they were', isAsBefore);
  for (const child of users) child.tell('end');
  for (const child of users) await child.endsWell();
  assert.deepEqual(
    readdirSync(join(runtimeDirectory)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});
