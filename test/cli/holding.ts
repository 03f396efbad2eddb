/**
 * A process that holds sections in every way that `sectile ls` tells apart.
 */
import { writeFileSync } from 'node:fs';
import { Section } from 'sectile';
import { createObject } from '../../dist/system/lookup.js';
import { reached, scenarios, scratch, told } from '../support/scenario.js';

const MIB = 1 << 20;

/** What must not be collected while the process runs. */
const held: unknown[] = [];

function others(count: number): unknown[] {
  return Array.from({ length: count }, () => Section.create({ size: 4096 }).map());
}

async function untilTold(value?: unknown): Promise<void> {
  reached('holds', value);
  await told('end');
  held.length = 0;
}

export default scenarios(import.meta.url, {
  'holds two handles and four views': async () => {
    const first = Section.create({ name: 'frames', size: 3 * MIB });
    const second = Section.open('frames', { access: 'read' });
    const whole = first.map();
    const part = first.map({ offset: MIB, length: 5000 });
    const copy = first.map({ access: 'copy' });
    const readOnly = second.map();
    held.push(first, second, whole, part, copy, readOnly);
    // A stray write leaves the section alone, and the view in pieces for a moment.
    readOnly.bytes[4096 * 3] = 7;
    await untilTold(part.address);
  },
  'opens a section and maps it once': async (name: string) => {
    const section = Section.open(name);
    held.push(section, section.map());
    await untilTold();
  },
  'is the sole writer of a section, with two views': async () => {
    const section = Section.create({ name: 'sole', size: 8192, protection: 'read' });
    held.push(section, section.map(), section.map({ access: 'read' }));
    await untilTold();
  },
  'holds what has no name': async (also = 0) => {
    const unnamed = Section.create({ size: 12_345 });
    const gone = Section.create({ name: 'gone', size: 12_345 });
    held.push(unnamed, unnamed.map(), gone.map(), ...others(also));
    gone.close();
    await untilTold();
  },
  'holds sparse, file-backed and strangely named sections': async (strange: string) => {
    const file = scratch('data.bin');
    writeFileSync(file, Buffer.alloc(10_000, 'x'));
    const sparse = Section.create({ name: 'sparse', size: 2 ** 40, reserve: true });
    const overFile = Section.fromFile(file, { name: 'data' });
    const view = overFile.map();
    view.read(new Uint8Array(view.length));
    held.push(sparse, overFile, view, Section.create({ name: strange, size: 1 }));
    await untilTold();
  },
  'holds an event in a directory, and a link': async (scope: 'local' | 'global') => {
    const prefix = scope === 'global' ? 'Global' : 'Local';
    const at = (leaf: string, directory?: string) => ({
      scope,
      leaf,
      full: `${prefix}\\${leaf}`,
      ...(directory === undefined ? {} : { directory }),
    });
    const creation = { content: new Uint8Array(8), openExisting: false, desired: 0x0200_0000 };
    const directory = createObject('test', at('things'), 'Directory', creation);
    const event = createObject('test', at('started', directory.identity), 'Event', {
      ...creation,
      security: 'D:(A;;CCDC;;;WD)(A;;RC;;;WD)',
    });
    held.push(directory, event, createObject('test', at('link'), 'SymbolicLink', creation));
    await untilTold();
  },
  'holds a section with known bytes': async (name: string, size: number, access?: 'readwrite') => {
    const section = Section.create({ name, size, ...(access === undefined ? {} : { protection: access }) });
    const view = section.map();
    for (let index = 0; index < size; index += 256)
      view.bytes.set(
        Uint8Array.from({ length: Math.min(256, size - index) }, (_, i) => i),
        index,
      );
    view.close();
    held.push(section);
    await untilTold();
  },
});
