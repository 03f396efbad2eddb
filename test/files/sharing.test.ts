/**
 * Sharing between processes: which handles stand in each other's way, and that a killed holder stands in
 * nobody's.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as w from 'sectile/kernel32';
import { runtimeDirectory } from '../nt/runtime.js';
import { scratchFolder } from '../support/child.js';
import { Peer } from './peer.js';

const NONE = w.INVALID_HANDLE_VALUE;

/** The three kinds of access, each with what allows it to others. */
const kinds = [
  { access: w.FILE_READ_DATA, share: w.FILE_SHARE_READ },
  { access: w.FILE_WRITE_DATA, share: w.FILE_SHARE_WRITE },
  { access: w.DELETE, share: w.FILE_SHARE_DELETE },
] as const;
const subsets = [0, 1, 2, 3, 4, 5, 6, 7];
const union = (subset: number, field: 'access' | 'share'): number =>
  kinds.reduce((bits, kind, index) => bits | ((subset >> index) & 1 ? kind[field] : 0), 0);

/** Every kind of access that either has, the other must share; who has none is in nobody's way. */
function compatible(first: [access: number, share: number], second: [access: number, share: number]): boolean {
  if (first[0] === 0 || second[0] === 0) return true;
  return (first[0] & ~second[1]) === 0 && (second[0] & ~first[1]) === 0;
}

test('all combinations of access and sharing of two processes', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  writeFileSync(path, 'content');
  const peer = await Peer.start(t, scratch, runtimeDirectory);
  const wrong: string[] = [];
  for (const [access, share] of subsets.flatMap((a) => subsets.map((s) => [a, s] as [number, number]))) {
    const theirs = await peer.open(path, union(access, 'access'), union(share, 'share'));
    assert.notEqual(theirs, NONE);
    for (const [ownAccess, ownShare] of subsets.flatMap((a) => subsets.map((s) => [a, s] as [number, number]))) {
      const own = w.CreateFile(path, union(ownAccess, 'access'), union(ownShare, 'share'), null, w.OPEN_EXISTING, 0);
      const expected = compatible([access, share], [ownAccess, ownShare]);
      const error = own === NONE ? w.GetLastError() : 0;
      if (own !== NONE) w.CloseHandle(own);
      if (error !== (expected ? 0 : w.ERROR_SHARING_VIOLATION))
        wrong.push(`${access}/${share} then ${ownAccess}/${ownShare}: ${error}`);
    }
    await peer.close(theirs);
  }
  assert.deepEqual(wrong, []);
});

test('handles of one process stand in each other’s way as those of two do', (t) => {
  const path = join(scratchFolder(t), 'file');
  const first = w.CreateFile(path, w.GENERIC_WRITE, w.FILE_SHARE_READ, null, w.CREATE_NEW, 0);
  assert.equal(w.CreateFile(path, w.GENERIC_READ, w.FILE_SHARE_READ, null, w.OPEN_EXISTING, 0), NONE);
  assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
  const second = w.CreateFile(path, w.GENERIC_READ, w.FILE_SHARE_READ | w.FILE_SHARE_WRITE, null, w.OPEN_EXISTING, 0);
  assert.notEqual(second, NONE);
  // Execution counts as reading, appending as writing.
  assert.equal(w.CreateFile(path, w.FILE_APPEND_DATA, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.ok(w.CloseHandle(first) && w.CloseHandle(second));
});

test('a duplicate keeps the file in use until it is closed as well', (t) => {
  const path = join(scratchFolder(t), 'file');
  const first = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.CREATE_NEW, 0);
  const second = w.DuplicateHandle(w.GetCurrentProcess(), first, w.GetCurrentProcess(), 0, false, 2);
  assert.equal(w.WriteFile(first, Buffer.from('abc')), 3);
  // They share one file object, and so its position.
  assert.equal(w.SetFilePointerEx(second, 0, w.FILE_CURRENT), 3);
  assert.ok(w.CloseHandle(first));
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.ok(w.CloseHandle(second));
  const third = w.CreateFile(path, w.GENERIC_READ, 0, null, w.OPEN_EXISTING, 0);
  assert.notEqual(third, NONE);
  w.CloseHandle(third);
});

test('a holder that is killed is in nobody’s way, and leaves nothing', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  writeFileSync(path, 'content');
  const peer = await Peer.start(t, scratch, runtimeDirectory);
  assert.notEqual(await peer.open(path, w.GENERIC_READ | w.GENERIC_WRITE, 0), NONE);
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
  await peer.child.kill();
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.OPEN_EXISTING, 0);
  assert.notEqual(file, NONE);
  w.CloseHandle(file);
  assert.deepEqual(usesKnown(), []);
});

/** The registry's files of files in use. */
function usesKnown(): string[] {
  const folder = join(runtimeDirectory, `local-${process.geteuid?.()}`);
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.file')) : [];
}

test('deleting waits for the last handle, and lets nobody in meanwhile', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  writeFileSync(path, 'content');
  const peer = await Peer.start(t, scratch, runtimeDirectory);
  const shared = await peer.open(path, w.GENERIC_READ, 7);
  assert.ok(w.DeleteFile(path));
  assert.ok(existsSync(path));
  assert.equal(w.CreateFile(path, 0, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  await peer.close(shared);
  assert.ok(!existsSync(path));
  // Who does not share deleting forbids it.
  writeFileSync(path, 'again');
  const unshared = await peer.open(path, w.GENERIC_READ, w.FILE_SHARE_READ);
  assert.ok(!w.DeleteFile(path));
  assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
  await peer.close(unshared);
  assert.ok(w.DeleteFile(path));
  assert.ok(!existsSync(path));
});

test('a file that is deleted on close goes with the handle, and with its killed process at the next look', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  const own = w.CreateFile(path, w.GENERIC_WRITE, 7, null, w.CREATE_NEW, w.FILE_FLAG_DELETE_ON_CLOSE);
  const other = w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0);
  assert.notEqual(other, NONE);
  assert.ok(w.CloseHandle(own) && existsSync(path));
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.ok(w.CloseHandle(other) && !existsSync(path));

  const peer = await Peer.start(t, scratch, runtimeDirectory);
  assert.notEqual(await peer.open(path, w.GENERIC_WRITE, 7, w.CREATE_NEW, w.FILE_FLAG_DELETE_ON_CLOSE), NONE);
  await peer.child.kill();
  assert.ok(existsSync(path));
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.equal(w.GetLastError(), w.ERROR_FILE_NOT_FOUND);
  assert.ok(!existsSync(path));
  assert.deepEqual(usesKnown(), []);
});

test('what a killed process was to delete is not another file in the same place', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  const peer = await Peer.start(t, scratch, runtimeDirectory);
  assert.notEqual(await peer.open(path, w.GENERIC_WRITE, 7, w.CREATE_NEW, w.FILE_FLAG_DELETE_ON_CLOSE), NONE);
  await peer.child.kill();
  // The new file may get the old one's number: its birth tells them apart.
  const { rmSync } = await import('node:fs');
  rmSync(path);
  writeFileSync(path, 'mine');
  const file = w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0);
  if (file !== NONE) w.CloseHandle(file);
  assert.ok(existsSync(path));
});

test('a child that inherits a file’s handle uses the file as this process does', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  const before = usesKnown();
  writeFileSync(path, 'content');
  const handle = w.CreateFile(path, w.GENERIC_READ | w.DELETE, 0, { bInheritHandle: true }, w.OPEN_EXISTING, 0);
  assert.equal(w.ReadFile(handle, Buffer.alloc(3)), 3);
  const peer = await Peer.inheriting(t, scratch, runtimeDirectory);
  assert.ok(w.CloseHandle(handle));
  // It goes on with the same value, the same rights, and nobody else let in.
  assert.equal((await peer.win32('ReadFile', handle, new Uint8Array(10))).value, 4);
  assert.equal((await peer.win32('WriteFile', handle, new Uint8Array(1))).lastError, w.ERROR_ACCESS_DENIED);
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
  assert.equal(((await peer.nt('NtSetInformationFile', handle, { DeleteFile: true }, 13)) as { status: number }).status, 0);
  await peer.close(handle);
  assert.ok(!existsSync(path));
  assert.deepEqual(
    usesKnown().filter((each) => !before.includes(each)),
    [],
  );
});

test('an inherited handle keeps the file from others until both have gone, killed or not', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  const before = usesKnown();
  writeFileSync(path, 'content');
  const free = () => {
    const file = w.CreateFile(path, w.GENERIC_READ, 0, null, w.OPEN_EXISTING, 0);
    return file !== NONE && w.CloseHandle(file);
  };
  const handle = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, { bInheritHandle: true }, w.OPEN_EXISTING, 0);
  const peer = await Peer.inheriting(t, scratch, runtimeDirectory);
  await peer.child.kill();
  assert.equal(free(), false);
  w.SetFilePointerEx(handle, 3, w.FILE_BEGIN);
  assert.ok(w.SetEndOfFile(handle));
  assert.ok(w.CloseHandle(handle) && free());
  assert.deepEqual(
    usesKnown().filter((each) => !before.includes(each)),
    [],
  );
});

test('a file that a killed process was to delete goes when the next one comes', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  const first = await Peer.start(t, scratch, runtimeDirectory);
  assert.notEqual(await first.open(path, w.GENERIC_WRITE, 7, w.CREATE_NEW, w.FILE_FLAG_DELETE_ON_CLOSE), NONE);
  await first.child.kill();
  const second = await Peer.start(t, scratch, runtimeDirectory);
  assert.notEqual(await second.open(join(scratch, 'other'), w.GENERIC_WRITE, 7, w.CREATE_NEW), NONE);
  assert.ok(!existsSync(path));
});
