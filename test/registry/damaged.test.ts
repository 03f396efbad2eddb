/**
 * A registry that somebody damaged by hand is an error that says so: for every byte of a record, for files
 * that are cut short, replaced or exchanged. Never a crash, never a second object under the same name.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Section, SectionError } from 'sectile';
import users from '../fixtures/registry-users.js';
import { notRoot, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { withCode } from '../support/errors.js';

const DAMAGED = withCode('ERR_SECTION_REGISTRY_DAMAGED', /damaged.*remove the file/s);

interface Place {
  readonly scratch: string;
  readonly run: string;
  readonly folder: string;
  file(name: string): string;
}

function place(t: TestContext): Place {
  const scratch = scratchFolder(t);
  const runtime = runtimeFolder(scratch);
  process.env['SECTILE_RUNTIME_DIR'] = runtime;
  const folder = join(runtime, `local-${process.geteuid?.()}`);
  return {
    scratch,
    run: runtime,
    folder,
    file: (name) => join(folder, `${createHash('sha256').update(name, 'utf16le').digest('hex')}.object`),
  };
}

function codeOf(call: () => Section): string {
  try {
    call().close();
    return 'none';
  } catch (error) {
    assert.ok(error instanceof SectionError, `not a SectionError: ${String(error)}`);
    return error.code;
  }
}

/** Overwrites a file in place, as an editor of hex dumps would: its locks stay. */
function overwrite(path: string, bytes: Uint8Array): void {
  writeFileSync(path, bytes, { flag: 'r+' });
}

/** All that must answer with an error while a damaged name is held. */
function assertRefused(name: string): void {
  assert.throws(() => Section.open(name), DAMAGED);
  assert.throws(() => Section.create({ name, size: 4096 }), DAMAGED);
  assert.throws(() => Section.create({ name, size: 4096, ifExists: 'open' }), DAMAGED);
}

test('every byte of a live record, changed in turn', (t) => {
  const { file } = place(t);
  const name = 'flipped';
  using section = Section.create({ name, size: 4096 });
  const path = file(name);
  const good = readFileSync(path);
  const slots = good.length - 32;
  for (let at = 0; at < good.length; at++) {
    for (const change of [0xff, 0x01, 0x80]) {
      const bad = Buffer.from(good);
      bad.writeUInt8((bad.readUInt8(at) ^ change) & 0xff, at);
      overwrite(path, bad);
      const codes = [
        codeOf(() => Section.open(name)),
        codeOf(() => Section.create({ name, size: 4096, ifExists: 'open' })),
        codeOf(() => Section.create({ name, size: 4096 })),
      ];
      // Who only creates looks at the record, which is enough to refuse; the slots concern who opens.
      const expected = [
        'ERR_SECTION_REGISTRY_DAMAGED',
        'ERR_SECTION_REGISTRY_DAMAGED',
        at < slots ? 'ERR_SECTION_REGISTRY_DAMAGED' : 'ERR_SECTION_EXISTS',
      ];
      assert.deepEqual(codes, expected, `byte ${at} changed by ${change}`);
      overwrite(path, good);
    }
  }
  Section.open(name).close();
  assert.equal(section.map().length, 4096);
});

test('a live record that is cut short, anywhere', (t) => {
  const { file } = place(t);
  const name = 'short';
  using section = Section.create({ name, size: 4096 });
  const path = file(name);
  const good = readFileSync(path);
  for (let length = 0; length < good.length; length++) {
    truncateSync(path, length);
    const codes = [codeOf(() => Section.open(name)), codeOf(() => Section.create({ name, size: 4096, ifExists: 'open' }))];
    assert.deepEqual(codes, ['ERR_SECTION_REGISTRY_DAMAGED', 'ERR_SECTION_REGISTRY_DAMAGED'], `${length} bytes left`);
    assert.notEqual(
      codeOf(() => Section.create({ name, size: 4096 })),
      'none',
      `${length} bytes left`,
    );
    overwrite(path, good);
  }
  Section.open(name).close();
  assert.equal(section.closed, false);
});

test('a live record that is overwritten with garbage, or with zeros', (t) => {
  const { file } = place(t);
  const name = 'garbage';
  using section = Section.create({ name, size: 4096 });
  const path = file(name);
  const good = readFileSync(path);
  for (const fill of [0x00, 0x01, 0xff, 0x55]) {
    overwrite(path, Buffer.alloc(good.length, fill));
    assertRefused(name);
  }
  overwrite(path, good);
  const other = Section.create({ name: 'other', size: 4096 });
  overwrite(path, readFileSync(file('other')));
  assertRefused(name);
  other.close();
  overwrite(path, good);
  Section.open(name).close();
  assert.equal(section.name, 'Local\\garbage');
});

test('a dead record that is damaged is no obstacle to nobody: it says so until it is removed', (t) => {
  const { file } = place(t);
  Section.create({ name: 'first', size: 4096 }).close();
  const path = file('dead');
  for (const content of [Buffer.from('garbage'), Buffer.alloc(300, 0xff), Buffer.alloc(5000, 1)]) {
    writeFileSync(path, content, { mode: 0o600 });
    assertRefused('dead');
    rmSync(path);
    Section.create({ name: 'dead', size: 4096 }).close();
  }
  // What a creator that was killed leaves behind.
  writeFileSync(path, '', { mode: 0o600 });
  Section.create({ name: 'dead', size: 4096 }).close();
  writeFileSync(path, Buffer.alloc(400), { mode: 0o600 });
  assert.throws(() => Section.open('dead'), withCode('ERR_SECTION_NOT_FOUND'));
  Section.create({ name: 'dead', size: 4096 }).close();
});

test('something else in the place of the file', (t) => {
  const { file, folder } = place(t);
  Section.create({ name: 'first', size: 4096 }).close();
  const path = file('odd');
  mkdirSync(path);
  assertRefused('odd');
  rmSync(path, { recursive: true });
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, '', { mode: 0o600 });
  symlinkSync(elsewhere, path);
  assertRefused('odd');
  assert.equal(readFileSync(elsewhere, 'utf8'), '', 'nothing was written through the link');
  rmSync(path);
  symlinkSync('/nonexistent', path);
  assertRefused('odd');
  rmSync(path);
  // The file of another name, by a second link or copied: it says whose it is.
  using section = Section.create({ name: 'mine', size: 4096 });
  linkSync(file('mine'), path);
  assertRefused('odd');
  rmSync(path);
  copyFileSync(file('mine'), path);
  chmodSync(path, 0o600);
  assert.throws(() => Section.open('odd'), withCode('ERR_SECTION_NOT_FOUND'), 'nobody holds the copy');
  Section.open('mine').close();
  assert.equal(section.closed, false);
});

test('a file or folder that others could write to, or own', { skip: notRoot }, (t) => {
  const { file, folder, run: runtime } = place(t);
  using section = Section.create({ name: 'owned', size: 4096 });
  const owner = withCode('ERR_SECTION_REGISTRY_OWNER', /65534|mode/);
  const path = file('owned');
  for (const [spoil, mend] of [
    [() => chmodSync(path, 0o666), () => chmodSync(path, 0o600)],
    [() => chmodSync(path, 0o620), () => chmodSync(path, 0o600)],
    [() => chownSync(path, 65534, 65534), () => chownSync(path, 0, 0)],
  ] as const) {
    spoil();
    assert.throws(() => Section.open('owned'), owner);
    assert.throws(() => Section.create({ name: 'owned', size: 4096 }), owner);
    mend();
    Section.open('owned').close();
  }
  for (const [spoil, mend] of [
    [() => chmodSync(folder, 0o755), () => chmodSync(folder, 0o700)],
    [() => chownSync(folder, 65534, 65534), () => chownSync(folder, 0, 0)],
    [() => chownSync(runtime, 65534, 65534), () => chownSync(runtime, 0, 0)],
    [() => chmodSync(runtime, 0o777), () => chmodSync(runtime, 0o755)],
  ] as const) {
    spoil();
    assert.throws(() => Section.create({ name: 'owned', size: 4096 }), owner);
    mend();
    Section.open('owned').close();
  }
  assert.equal(section.closed, false);
});

test('a runtime directory that somebody else owns is refused by a fresh process', { skip: notRoot }, async (t) => {
  const { scratch, run: runtime } = place(t);
  mkdirSync(runtime, { mode: 0o700 });
  chownSync(runtime, 65534, 65534);
  const child = start(t, users, 'tries to open and to create', { scratch, args: ['any'] });
  const answers = (await child.reached('answers')) as Record<string, string>;
  assert.match(answers['create'] ?? '', /^ERR_SECTION_REGISTRY_OWNER: .*belongs to user 65534.*SECTILE_RUNTIME_DIR/);
  assert.match(answers['either'] ?? '', /^ERR_SECTION_REGISTRY_OWNER/);
  await child.endsWell();
});

test('a registry that is moved away, or removed, under a running process', (t) => {
  const { run: runtime, folder } = place(t);
  const before = Section.create({ name: 'before', size: 4096 });
  renameSync(folder, `${folder}-away`);
  const after = Section.create({ name: 'after', size: 4096 });
  Section.open('after').close();
  before.close();
  after.close();
  rmSync(runtime, { recursive: true });
  assert.throws(() => Section.open('after'), withCode('ERR_SECTION_NOT_FOUND'));
  Section.create({ name: 'after', size: 4096 }).close();
});
