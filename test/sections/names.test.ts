/**
 * Local names: case-sensitive, of any characters but a backslash, never a path into the file system; what
 * create, open and create-or-open answer; and the security descriptors of named sections.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Section, SectionError } from 'sectile';
import holders from '../fixtures/holders.js';
import { sharedScratch, start } from '../support/child.js';
import { withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';

const PAGE = 4096;

function registry(t: TestContext): { scratch: string; entries(): number } {
  const scratch = sharedScratch(t);
  return { scratch, entries: () => platform.localNames(scratch) };
}

const odd = [
  'a',
  'A',
  'ä',
  'a\u0308',
  ' ',
  '  ',
  '.',
  '..',
  '/',
  '//',
  '../../etc/passwd',
  '/etc/passwd',
  'a/b',
  'con',
  'NUL',
  '*',
  '?',
  '"',
  "'",
  '\n',
  '😀',
  '\ud83d',
  '\ude00',
  '\ude00\ud83d',
  '\uffff',
  '\u202e',
  'local',
  'global',
  'Local/x',
  '%s%n',
  '$(id)',
  '-rf',
  '~',
  'ẞ',
  'ß',
  'ı',
  'I',
  'i',
  'İ',
  '__proto__',
  'constructor',
  'toString',
  ...platform.oddNames,
];

test('names of any characters are names, each its own, and never paths', (t) => {
  const { entries } = registry(t);
  const sections = odd.map((name, index) => {
    const section = Section.create({ name, size: PAGE });
    section.map().bytes[0] = index + 1;
    return section;
  });
  for (const [index, name] of odd.entries()) {
    for (const spelling of [name, `Local\\${name}`]) {
      using section = Section.open(spelling);
      assert.equal(section.map().bytes[0], index + 1, JSON.stringify(name.slice(0, 20)));
      assert.equal(section.name, `Local\\${name}`);
    }
  }
  assert.equal(entries(), odd.length);
  for (const section of sections) section.close();
  for (const name of odd) assert.throws(() => Section.open(name), withCode('ERR_SECTION_NOT_FOUND'));
  assert.equal(entries(), 0);
});

test('random names, by property', (t) => {
  const { entries } = registry(t);
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
  const anyName = fc
    .array(fc.oneof(unit, fc.constantFrom('\\', '/', '.', '\0')), { maxLength: 40 })
    .map((units) => units.join(''));
  fc.assert(
    fc.property(fc.oneof(anyName, fc.string({ unit: 'binary', maxLength: 40 })), (name) => {
      const right = name !== '' && !name.includes('\\') && !platform.noNames.some((each) => name.includes(each));
      try {
        using section = Section.create({ name, size: 1 });
        assert.ok(right);
        using opened = Section.open(name);
        assert.equal(opened.name, section.name);
      } catch (error) {
        assert.ok(!right && error instanceof SectionError && error.code === 'ERR_SECTION_INVALID_NAME', String(error));
      }
    }),
    { numRuns: 500 },
  );
  assert.equal(entries(), 0);
});

test('names that are none', (t) => {
  registry(t);
  for (const name of [
    '',
    'Local\\',
    'Global\\',
    'a\\b',
    'Local\\a\\b',
    'local\\a',
    '\\a',
    'Session\\1\\a',
    'x'.repeat(32_767),
    ...platform.noNames,
    5,
    null,
    {},
    Symbol('a'),
  ]) {
    assert.throws(() => Section.create({ name: name as string, size: PAGE }), withCode('ERR_SECTION_INVALID_NAME'));
    assert.throws(() => Section.open(name as string), withCode('ERR_SECTION_INVALID_NAME'));
  }
});

test('create, open, and create or open', (t) => {
  registry(t);
  assert.throws(() => Section.open('x'), withCode('ERR_SECTION_NOT_FOUND', /sectile ls/));
  using first = Section.create({ name: 'x', size: 5000, ifExists: 'open' });
  assert.throws(() => Section.create({ name: 'x', size: 5000 }), withCode('ERR_SECTION_EXISTS', /ifExists/));
  assert.throws(() => Section.create({ name: 'x', size: 5000, ifExists: 'fail' }), withCode('ERR_SECTION_EXISTS'));
  using second = Section.create({ name: 'Local\\x', size: 99, ifExists: 'open' });
  assert.equal(second.size, platform.foundSize(5000), 'its size is its own');
  using reader = Section.open('x', { access: 'read' });
  assert.equal(reader.access, 'read');
  assert.throws(() => reader.map({ access: 'readwrite' }), withCode('ERR_SECTION_ACCESS_DENIED', /copy/));
  using copy = reader.map({ access: 'copy' });
  copy.bytes[0] = 1;
  assert.equal(first.map().bytes[0], 0);
  assert.equal(first.map().length, 5000);
});

test('the name of a section over a file', async (t) => {
  const { scratch } = registry(t);
  const path = join(scratch, 'file');
  writeFileSync(path, 'hello');
  using section = Section.fromFile(path, { access: 'readwrite', name: 'file' });
  using opened = Section.open('file');
  assert.equal(opened.size, 5);
  const view = opened.map();
  assert.equal(Buffer.from(view.bytes).toString(), 'hello');
  view.bytes[0] = 0x48;
  const child = start(t, holders, 'opens a section until it is killed', { scratch, args: ['file'] });
  assert.equal(await child.reached('held'), 0x48);
  child.tell('end');
  await child.endsWell();
  assert.throws(() => Section.fromFile(path, { name: 'file' }), withCode('ERR_SECTION_EXISTS'));
  section.close();
});

test('security descriptors of local names are checked', (t) => {
  registry(t);
  using section = Section.create({ name: 'guarded', size: PAGE, security: 'D:P(A;;GR;;;WD)' });
  assert.equal(section.access, 'readwrite', 'the creator has what it asked for');
  using opened = Section.open('guarded');
  assert.equal(opened.access, 'read');
  assert.throws(() => Section.open('guarded', { access: 'readwrite' }), withCode('ERR_SECTION_ACCESS_DENIED', /D:P/));
  using hidden = Section.create({ name: 'hidden', size: PAGE, security: 'D:P' });
  assert.throws(() => Section.open('hidden'), withCode('ERR_SECTION_ACCESS_DENIED'));
  assert.throws(() => Section.open('hidden', { access: 'read' }), withCode('ERR_SECTION_ACCESS_DENIED'));
  assert.throws(() => Section.create({ name: 'hidden', size: PAGE, ifExists: 'open' }), withCode('ERR_SECTION_ACCESS_DENIED'));
  assert.equal(hidden.closed, false);
  for (const security of ['x', 'D:(A;;GA;;;)', 'D:(', 5]) {
    assert.throws(
      () => Section.create({ name: 'bad', size: PAGE, security: security as string }),
      (error: { code?: string }) => /^ERR_SECTION_INVALID_(SECURITY|ARGUMENT)$/.test(error.code ?? ''),
    );
  }
  assert.throws(() => Section.open('bad'), withCode('ERR_SECTION_NOT_FOUND'));
});

test('an owner that is none is no security descriptor', (t) => {
  registry(t);
  assert.throws(
    () => Section.create({ name: 'bad', size: PAGE, security: 'O:' }).close(),
    withCode('ERR_SECTION_INVALID_SECURITY'),
  );
});

test('errors are SectionErrors whose code, status and message fit together', (t) => {
  const { scratch } = registry(t);
  try {
    Section.open('nobody');
    assert.fail();
  } catch (error) {
    assert.ok(error instanceof SectionError && error instanceof Error);
    assert.deepEqual(
      [error.name, error.code, error.status, error.operation],
      ['SectionError', 'ERR_SECTION_NOT_FOUND', 0xc000_0034, 'Section.open'],
    );
    assert.match(error.message, /^Section\.open "Local\\nobody": .*\. .*\.$/);
    assert.ok(String(error).startsWith('SectionError: '));
  }
  try {
    Section.fromFile(join(scratch, 'none'));
    assert.fail();
  } catch (error) {
    assert.ok(error instanceof SectionError);
    assert.equal(error.errno, 2);
  }
});

test('many names and many handles', (t) => {
  const { entries } = registry(t);
  const sections = Array.from({ length: 300 }, (_, index) => Section.create({ name: `many-${index}`, size: 1 }));
  const handles = Array.from({ length: 300 }, () => Section.open('many-5'));
  assert.equal(entries(), 300);
  for (const each of handles.splice(0, 150)) each.close();
  for (const each of sections) each.close();
  assert.equal(entries(), 1);
  Section.open('many-5').close();
  for (const each of handles) each.close();
  assert.equal(entries(), 0);
});
