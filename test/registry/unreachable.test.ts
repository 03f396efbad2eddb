/**
 * Holders that cannot be reached, in another PID namespace or behind a hidden /proc entry, are a clear
 * error for who opens and for who creates: never a second object under the same name.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { test } from 'node:test';
import users from '../fixtures/registry-users.js';
import { type Child, notRoot, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { platform } from '../support/platform.js';
import { NOBODY } from '../support/system.js';

const newNamespace = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];

async function assertUnreachable(child: Child, why: RegExp): Promise<void> {
  const answers = (await child.reached('answers')) as Record<string, string>;
  assert.match(answers['open'] ?? '', /^ERR_SECTION_HOLDER_UNREACHABLE: /);
  assert.match(answers['open'] ?? '', why);
  assert.match(answers['either'] ?? '', /^ERR_SECTION_HOLDER_UNREACHABLE: /);
  assert.match(answers['create'] ?? '', /^ERR_SECTION_(HOLDER_UNREACHABLE|EXISTS): /);
  await child.endsWell();
}

for (const [where, holderWrapper, openerWrapper] of [
  ['outside, opened from inside', [], newNamespace],
  ['inside, opened from outside', newNamespace, []],
  ['inside one, opened from another', newNamespace, newNamespace],
] as const) {
  test(`a holder in another PID namespace: ${where}`, { skip: notRoot || platform.lacks.hiddenHolders }, async (t) => {
    const scratch = scratchFolder(t);
    const holder = start(t, users, 'holds a name', { scratch, args: ['apart'], wrapper: holderWrapper });
    await holder.reached('held');
    await assertUnreachable(
      start(t, users, 'tries to open and to create', { scratch, args: ['apart'], wrapper: openerWrapper }),
      /another PID namespace/,
    );
    holder.tell('end');
    await holder.endsWell();
    // With the holder the name goes, whoever looks.
    const next = start(t, users, 'holds a name', { scratch, args: ['apart'], wrapper: openerWrapper });
    assert.equal(await next.reached('held'), 42);
    next.tell('end');
    await next.endsWell();
  });
}

test('two processes within one PID namespace of their own share names', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  const child = start(t, users, 'holds a name', { scratch, args: ['inner'], wrapper: newNamespace });
  assert.equal(await child.reached('held'), 42);
  child.tell('end');
  await child.endsWell();
});

test('a holder that dropped root without exec hides its memory from its own user', {
  skip: notRoot || platform.lacks.hiddenHolders,
}, async (t) => {
  const scratch = scratchFolder(t);
  mkdirSync(runtimeFolder(scratch));
  chmodSync(runtimeFolder(scratch), 0o1777);
  const holder = start(t, users, 'drops root without exec, then holds a name', {
    scratch,
    args: ['hidden', NOBODY.uid],
    env: { SECTILE_RUNTIME_DIR: `${scratch}/run` },
  });
  await holder.reached('held');
  await assertUnreachable(
    start(t, users, 'tries to open and to create', { scratch, args: ['hidden'], ...NOBODY }),
    /does not let its descriptors be opened.*Global/s,
  );
  holder.tell('end');
  await holder.endsWell();
  const next = start(t, users, 'holds a name', { scratch, args: ['hidden'], ...NOBODY });
  await next.reached('held');
  next.tell('end');
  await next.endsWell();
});
