/**
 * Rows of ReactOS's kernel test of ZwMapViewOfSection: three sections that the environment describes,
 * and every parameter of the call.
 */
import type { Handle } from 'sectile/ntdll';
import type { Case, Suite } from '../case.js';
import type { Observation } from '../compare.js';
import { filePlan } from '../files.js';
import { skip, type World } from '../script.js';
import { flags, status, UnknownWord } from '../words.js';
import type { Reader } from './reader.js';
import { closeLater, handleOf, mapView, openFile } from './sections.js';

/** `5*64KiB`, `200` */
function sizeIn(text: string): number {
  const [, times = '1', digits = '0', unit = ''] = /\bsize (?:(\d+) ?\* ?)?(\d+) ?(KiB|MiB)?/.exec(text) ?? [];
  return Number(times) * Number(digits) * (unit === 'MiB' ? 1024 * 1024 : unit === 'KiB' ? 1024 : 1);
}

/** A section as the environment describes it: `section: SECTION_ALL_ACCESS, size 200, PAGE_READWRITE, SEC_COMMIT, backed by 200-byte file`. */
function sectionFrom(world: World, text: string): Handle {
  const word = (pattern: RegExp, fallback: string): string => pattern.exec(text)?.[0] ?? fallback;
  const backing = /backed by (.*)$/.exec(text)?.[1] ?? '';
  const file = /page-?file/.test(text) ? null : openFile(world, 'kernel', filePlan(backing));
  const { status: result, sectionHandle } = world.k.ZwCreateSection(
    flags(word(/SECTION_\w+/, 'SECTION_ALL_ACCESS')),
    null,
    sizeIn(text),
    flags(word(/PAGE_\w+/, 'PAGE_READWRITE')),
    flags(word(/SEC_\w+/, 'SEC_COMMIT')),
    file,
  );
  if (sectionHandle === 0) throw new Error(`ZwCreateSection: ${status(result)}`);
  return closeLater(world, 'kernel', sectionHandle);
}

function sectionOf(world: World, suite: Suite, name: unknown): Handle {
  const text = suite.environment[String(name)];
  if (typeof text === 'string') return sectionFrom(world, text);
  const handle = handleOf(name);
  if (handle === undefined) throw new UnknownWord(`"${String(name)}" is no section`);
  return handle;
}

function read(world: World, { inputs }: Case, suite: Suite): Observation {
  const mapped = mapView(world, 'kernel', sectionOf(world, suite, inputs['section']), inputs);
  if (mapped.view === null) return { status: status(mapped.status) };
  const last = world.k.ZwUnmapViewOfSection(world.k.ZwCurrentProcess(), mapped.baseAddress);
  const { sectionOffset, viewSize } = mapped;
  return { status: last === 0 ? status(mapped.status) : `${status(last)} from ZwUnmapViewOfSection`, sectionOffset, viewSize };
}

const isOurs = ({ name, path }: Suite): boolean =>
  name.startsWith('reactos-zwmapviewofsection') || /\bZwMapViewOfSection\.c$/.test(path);

export const zwMapView: readonly Reader[] = [
  { reads: ({ call, inputs }, suite) => isOurs(suite) && call === 'ZwMapViewOfSection' && 'section' in inputs, read },
  {
    reads: ({ call }, suite) => isOurs(suite) && call === 'MmMapViewOfSection',
    read: () => skip('MmMapViewOfSection is internal to the Windows kernel; drivers call ZwMapViewOfSection'),
  },
];
