/**
 * The check's program: one process creates a named section and maps it, another opens it by name, reads
 * what is there and writes; a stray write to a read-only view is kept out. Ends with 0 when all was so.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Section } from 'sectile';

const NAME = 'two-processes';
const ELEMENTS = 2 ** 17;

function expect(condition, what) {
  if (condition) return;
  console.error(`not so: ${what}`);
  process.exit(1);
}

if (process.argv[2] !== 'other') {
  const section = Section.create({ name: NAME, size: ELEMENTS * 8 });
  const view = section.map();
  const numbers = view.as(Float64Array);
  numbers.fill(Math.PI);
  const other = fork(fileURLToPath(import.meta.url), ['other']);
  other.on('exit', (code) => {
    expect(code === 0, `the other process ends with 0, not ${code}`);
    expect(numbers[7] === Math.E, 'what the other process wrote is here');
    expect(numbers[8] === Math.PI, 'the write to the read-only view stayed away');
    view.close();
    section.close();
    console.log(`two processes shared ${ELEMENTS * 8} bytes: ${process.platform} ${process.arch}`);
  });
} else {
  const section = Section.open(NAME);
  const view = section.map();
  const numbers = view.as(Float64Array);
  expect(numbers[12_345] === Math.PI, 'what the first process wrote is here');
  numbers[7] = Math.E;
  const reader = Section.open(NAME, { access: 'read' });
  const readable = reader.map();
  readable.on('fault', (fault) => {
    expect(fault.kind === 'write-to-read-only', `the fault is told, as ${fault.kind}`);
    for (const open of [readable, reader, view, section]) open.close();
    clearTimeout(late);
  });
  const late = setTimeout(() => expect(false, 'the stray write is reported'), 30_000);
  readable.as(Float64Array)[8] = 0;
}
