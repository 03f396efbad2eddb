/**
 * A record whose security descriptor changes while processes hold its name: every changed byte of it is
 * noticed, a record of an earlier version says so, and a writer that is killed leaves the old descriptor or
 * the new one.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Section } from 'sectile';
import { openObject } from '../../dist/system/lookup.js';
import objects from '../fixtures/objects.js';
import { runtimeFolder, scratchFolder, start } from '../support/child.js';
import { withCode } from '../support/errors.js';

const MAXIMUM_ALLOWED = 0x0200_0000;
const ROUNDS = Math.ceil(Number(process.env['SECTILE_TEST_ROUNDS'] ?? 300) / 30);
const DAMAGED = withCode('ERR_SECTION_REGISTRY_DAMAGED', /damaged.*remove the file/s);

function place(t: TestContext): { scratch: string; file(leaf: string): string } {
  const scratch = scratchFolder(t);
  process.env['SECTILE_RUNTIME_DIR'] = runtimeFolder(scratch);
  const folder = join(runtimeFolder(scratch), `local-${process.geteuid?.()}`);
  return { scratch, file: (leaf) => join(folder, `${createHash('sha256').update(leaf, 'utf16le').digest('hex')}.object`) };
}

const open = (leaf: string) => openObject('test', { scope: 'local', leaf, full: `Local\\${leaf}` }, null, MAXIMUM_ALLOWED);

/** A byte of a file, changed for as long as something is looked at. */
function withByte(path: string, at: number, look: () => void): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  assert.equal(readSync(fd, byte, 0, 1, at), 1);
  writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 0x41]), 0, 1, at);
  look();
  writeSync(fd, byte, 0, 1, at);
  closeSync(fd);
}

test('every byte of a record with a changed descriptor, changed in turn', (t) => {
  const { file } = place(t);
  using section = Section.create({ name: 'changed', size: 4096 });
  const path = file('changed');
  const slots = statSync(path).size - 32;
  const handle = open('changed');
  const texts = ['D:(A;;GA;;;WD)', 'D:(A;;GA;;;WD)(A;;GR;;;BU)', `D:(A;;GA;;;WD)${'(A;;GR;;;BU)'.repeat(1000)}`];
  for (const text of texts) {
    handle.setSecurity(text);
    assert.ok(handle.security().endsWith(text));
    const { size } = statSync(path);
    // The record, and the end of the file: the spares come last, and the first text is in the first of them.
    const isLast = text !== texts[2];
    const places = [...Array.from({ length: slots }, (_, at) => at), ...(isLast ? [size - 1] : [])];
    for (const at of places) {
      withByte(path, at, () => {
        assert.throws(() => Section.open('changed'), DAMAGED, `byte ${at}`);
        assert.throws(() => Section.create({ name: 'changed', size: 4096 }), DAMAGED, `byte ${at}`);
        assert.throws(() => handle.security(), DAMAGED, `byte ${at}`);
      });
    }
    Section.open('changed').close();
  }
  handle.close();
  assert.equal(section.closed, false);
});

test('a record of an earlier version says so', (t) => {
  const { file } = place(t);
  Section.create({ name: 'first', size: 4096 }).close();
  const old = Buffer.alloc(256);
  old.write('SECTILE\0', 'latin1');
  old.writeUInt32LE(1, 8);
  writeFileSync(file('old'), old, { mode: 0o600 });
  for (const call of [() => Section.open('old'), () => Section.create({ name: 'old', size: 4096 })])
    assert.throws(call, withCode('ERR_SECTION_REGISTRY_DAMAGED', /version 1, this Sectile knows 2.*remove the file/s));
});

test('a writer that is killed leaves one descriptor or the other', async (t) => {
  const { scratch } = place(t);
  using section = Section.create({ name: 'torn', size: 4096, security: 'O:S-1-22-1-0G:S-1-22-2-0D:(A;;GA;;;WD)' });
  const owner = 'O:S-1-22-1-0G:S-1-22-2-0';
  const texts = ['D:(A;;GA;;;WD)', `D:(A;;GA;;;WD)${'(A;;GR;;;BU)'.repeat(1000)}`, 'D:(A;;GA;;;WD)(A;;GR;;;BU)'];
  const handle = open('torn');
  let seen = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const child = start(t, objects, 'changes security until it is killed', { scratch, args: ['torn', texts] });
    await child.reached('ready');
    for (const until = performance.now() + Math.random() * 5; performance.now() < until; seen++)
      assert.ok(texts.includes(handle.security().slice(owner.length)));
    assert.equal((await child.kill('SIGKILL')).signal, 'SIGKILL');
    assert.ok(texts.includes(handle.security().slice(owner.length)), `round ${round}`);
    Section.open('torn').close();
  }
  t.diagnostic(`${ROUNDS} writers killed, ${seen} looks while they wrote`);
  handle.setSecurity('D:P');
  assert.equal(handle.security(), `${owner}D:P`);
  handle.close();
  assert.equal(section.closed, false);
});
