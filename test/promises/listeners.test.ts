/**
 * Proves that fault reports reach every listener: when one throws, and when the view is closed at once.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Section } from 'sectile';

const library = new URL('../../dist/index.js', import.meta.url).href;

test('a listener that throws is the program’s to handle, and keeps no other waiting', () => {
  const program = `
    import { Section } from ${JSON.stringify(library)};
    const section = Section.create({ size: 4096 });
    const [a, b] = [section.map({ access: 'read' }), section.map({ access: 'read' })];
    const seen = [];
    const done = () => seen.length === 2 && (console.log(seen.sort().join(' ')), process.exit(0));
    process.on('uncaughtException', (error) => { seen.push(error.message); done(); });
    a.on('fault', () => { throw new Error('thrown'); });
    b.on('fault', () => { seen.push('told'); done(); });
    a.bytes[0] = 1;
    b.bytes[0] = 1;
    // The program holds its views: a listener alone does not keep one from the collector.
    setTimeout(() => { console.log('not told:', a.fault, b.fault); process.exit(1); }, 10_000);
  `;
  const { status, signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.deepEqual([status, signal, stdout], [0, null, 'thrown told\n']);
});

test('a fault is reported although the view is closed at once, and once only', async () => {
  using section = Section.create({ size: 4096 });
  const reports: string[] = [];
  for (let i = 0; i < 3; i++) {
    using view = section.map({ access: 'read' });
    // One store may fault twice: where its thread is held up until the page is put back, the store finds that once more.
    view.on('fault', ({ kind, count }) => reports.push(`${kind}${count > 0 ? '' : ', never'}`));
    view.bytes[i] = 1;
  }
  await new Promise(setImmediate);
  assert.deepEqual(reports, Array(3).fill('write-to-read-only'));
});

test('who listens only after a fault was reported is told of it', async () => {
  using section = Section.create({ size: 4096 });
  using early = section.map({ access: 'read' });
  using late = section.map({ access: 'read' });
  const told = (view: typeof early) => new Promise<number>((resolve) => view.once('fault', ({ count }) => resolve(count)));
  // A listener keeps no process.
  const hold = setTimeout(() => assert.fail('nobody is told'), 30_000);
  const first = told(early);
  late.bytes[0] = 1;
  early.bytes[0] = 1;
  // Both faults are in this report, and nobody listens for the first of them. A store that is held up counts twice: see above.
  assert.ok((await first) > 0);
  assert.ok((await told(late)) > 0);
  clearTimeout(hold);
  assert.equal(late.bytes[0], 0, 'the write is undone');
});
