/**
 * What a process gets who takes a handle from another user's process that lies: nothing, and nothing of its
 * own is lost by it.
 */
import assert from 'node:assert/strict';
import { chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { statusName } from '../../dist/base/status.js';
import hostilePeers from '../fixtures/hostile-peers.js';
import { runtimeDirectory } from '../nt/runtime.js';
import { scratchFolder, start } from '../support/child.js';
import { descriptors } from '../support/processes.js';
import { NOBODY } from '../support/system.js';

const skip = process.geteuid?.() !== 0 && 'needs root: the liar is another user';

/** Takes a handle from a process of another user that answers with this; what the duplicate is, or its status. */
async function takenFrom(t: TestContext, answer: unknown, files: readonly string[]): Promise<number | string> {
  const liar = start(t, hostilePeers, 'lies at its door', NOBODY);
  liar.tell('answer', { answer, files });
  await liar.reached('ready');
  const process_ = n.NtOpenProcess(n.PROCESS_DUP_HANDLE, null, { UniqueProcess: liar.pid });
  assert.equal(statusName(process_.status), 'STATUS_SUCCESS');
  const { status, targetHandle } = n.NtDuplicateObject(
    process_.processHandle,
    4,
    w.GetCurrentProcess(),
    0,
    0,
    n.DUPLICATE_SAME_ACCESS,
  );
  w.CloseHandle(process_.processHandle);
  await liar.kill();
  return status === 0 ? targetHandle : statusName(status);
}

test("no file is deleted by what another user's process says of it", { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const [theirs, registry, ours] = ['theirs', 'registry', 'ours'].map((name) => join(scratch, name)) as [string, string, string];
  for (const path of [theirs, registry, ours]) writeFileSync(path, '');
  for (const path of [theirs, registry]) chownSync(path, NOBODY.uid, NOBODY.gid);
  // To be deleted with its last user, it says: a file of ours.
  const { dev, ino, birthtimeNs } = statSync(ours, { bigint: true });
  const head = Buffer.alloc(11);
  head[0] = 'P'.charCodeAt(0);
  head.writeUInt16LE(ours.length, 1);
  head.writeBigUInt64LE(birthtimeNs, 3);
  writeFileSync(registry, Buffer.concat([head, Buffer.from(ours)]));
  const victims = [ours, join(runtimeDirectory, 'victim')];
  writeFileSync(victims[1] as string, '');
  for (const path of victims) {
    const use = { device: String(dev), inode: String(ino), path, marks: [0], deletesOnClose: false };
    const facts = { path: theirs, kind: 'file', synchronous: true, position: 0, use };
    const before = descriptors().length;
    const taken = await takenFrom(
      t,
      { status: 0, type: 'File', facts, object: 'x', granted: 0x1f01ff, inherit: false, protectedFromClose: false },
      [theirs, registry],
    );
    if (typeof taken === 'number') w.CloseHandle(taken);
    assert.deepEqual(victims.map(existsSync), [true, true]);
    assert.equal(taken, 'STATUS_OBJECT_NAME_NOT_FOUND');
    assert.equal(descriptors().length, before);
  }
});

test('nonsense from a door is a status', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const file = join(scratch, 'file');
  writeFileSync(file, '');
  chownSync(file, NOBODY.uid, NOBODY.gid);
  const taken = { status: 0, object: 'x', granted: 0x1f0fff, inherit: false, protectedFromClose: false };
  const unnamed = {
    place: 'unnamed',
    kind: 'Section',
    identity: 'x',
    exclusive: false,
    security: 'D:',
    granted: 6,
    backing: 'pagefile',
    size: 4096,
    pageSize: 4096,
    facts: { size: 4096, pageProtection: 4, attributes: 0x0800_0000, soleWriter: false },
  };
  const cases: readonly (readonly [unknown, readonly string[]])[] = [
    [null, [file]],
    [{ status: 'x' }, [file]],
    [{ ...taken, type: 'None', facts: null }, [file]],
    [{ ...taken, type: 'File', facts: { path: 1 } }, [file, file]],
    [{ ...taken, type: 'Section', facts: { place: 'unnamed' } }, [file]],
    [{ ...taken, type: 'Section', facts: { ...unnamed, pageSize: 3 } }, [file]],
    [{ ...taken, type: 'Event', facts: { ...unnamed, kind: 'Event', size: -1 } }, [file]],
    // A process, and the number of another; no process at all.
    [{ ...taken, type: 'Process', facts: { pid: process.ppid } }, ['itself']],
    [{ ...taken, type: 'Process', facts: { pid: process.ppid } }, [file]],
  ];
  const before = descriptors().length;
  for (const [answer, files] of cases) {
    assert.equal(await takenFrom(t, answer, files), 'STATUS_UNSUCCESSFUL', JSON.stringify(answer));
    assert.equal(descriptors().length, before);
  }
});
