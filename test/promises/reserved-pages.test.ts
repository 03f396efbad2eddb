/**
 * Promises 1 and 3 for pages that are only reserved: the commit state is one for all processes, and no
 * access to a page that is not there ends any of them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import reservedPages from '../fixtures/reserved-pages.js';
import { run, scratchFolder, start } from '../support/child.js';
import { platform } from '../support/platform.js';

test('a commit is seen by other processes, both ways, also by and from who may only read', {
  skip: platform.lacks.commitByReading,
}, async (t) => {
  const scratch = scratchFolder(t);
  const args = ['commits'];
  const owner = start(t, reservedPages, 'the owner: sees what others commit, and commits for them', { scratch, args });
  await owner.reached('created');
  const reader = start(t, reservedPages, 'a reader: commits by a handle that may only read', { scratch, args });
  await reader.reached('committed');
  owner.tell('the reader has committed');
  await owner.reached('committed');
  reader.tell('the owner has committed');
  await reader.endsWell();
  owner.tell('end');
  await owner.endsWell();
});

test('a committer that is killed leaves pages that are committed or not, and nothing between', async (t) => {
  const scratch = scratchFolder(t);
  const args = ['killed'];
  const survivor = start(t, reservedPages, 'outlives a committer that is killed', { scratch, args });
  await survivor.reached('created');
  const committer = start(t, reservedPages, 'a committer that is killed', { scratch, args });
  await committer.reached('committing');
  assert.equal((await committer.kill()).signal, 'SIGKILL');
  survivor.tell('it is dead');
  await survivor.endsWell();
});

for (const title of reservedPages.titles.slice(-3)) {
  test(title, async (t) => {
    await run(t, reservedPages, title);
  });
}
