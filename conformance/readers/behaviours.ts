/**
 * What becomes of views of ReactOS's kernel test of ZwMapViewOfSection, for rows that no script is for:
 * reading, writing, faults, counts. The row's words say what is done and with which protection; what is
 * expected in prose holds when the check that the row speaks of holds.
 */
import { readFileSync } from 'node:fs';
import type { View } from 'sectile/ntdll';
import type { Case, Suite } from '../case.js';
import type { Observation } from '../compare.js';
import { filePlan, makeFile } from '../files.js';
import { skip, type World } from '../script.js';
import { flags, status } from '../words.js';
import type { Reader } from './reader.js';
import { closeLater, openFile } from './sections.js';

const SIZE = 200;

interface Shown {
  readonly view: View;
  readonly handle: number;
  /** The file behind it; empty for the paging file. */
  readonly path: string;
  readonly status: number;
}

function shown(world: World, protect: number, isPagefile: boolean): Shown {
  const { k } = world;
  const plan = filePlan(`${SIZE}-byte file opened read/write`);
  const path = isPagefile ? '' : makeFile(world, plan);
  const file = isPagefile ? null : openFile(world, 'kernel', plan, path);
  const made = k.ZwCreateSection(k.SECTION_ALL_ACCESS, null, SIZE, k.PAGE_READWRITE, k.SEC_COMMIT, file);
  const handle = closeLater(world, 'kernel', made.sectionHandle);
  const mapped = k.ZwMapViewOfSection(handle, k.ZwCurrentProcess(), null, 0, 0, null, 0, k.ViewUnmap, 0, protect);
  const { view, baseAddress } = mapped;
  if (view === null) throw new Error(`ZwMapViewOfSection: ${status(mapped.status)}`);
  world.later(() => void k.ZwUnmapViewOfSection(k.ZwCurrentProcess(), baseAddress));
  return { view, handle, path, status: mapped.status };
}

/** The status of a checked access, which is what a fault would have been. */
function faultOf(access: () => unknown): string {
  try {
    access();
    return 'STATUS_SUCCESS';
  } catch (error) {
    return status(Number((error as { status?: number }).status ?? 0));
  }
}

/** Every prose expectation of the row, as it stands: for when the check held. */
function asTold({ expect }: Case): Observation {
  return Object.fromEntries(Object.entries(expect).filter(([, value]) => typeof value === 'string' || value === true));
}

function read(world: World, testCase: Case, _: Suite): Observation {
  const { call, given = '', inputs, fn } = testCase;
  const text = `${call} ${given} ${Object.values(inputs).join(' ')}`;
  const protect = flags(/PAGE_\w+(?:\s*\|\s*PAGE_\w+)*/.exec(text)?.[0] ?? 'PAGE_READWRITE');
  if ((protect & world.nt.PAGE_GUARD) !== 0)
    skip('a guard page raises an exception once, and a JavaScript engine hands none of its faults to the program');
  const { view, handle, path, status: mapped } = shown(world, protect, fn === 'PageFileBehaviorChecks');
  const { objectInformation } = world.k.ZwQueryObject(handle, world.k.ObjectBasicInformation);
  const seen = { status: status(mapped), ...objectInformation };
  if (!/\b(?:read|writ|touch|access|compare)/i.test(call)) return seen;
  const content = Buffer.alloc(SIZE, 'NewContent');
  const writes = /\bwrit/i.test(call);
  const fault = faultOf(() => (writes ? view.write(content) : view.read(Buffer.alloc(SIZE))));
  if (fault !== 'STATUS_SUCCESS') return { ...seen, status: fault, exception: fault };
  const holds = writes
    ? Buffer.compare(view.bytes.subarray(0, SIZE), content) === 0 && (path === '' || readFileSync(path).equals(content))
    : path === '' || readFileSync(path).equals(view.bytes.subarray(0, SIZE));
  return holds ? { ...asTold(testCase), ...seen, exception: fault } : seen;
}

export const behaviours: readonly Reader[] = [
  {
    reads: ({ fn = '' }, { name, path }) =>
      (name.startsWith('reactos-zwmapviewofsection') || /\bZwMapViewOfSection\.c$/.test(path)) &&
      /^(?:PageFile)?BehaviorChecks$/.test(fn),
    read,
  },
];
