/**
 * Promise 4, failure comes early and says why: where memory, disk or large pages do not suffice, create
 * fails with its own error; the process is never killed for it, and nothing is left half done.
 */
import { test } from 'node:test';
import limited from '../fixtures/limited.js';
import { run, scratchFolder, start } from '../support/child.js';
import { ControlGroup, noControlGroups } from '../support/control-group.js';
import { platform } from '../support/platform.js';

const MiB = 1024 * 1024;
const LIMIT = 96 * MiB;

test('a memory limit of the control group is an error at create', { skip: noControlGroups }, async (t) => {
  const group = new ControlGroup(t, 'limit');
  group.limit(LIMIT);
  const child = start(t, limited, 'asks for more than its control group allows', { wrapper: group.wrapper, args: [LIMIT] });
  await child.reached('alive');
  await child.endsWell();
});

for (const title of ['grows files on a small disk', 'writes to holes that a small disk has no room for']) {
  test(title, { skip: platform.lacks.smallDisk }, async (t) => {
    await run(t, limited, title, { wrapper: platform.smallDisk });
  });
}

test('more memory than any machine has is an error at create', async (t) => {
  await run(t, limited, 'asks for more than any machine has');
});

test('large pages that are not there are an error that says how to get them', async (t) => {
  if (platform.largePages.setAside() !== 0) return t.skip('the host has large pages');
  await run(t, limited, 'asks for large pages where none are set aside');
});

test('large pages are used where the host has them', {
  skip: Number.isNaN(platform.largePages.setAside()) || platform.lacks.largePages,
}, async (t) => {
  const lack = platform.largePages.setAsideMore(t, 6);
  if (lack !== null) return t.skip(lack);
  await run(t, limited, 'uses large pages', { scratch: scratchFolder(t) });
});
