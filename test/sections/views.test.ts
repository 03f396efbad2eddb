/**
 * What views of a section are: parts at any offset, coherent with each other and across processes, with
 * protections and addresses of their own, alive after the section is closed.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { Section } from 'sectile';
import holders from '../fixtures/holders.js';
import { scratchFolder, sharedScratch, start } from '../support/child.js';
import { withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';

const PAGE = 4096;
const SIZE = 5 * PAGE + 123;

test('views at any offset show the bytes of the section there', () => {
  using section = Section.create({ size: SIZE });
  using whole = section.map();
  for (let i = 0; i < SIZE; i++) whole.bytes[i] = i * 31;
  const range = fc.nat(SIZE - 1).chain((offset) => fc.tuple(fc.constant(offset), fc.integer({ min: 1, max: SIZE - offset })));
  fc.assert(
    fc.property(range, fc.constantFrom('read', 'readwrite', 'copy'), fc.boolean(), ([offset, length], access, big) => {
      using view = section.map({ offset: big ? BigInt(offset) : offset, length: big ? BigInt(length) : length, access } as never);
      assert.equal(view.length, length);
      assert.equal(view.offset, offset);
      assert.equal(view.access, access);
      assert.equal(view.buffer.byteLength, length);
      assert.equal(Number(view.address % BigInt(PAGE)), offset % PAGE);
      assert.ok(Buffer.from(view.buffer).equals(Buffer.from(whole.bytes.subarray(offset, offset + length))));
      const target = new Uint8Array(Math.min(length, 9));
      assert.equal(view.read(target), target.length);
      assert.deepEqual(target, whole.bytes.slice(offset, offset + target.length));
    }),
  );
});

test('writes go to the same bytes by every view, and stay in copy-on-write ones', () => {
  const model = new Uint8Array(SIZE);
  using section = Section.create({ size: SIZE });
  const views = [0, 1, 4095, 4096, 5000, 12_345].map((offset) => section.map({ offset }));
  const write = fc.tuple(fc.nat(views.length - 1), fc.nat(SIZE), fc.uint8Array({ minLength: 1, maxLength: 5000 }), fc.boolean());
  fc.assert(
    fc.property(fc.array(write, { maxLength: 20 }), (all) => {
      for (const [index, at, bytes, checked] of all) {
        const view = views[index];
        if (view === undefined) continue;
        const offset = at % view.length;
        const part = bytes.subarray(0, view.length - offset);
        if (checked) view.write(part, offset);
        else view.bytes.set(part, offset);
        model.set(part, view.offset + offset);
      }
      for (const view of views) assert.ok(Buffer.from(view.buffer).equals(model.subarray(view.offset)));
    }),
    { numRuns: 50 },
  );
  for (const view of views) view.close();
});

test('copy-on-write is by page: a page that was written is its own, the others follow the section', () => {
  using section = Section.create({ size: 3 * PAGE });
  using view = section.map();
  using copy = section.map({ access: 'copy' });
  view.bytes.fill(1);
  copy.bytes[PAGE + 5] = 9;
  assert.equal(view.bytes[PAGE + 5], 1);
  view.bytes.fill(2);
  assert.deepEqual([copy.bytes[5], copy.bytes[PAGE + 4], copy.bytes[PAGE + 5], copy.bytes[2 * PAGE]], [2, 1, 9, 2]);
  assert.equal(copy.write(new Uint8Array([7]), 0), 1);
  assert.deepEqual([copy.bytes[0], view.bytes[0]], [7, 2]);
  assert.equal(copy.fault, null);
  using other = section.map({ access: 'copy' });
  assert.equal(other.bytes[PAGE + 5], 2);
});

test('a section of read access maps for reading and copying, not for writing', () => {
  using section = Section.create({ size: PAGE, protection: 'read' });
  using writer = section.map({ access: 'readwrite' });
  writer.bytes[0] = 1;
  using again = section.map({ access: 'readwrite', offset: 0, length: 100 });
  again.bytes[1] = 2;
  using reader = section.map({ access: 'read' });
  assert.deepEqual([reader.bytes[0], reader.bytes[1]], [1, 2]);
  using copy = section.map({ access: 'copy' });
  copy.bytes[0] = 3;
  assert.equal(writer.bytes[0], 1);
});

test('a closed section leaves its views alive, and maps no more', () => {
  const section = Section.create({ size: PAGE });
  const view = section.map();
  section.close();
  section.close();
  assert.equal(section.closed, true);
  view.bytes[5] = 6;
  assert.equal(view.bytes[5], 6);
  assert.throws(() => section.map(), withCode('ERR_SECTION_CLOSED'));
  assert.equal(section.size, PAGE);
  view.close();
});

test('a closed view stays what it was, whatever is mapped after it', () => {
  using section = Section.create({ size: PAGE });
  const [asked, unasked] = [section.map(), section.map()];
  const { address } = asked;
  for (const view of [asked, unasked]) view.close();
  const others = Array.from({ length: 100 }, (_, i) => section.map({ access: i % 2 === 0 ? 'readwrite' : 'read' }));
  for (const { bytes } of others) bytes[7] = 42; // goes astray in every second
  assert.ok(others.some(({ fault }) => fault !== null));
  assert.equal(asked.address, address);
  assert.notEqual(unasked.address, 0n);
  for (const view of [asked, unasked]) {
    view.close();
    assert.deepEqual([view.closed, view.length, view.buffer.byteLength, view.fault], [true, 0, 0, null]);
    assert.throws(() => view.read(new Uint8Array(1)), withCode('ERR_SECTION_CLOSED'));
  }
  for (const view of others) {
    assert.equal(view.bytes.length, PAGE);
    view.close();
  }
});

test('using disposes of sections and views', () => {
  let view: { closed: boolean };
  let section: Section;
  {
    using scoped = Section.create({ size: PAGE });
    using mapped = scoped.map();
    section = scoped;
    view = mapped;
    assert.equal(view.closed, false);
  }
  assert.deepEqual([view.closed, section.closed], [true, true]);
});

test('a chosen address is used, or refused with the reason', () => {
  const step = platform.granularity;
  using section = Section.create({ size: 8 * step });
  const address = 0x2000_0000_0000n;
  using view = section.map({ address });
  assert.equal(view.address, address);
  view.bytes[step + 100] = 5;
  assert.throws(() => section.map({ address }), withCode('ERR_SECTION_ADDRESS_CONFLICT'));
  assert.throws(() => section.map({ address: address + BigInt(step) }), withCode('ERR_SECTION_ADDRESS_CONFLICT'));
  assert.equal(view.bytes[step + 100], 5, 'what was there is untouched');
  const elsewhere = address + 0x100_0000n;
  assert.throws(
    () => section.map({ address: elsewhere + 1n }),
    withCode('ERR_SECTION_MISALIGNED', new RegExp(`modulo 0x${step.toString(16)}\\.`)),
  );
  assert.throws(() => section.map({ address: elsewhere, offset: 100 }), withCode('ERR_SECTION_MISALIGNED', /0x64/));
  using odd = section.map({ address: elsewhere + 100n, offset: step + 100 });
  assert.equal(odd.address, elsewhere + 100n);
  assert.equal(odd.bytes[0], 5);
  for (const bad of [0n, -1n, 2n ** 64n, 5, '5', null]) {
    assert.throws(() => section.map({ address: bad as bigint }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  }
  assert.throws(
    () => section.map({ address: 2n ** 63n }),
    (error: { code?: string }) => /^ERR_SECTION_(NO_MEMORY|ADDRESS_CONFLICT)$/.test(error.code ?? ''),
  );
});

test('typed arrays of a view leave out a rest, and the buffer is one', () => {
  using section = Section.create({ size: 21 });
  using view = section.map();
  assert.equal(view.as(Float64Array).length, 2);
  assert.equal(view.as(Uint8Array).length, 21);
  assert.equal(view.as(BigUint64Array).length, 2);
  assert.equal(view.buffer, view.bytes.buffer);
  assert.equal(view.bytes, view.bytes);
  view.as(Int32Array)[2] = -1;
  assert.deepEqual([...view.bytes.subarray(8, 12)], [255, 255, 255, 255]);
  assert.throws(() => view.as(Array as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
});

test('sparse sections of the largest size, used at both ends', () => {
  const size = platform.largestSection;
  using section = Section.create({ size, reserve: true });
  assert.equal(section.size, size);
  using first = section.map({ length: 100 });
  using last = section.map({ offset: size - 100 });
  last.bytes[99] = 7;
  first.bytes[0] = 8;
  using again = section.map({ offset: BigInt(size) - 1n, length: 1n });
  assert.equal(again.bytes[0], 7);
  using large = section.map({ offset: size / 64, length: 2 ** 35 });
  assert.equal(large.length, 2 ** 35);
  large.write(new Uint8Array([1, 2, 3]), 2 ** 34);
  const target = new Uint8Array(3);
  large.read(target, 2 ** 34);
  assert.deepEqual([...target], [1, 2, 3]);
});

test('views of processes are coherent', async (t) => {
  const scratch = sharedScratch(t);
  using section = Section.create({ name: 'coherent', size: PAGE });
  using view = section.map();
  view.bytes[0] = 123;
  const child = start(t, holders, 'opens a section until it is killed', { scratch, args: ['coherent'] });
  assert.equal(await child.reached('held'), 123);
  child.tell('end');
  await child.endsWell();
});

test('file views: shared with the file, flushed, and grown', async (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, 'hello');
  using read = Section.fromFile(path);
  assert.deepEqual([read.size, read.access], [5, 'read']);
  using view = read.map();
  assert.equal(Buffer.from(view.bytes).toString(), 'hello');
  assert.throws(() => Section.fromFile(path, { size: 6 }), withCode('ERR_SECTION_TOO_BIG'));
  using grown = Section.fromFile(pathToFileURL(path), { access: 'readwrite', size: 10_000 });
  using writer = grown.map({ offset: 1 });
  writer.bytes.set(Buffer.from('ALLO'));
  assert.equal(Buffer.from(view.bytes).toString(), 'hALLO');
  await writer.flush();
  await writer.flush(5000, 10);
  writer.flushSync();
  assert.equal(readFileSync(path).length, 10_000);
  assert.equal(readFileSync(path, 'latin1').slice(0, 6), 'hALLO\0');
  using part = Section.fromFile(path, { size: 3 });
  assert.equal(part.map().length, 3);
  using copied = read.map({ access: 'copy' });
  copied.bytes.fill(0);
  assert.equal(readFileSync(path, 'latin1').slice(0, 5), 'hALLO');
});

test('large checked copies are exact at every alignment, also within one view', () => {
  const LARGE = 3 << 20;
  using section = Section.create({ size: LARGE });
  using view = section.map();
  const source = new Uint8Array(LARGE).map((_, index) => (index * 2_654_435_761) >>> 24);
  // Lengths on both sides of where copies start to go around the cache.
  for (const length of [(512 << 10) - 1, 512 << 10, (512 << 10) + 1, (1 << 20) + 127]) {
    for (const [from, to] of [
      [0, 0],
      [1, 0],
      [0, 3],
      [7, 13],
      [16, 129],
    ] as const) {
      view.bytes.fill(0xee);
      view.write(source.subarray(from, from + length), to);
      const back = new Uint8Array(length + 2).fill(0xdd);
      view.read(back.subarray(1, 1 + length), to);
      const what = `${length} bytes from ${from} to ${to}`;
      assert.equal(Buffer.compare(back.subarray(1, 1 + length), source.subarray(from, from + length)), 0, what);
      assert.deepEqual([back[0], back[length + 1], view.bytes[to + length]], [0xdd, 0xdd, 0xee], what);
    }
  }
  view.write(source);
  view.write(view.bytes.subarray(0, 2 << 20), 4096); // overlapping, forwards
  assert.equal(Buffer.compare(view.bytes.subarray(4096, 4096 + (2 << 20)), source.subarray(0, 2 << 20)), 0);
  view.write(source);
  view.write(view.bytes.subarray(4096, 4096 + (2 << 20)), 0); // and backwards
  assert.equal(Buffer.compare(view.bytes.subarray(0, 2 << 20), source.subarray(4096, 4096 + (2 << 20))), 0);
});

test('checked copies fail for as long as a part of the file is lost', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, new Uint8Array(10 * 4096).fill(1));
  using section = Section.fromFile(path, { access: 'readwrite' });
  using view = section.map();
  platform.loseBacking(view, path, 4096, 5 * 4096);
  const ten = new Uint8Array(10);
  for (const round of [1, 2]) {
    assert.throws(() => view.write(ten, 5 * 4096), withCode('ERR_SECTION_FAULT'), `write, round ${round}`);
    assert.throws(() => view.read(ten, 5 * 4096), withCode('ERR_SECTION_FAULT'), `read, round ${round}`);
  }
});

test('what cannot back a section is refused by its kind', (t) => {
  const folder = scratchFolder(t);
  const empty = join(folder, 'empty');
  writeFileSync(empty, '');
  assert.throws(() => Section.fromFile(empty), withCode('ERR_SECTION_FILE_EMPTY'));
  assert.throws(() => Section.fromFile(folder), withCode('ERR_SECTION_FILE', /a directory/));
  for (const [path, said] of platform.noBacking) {
    assert.throws(() => Section.fromFile(path), withCode('ERR_SECTION_FILE', said));
  }
  assert.throws(() => Section.fromFile(join(folder, 'none')), withCode('ERR_SECTION_NOT_FOUND'));
  assert.throws(
    () => Section.fromFile('/dev/mem'),
    (error: { code?: string }) => /ERR_SECTION_(ACCESS_DENIED|NOT_FOUND)/.test(error.code ?? ''),
  );
  assert.throws(() => Section.fromFile('a\0b'), withCode('ERR_SECTION_INVALID_ARGUMENT'));
});

test('foreign POSIX objects are mapped as they are', { skip: platform.lacks.posixObjects }, (t) => {
  const name = `sectile-test-${process.pid}`;
  writeFileSync(`/dev/shm/${name}`, 'foreign', { mode: 0o600 });
  t.after(() => rmSync(`/dev/shm/${name}`));
  using section = Section.openPosix(`/${name}`, { access: 'readwrite' });
  using view = section.map();
  assert.equal(Buffer.from(view.bytes).toString(), 'foreign');
  view.bytes[0] = 0x46;
  assert.equal(readFileSync(`/dev/shm/${name}`, 'utf8'), 'Foreign');
  for (const bad of ['/../etc/passwd', '/a/b', '', '/', '/..', `/${'x'.repeat(300)}`]) {
    assert.throws(() => Section.openPosix(bad), withCode('ERR_SECTION_INVALID_NAME'));
  }
  assert.throws(() => Section.openPosix('/sectile-none'), withCode('ERR_SECTION_NOT_FOUND'));
});

test('descriptors: a duplicate is held, access is that of the descriptor', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, Buffer.alloc(PAGE, 5));
  const fd = openSync(path, 'r');
  using section = Section.fromDescriptor(fd, { size: PAGE });
  closeSync(fd);
  assert.equal(section.access, 'read');
  assert.equal(section.map().bytes[9], 5);
  const again = openSync(path, 'r');
  assert.throws(() => Section.fromDescriptor(again, { size: PAGE, access: 'readwrite' }), withCode('ERR_SECTION_ACCESS_DENIED'));
  assert.throws(() => Section.fromDescriptor(again, { size: PAGE + 1 }), withCode('ERR_SECTION_TOO_BIG'));
  closeSync(again);
  assert.throws(() => Section.fromDescriptor(again, { size: PAGE }), withCode('ERR_SECTION_INVALID_ARGUMENT', /not open/));
});
